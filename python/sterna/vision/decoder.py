"""Decodes the output of a detector's graph into boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeGuard

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import BOX_FIELDS, RGB
from sterna.vision import boxes
from sterna.vision.anchors import check_cells
from sterna.vision.boxes import MOST_BOXES, Detections
from sterna.vision.fit import Fit, aspect_of

KIND = "yolov2"


@dataclass(frozen=True)
class Decoder:
    """How the output of one graph is decoded."""

    classes: tuple[str, ...]
    #: Width and height in cells.
    anchors: tuple[tuple[float, float], ...]
    #: Name of the Output layer, the real value of one step of it, and the integer that stands for real 0.
    output: str
    scale: float
    zero_point: int
    #: Height and width of the graph's input, and how an image of another aspect lies in it.
    size: tuple[int, int]
    aspect: str

    @classmethod
    def of(cls, graph: Graph, aspect: str | None = None) -> Self:
        """The decoder for `graph`, for images as `prepare` gives them with `aspect`.

        Raises SternaError if the graph is no detector, or its head or anchors do not fit.
        """
        classes, anchors = graph.metadata.get("classes"), graph.metadata.get("anchors")
        if graph.metadata.get("kind") != KIND or not are_names(classes) or not _are_sizes(anchors):
            raise SternaError(
                "the graph is not a detector",
                where="graph metadata",
                attribute="kind",
                value=graph.metadata.get("kind"),
                allowed=f"'{KIND}' with its classes and anchors",
                remedy="give the graph of a detector that sterna train made",
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
                remedy="export the graph again, with the classes for which it was trained",
            )
        sizes = tuple((float(width), float(height)) for width, height in anchors)
        check_cells(sizes, info.height, info.width, max(1, graph.input.width // info.width), "graph metadata")
        size = (graph.input.height, graph.input.width)
        aspect = aspect_of(graph, aspect)
        return cls(tuple(classes), sizes, output.name, info.scale, info.zero_point, size, aspect)

    def boxes(
        self, head: NDArray[np.int8], image: NDArray[np.uint8], *, threshold: float, overlap: float
    ) -> Detections:
        """Boxes in pixels of `image`, best first, from the graph's output int8 [C, h, w] for it.

        threshold: least score, overlap: largest intersection over union within a class, both 0..1. At most MOST_BOXES.
        """
        found = boxes.detect(
            head, self.anchors, scale=self.scale, zero_point=self.zero_point, threshold=threshold, overlap=overlap,
            limit=MOST_BOXES,
        )  # fmt: skip
        return Fit(image.shape[:2], self.size, self.aspect).in_pixels(found)


def are_names(value: object) -> TypeGuard[list[str]]:
    """Whether `value` is a list of names, at least one."""
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _are_sizes(value: object) -> TypeGuard[list[list[float]]]:
    def is_size(pair: object) -> bool:
        return (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(side, int | float) and side > 0 for side in pair)
        )

    return isinstance(value, list) and bool(value) and all(is_size(pair) for pair in value)
