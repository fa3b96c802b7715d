"""How an image of another size and aspect lies in the input of a network, and how boxes come back from there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import RGB
from sterna.native import libsterna
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


def side_by_side(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image` [H, W, 3] as libsterna takes it: its rows may lie apart, its pixels not."""
    return image if image.strides[1:] == (RGB, 1) else np.ascontiguousarray(image)


class Fit(NamedTuple):
    """An image of `image` pixels in an input of `input` pixels, both height and width."""

    image: tuple[int, int]
    input: tuple[int, int]
    aspect: str

    @property
    def inner(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the image within the input, in whole pixels."""
        return libsterna.inner(self.image, self.input, self._letterbox)

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.int8]:
        """RGB `image` uint8 [H, W, 3] as the input int8 [h, w, 3], rgb - 128: bilinear, 0 for what it does not cover.

        Resized as Pillow's BILINEAR does it, bit for bit.
        """
        return libsterna.frame(side_by_side(image), self.input, self._letterbox)

    def in_pixels(self, found: Detections) -> Detections:
        """`found`, in 0..1 of the input, in pixels of the image; what lies outside the image is gone."""
        arrays = (found.boxes, found.scores, found.classes)
        return Detections(*libsterna.in_pixels(*arrays, self.image, self.input, self._letterbox))

    @property
    def _letterbox(self) -> bool:
        return self.aspect == LETTERBOX
