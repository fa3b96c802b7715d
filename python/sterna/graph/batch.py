"""Layers that see the whole map, for many images at once: each image of a batch is a pixel of one map.

Such a layer makes one pixel of a map, so an engine that computes an image at a time has work for one of its lanes, and
reads all weights for it. A classifier is cut into two graphs before the first of them: the first one computes features,
image by image; the second one the scores of as many images as its map has pixels, on all lanes, reading weights once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import Conv, Input, Layer, Output
from sterna.graph.network import NO_PADDING

FEATURES = "features"
"""The output of the first graph."""


class Halves(NamedTuple):
    """A graph that was cut in two."""

    first: Graph
    """An image to its features, the one output."""
    second: Graph
    """Features of many images, a pixel each, to their scores."""


def cut(graph: Graph, height: int, width: int, before: str | None = None) -> Halves:
    """Cut `graph` before its first layer that sees the whole map, or before the layer `before`, which does.

    height, width: of the second graph's map, which takes as many images as it has pixels. Raises SternaError if `graph`
    has no such layer, or more than such layers after it.
    """
    names = [layer.name for layer in graph.layers]
    candidates = [layer for layer in graph.layers if isinstance(layer, Conv) and _sees_all(graph, layer)]
    chosen = next((layer for layer in candidates if before in (None, layer.name)), None)
    if chosen is None:
        raise SternaError(
            "has no such layer that sees the whole map", where="graph", attribute="before", value=before,
            allowed=", ".join(layer.name for layer in candidates) or "none in this graph",
            remedy="name one of these, or use the graph as it is",
        )  # fmt: skip
    at = names.index(chosen.name)
    first = (*graph.layers[:at], Output(FEATURES, chosen.input))
    source = graph.info[chosen.input]
    features = source.channels * source.height * source.width
    second = (
        Input(FEATURES, features, height, width, source.scale, source.zero_point),
        *_pixelwise(graph.layers[at:], candidates, chosen),
    )
    return Halves(_as_graph(graph, first), _as_graph(graph, second))


def _as_graph(graph: Graph, layers: Sequence[Layer]) -> Graph:
    """`layers` as a graph of the same widths, without metadata: it is no whole model."""
    return Graph(tuple(layers), graph.act_bits, graph.acc_bits)


def _sees_all(graph: Graph, layer: Conv) -> bool:
    """Whether `layer` has one window, which is the whole map, and reads all channels."""
    source, kernel = graph.info[layer.input], layer.weights.shape[2]
    return source.height == source.width == kernel and layer.groups == 1 and layer.padding == NO_PADDING


def _pixelwise(layers: Sequence[Layer], candidates: Sequence[Conv], chosen: Conv) -> list[Layer]:
    """The layers from `chosen` on, as 1x1 convolutions."""
    made: list[Layer] = []
    for layer in layers:
        reads = {chosen.input, *(each.name for each in made)}
        known = isinstance(layer, Output) or any(layer is each for each in candidates)
        if not known or not reads.issuperset(layer.sources):
            raise SternaError(
                "is not of a layer that sees the whole map", where=f"layer '{layer.name}'",
                allowed="convolutions of one window alone, each of the one before", remedy="cut before a later layer",
            )  # fmt: skip
        if isinstance(layer, Conv):
            flat = layer.weights.reshape(len(layer.weights), -1, 1, 1)
            source = FEATURES if layer is chosen else layer.input
            layer = replace(layer, input=source, weights=flat, stride=1)
        made.append(layer)
    return made


def as_pixels(features: NDArray[np.int8], height: int, width: int) -> NDArray[np.int8]:
    """Features int8 [N, C, H, W] as the map int8 [1, C*H*W, height, width] that the second graph reads, row by row.

    Pixels without an image are 0. Raises SternaError for more images than pixels.
    """
    count, pixels = len(features), height * width
    if count > pixels:
        raise SternaError(
            "has more images than the map has pixels", where="batch", attribute="images", value=count,
            allowed=f"1 .. {pixels}", remedy="give them in several batches",
        )  # fmt: skip
    flat = features.reshape(count, -1)
    made = np.zeros((flat.shape[1], pixels), np.int8)
    made[:, :count] = flat.T
    return made.reshape(1, -1, height, width)


def of_pixels(scores: NDArray[np.int8], count: int) -> NDArray[np.int8]:
    """The scores int8 [count, C] of the first `count` images, of the map int8 [1, C, H, W] of the second graph."""
    return np.ascontiguousarray(scores[0].reshape(scores.shape[1], -1).T[:count])
