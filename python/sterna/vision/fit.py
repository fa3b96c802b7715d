"""How an image of another size and aspect lies in the input of a network, and how boxes come back from there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import GREY
from sterna.vision.boxes import Detections

STRETCH, LETTERBOX = "stretch", "letterbox"
#: What becomes of an image of another aspect: it is stretched, or whole in the middle of grey.
ASPECTS = (STRETCH, LETTERBOX)


def aspect_of(graph: Graph, wanted: str | None = None) -> str:
    """`wanted`, or else what the metadata of `graph` names as its aspect, or else STRETCH.

    Raises SternaError if it is none of ASPECTS.
    """
    found = graph.metadata.get("aspect", STRETCH) if wanted is None else wanted
    if found not in ASPECTS:
        raise SternaError(
            "there is no such aspect", where="graph metadata" if wanted is None else None, attribute="aspect",
            value=found, allowed=", ".join(ASPECTS), remedy="name one of these",
        )  # fmt: skip
    return str(found)


class Fit(NamedTuple):
    """An image of `image` pixels in an input of `input` pixels, both height and width."""

    image: tuple[int, int]
    input: tuple[int, int]
    aspect: str

    @property
    def inner(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the image within the input, in whole pixels."""
        (height, width), (input_height, input_width) = self.image, self.input
        if self.aspect == STRETCH:
            return 0, 0, input_width, input_height
        factor = min(input_width / width, input_height / height)
        inner_width, inner_height = max(1, round(width * factor)), max(1, round(height * factor))
        return (input_width - inner_width) // 2, (input_height - inner_height) // 2, inner_width, inner_height

    def resize(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """RGB `image` uint8 [H, W, 3] as the input uint8 [h, w, 3]: bilinear, what it does not cover is mid-grey."""
        left, top, width, height = self.inner
        resized = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
        if (height, width) == self.input:
            return resized
        whole = np.full((*self.input, 3), GREY, np.uint8)
        whole[top : top + height, left : left + width] = resized
        return whole

    def in_pixels(self, found: Detections) -> Detections:
        """`found`, in 0..1 of the input, in pixels of the image; what lies outside the image is gone."""
        height, width = self.image
        if self.aspect == STRETCH:
            return found.in_pixels(height, width)
        left, top, inner_width, inner_height = self.inner
        offset = np.array([left, top, left, top], np.float32)
        factors = np.array([width / inner_width, height / inner_height] * 2, np.float32)
        boxes = (found.in_pixels(*self.input).boxes - offset) * factors
        boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
        kept = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
        return Detections(boxes, found.scores, found.classes).select(kept)
