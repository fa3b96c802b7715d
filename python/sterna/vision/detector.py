"""What the host does for a detector: images to the graph's input, the graph's output to boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.vision import boxes
from sterna.vision.anchors import check_cells
from sterna.vision.boxes import BOX_FIELDS, MOST_BOXES, Detections

KIND = "yolov2"
RGB = 3


@dataclass(frozen=True)
class Detector:
    """How a graph is used as a detector."""

    classes: tuple[str, ...]
    #: Width and height in cells.
    anchors: tuple[tuple[float, float], ...]
    #: Name of the Output layer, and the real value of one step of it.
    output: str
    scale: float

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """The detector that `graph` is; raises SternaError if it is none, or its head or anchors do not fit."""
        classes, anchors = graph.metadata.get("classes"), graph.metadata.get("anchors")
        if graph.metadata.get("kind") != KIND or not _are_names(classes) or not _are_sizes(anchors):
            raise SternaError(
                "the graph is not a detector",
                where="graph metadata",
                attribute="kind",
                value=graph.metadata.get("kind"),
                allowed=f"'{KIND}' with its classes and anchors",
                remedy="give a graph made by sterna train",
            )
        if len(graph.outputs) != 1 or graph.input.channels != RGB:
            raise SternaError(
                "the graph is not a detector",
                where="graph",
                attribute="inputs, outputs",
                value=f"{graph.input.channels} channels, {len(graph.outputs)} outputs",
                allowed=f"{RGB} channels, 1 output",
                remedy="give a graph made by sterna train",
            )
        (output,) = graph.outputs
        info, expected = graph.info[output.name], len(anchors) * (BOX_FIELDS + len(classes))
        if info.channels != expected:
            raise SternaError(
                "the head does not fit the number of classes",
                where=f"layer '{output.input}'",
                attribute="channels",
                value=info.channels,
                allowed=f"{expected} for {len(classes)} classes and {len(anchors)} anchors",
                remedy="export the graph again, with the classes that it was trained for",
            )
        sizes = tuple((float(width), float(height)) for width, height in anchors)
        check_cells(sizes, info.height, info.width, max(1, graph.input.width // info.width), "graph metadata")
        return cls(tuple(classes), sizes, output.name, info.scale)

    def boxes(
        self, head: NDArray[np.int8], image: NDArray[np.uint8], *, threshold: float, overlap: float
    ) -> Detections:
        """Boxes in pixels of `image`, best first, from the graph's output int8 [C, h, w] for it.

        threshold: least score, overlap: largest intersection over union within a class, both 0..1. At most MOST_BOXES.
        """
        found = boxes.detect(
            head, self.anchors, scale=self.scale, threshold=threshold, overlap=overlap, limit=MOST_BOXES
        )
        return found.in_pixels(*image.shape[:2])


def prepare(graph: Graph, image: NDArray[np.uint8]) -> NDArray[np.int8]:
    """RGB `image` uint8 [H, W, 3] of any size as the input of `graph`, int8 [3, height, width].

    Its aspect is not kept, so that boxes map back by one factor per axis. Raises SternaError if the graph does not take
    images.
    """
    if graph.input.channels != RGB:
        raise SternaError(
            "the graph does not take images",
            where=f"layer '{graph.input.name}'",
            attribute="channels",
            value=graph.input.channels,
            allowed=str(RGB),
            remedy="give a graph made by sterna train",
        )
    size = (graph.input.width, graph.input.height)
    return to_integers(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)))


def to_integers(images: NDArray[np.uint8]) -> NDArray[np.int8]:
    """RGB uint8 [..., H, W, 3] as the graph's input int8 [..., 3, H, W]: rgb - 128."""
    return np.moveaxis((images ^ 0x80).view(np.int8), -1, -3)


def _are_names(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _are_sizes(value: object) -> TypeGuard[list[list[float]]]:
    def is_size(pair: object) -> bool:
        return (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(side, int | float) and side > 0 for side in pair)
        )

    return isinstance(value, list) and bool(value) and all(is_size(pair) for pair in value)
