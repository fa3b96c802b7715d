"""Siamese networks: the graph of one image's features as that of two images, and of how far their features are apart.

The two images are the channels of one map, and each layer computes both with the same weights, in groups of its own; a
group has only its own channels, so that nothing is computed twice. The distance is the sum of the magnitudes of the
differences: a convolution with weights 1 and -1 gives each difference and its negative, of which ReLU keeps one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.checks import where
from sterna.graph.graph import Graph
from sterna.graph.layers import MAX_KERNEL, Add, Conv, Input, Layer, MaxPool, Output, Requant
from sterna.graph.network import NO_PADDING

KIND = "pairs"
"""The kind of a trained graph that says how far two images are apart."""
THRESHOLD = "threshold"
"""In the metadata of such a graph: images whose distance is at most this show the same."""
DIFFERENCES, DISTANCE = "differences", "distance"
"""The layers that are added; the output is DISTANCE.output."""
SATURATED = 8
"""The largest distance that is told is the largest that there can be, divided by this: what is that far is far."""


def pair(graph: Graph, features: str) -> Graph:
    """The graph that takes two images, as channels, and gives the distance of what layer `features` of `graph` makes.

    Its input has the channels of the first image, then those of the second; its output is one activation of one pixel,
    0 for equal features. Raises SternaError for layers that would mix the channels of the images, and for features on
    a map that no convolution sees as a whole.
    """
    if features not in graph.info:
        raise SternaError(
            "has no such layer", where="graph", attribute="features", value=features, allowed=", ".join(graph.info),
            remedy="name one of these",
        )  # fmt: skip
    info, wanted = graph.info[features], _needed(graph, features)
    if info.height != info.width or info.height > MAX_KERNEL:
        raise SternaError(
            "is a map that no convolution sees as a whole", where=f"layer '{features}'", attribute="height, width",
            value=f"{info.height}, {info.width}", allowed=f"a square of up to {MAX_KERNEL} pixels",
            remedy="name a layer that follows, or take means first",
        )  # fmt: skip
    layers = [_doubled(layer) for layer in graph.layers if layer.name in wanted]
    signs = np.eye(info.channels, dtype=np.int8)
    differences = np.block([[signs, -signs], [-signs, signs]])[:, :, None, None]
    ones = np.ones((1, 2 * info.channels, info.height, info.width), np.int8)
    # A difference of activations has a bit more than they; so many of them are added.
    parts = info.channels * info.height * info.width
    shift = max(0, (parts - 1).bit_length() - (SATURATED.bit_length() - 1))
    layers += [
        Conv(DIFFERENCES, features, differences, 1, NO_PADDING, _power(2 * info.channels, 1, "relu"), 2 * info.scale),
        Conv(DISTANCE, DIFFERENCES, ones, 1, NO_PADDING, _power(1, shift, "linear"), 2 * info.scale * 2**shift),
        Output(f"{DISTANCE}.output", DISTANCE),
    ]
    return Graph(tuple(layers), graph.act_bits, graph.acc_bits)


def together(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.int8]:
    """Images int8 [N, C, H, W], and as many others, as the input int8 [N, 2C, H, W] of the graph of pairs."""
    return np.concatenate([first, second], 1)


def _needed(graph: Graph, features: str) -> set[str]:
    """The names of `features` and of the layers that it depends on."""
    wanted = {features}
    for layer in reversed(graph.layers):
        if layer.name in wanted:
            wanted.update(layer.sources)
    return wanted


def _power(filters: int, shift: int, activation: str) -> Requant:
    return Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), shift, activation)


def _doubled(layer: Layer) -> Layer:
    """`layer` for both images."""
    double = _DOUBLE.get(type(layer))
    if double is None:
        raise SternaError(
            "mixes the channels of the images", where=where(layer), attribute="kind",
            value=type(layer).__name__.lower(), allowed=", ".join(kind.__name__.lower() for kind in _DOUBLE),
            remedy="use a network without it, or features before it",
        )  # fmt: skip
    made: Layer = double(layer)
    return made


def _input(layer: Input) -> Input:
    table = None if layer.table is None else np.concatenate([layer.table] * 2)
    return replace(layer, channels=2 * layer.channels, table=table)


def _conv(layer: Conv) -> Conv:
    weights = np.concatenate([layer.weights] * 2)
    return replace(layer, weights=weights, groups=2 * layer.groups, requant=_twice(layer.requant))


def _add(layer: Add) -> Add:
    return replace(layer, requant=_twice(layer.requant))


def _twice(requant: Requant) -> Requant:
    return replace(requant, multiplier=np.tile(requant.multiplier, 2), bias=np.tile(requant.bias, 2))


def _same(layer: MaxPool) -> MaxPool:
    return layer


_DOUBLE: dict[type[Layer], Callable[[Any], Layer]] = {Input: _input, Conv: _conv, Add: _add, MaxPool: _same}
"""What makes a layer for both images, by kind."""
