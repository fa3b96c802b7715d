"""Graphs of the named networks at full size with random ternary weights, for tests of size and speed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph import (
    Concat,
    Conv,
    Graph,
    Input,
    Layer,
    MaxPool,
    Output,
    Reorg,
    Requant,
    assemble,
    network,
    networks,
)
from sterna.graph.network import IMAGE, NetworkDescription
from sterna.train.model import patterns


def random_network_graph(
    rng: np.random.Generator,
    name: str,
    height: int,
    width: int,
    *,
    density: float,
    outputs: int = 125,
    balanced: bool = False,
    most: int = 3,
) -> Graph:
    """The network `name` for images of height x width with `density` of its ternary weights nonzero.

    With `balanced` every filter has as many nonzeros as any other in every `BALANCED_BLOCK` of its weights. Weights
    of the first layer and of the head, which are integers, are drawn from -most .. most.
    """
    return random_graph_of(
        rng, networks.describe(name), height, width,
        density=density, outputs=outputs, balanced=balanced, most=most,
    )  # fmt: skip


def random_graph_of(
    rng: np.random.Generator,
    description: NetworkDescription,
    height: int,
    width: int,
    *,
    density: float,
    outputs: int,
    balanced: bool = False,
    most: int = 3,
) -> Graph:
    """As `random_network_graph`, of the network that is described."""
    maps = description.infer(1, height, width)
    channels = {name: info.channels for name, info in maps.items()} | {description.last.name: outputs}
    layers: list[Layer] = [Input(IMAGE, description.image_channels, height, width, 1.0, 0)]
    for layer in description.layers:
        match layer:
            case network.Conv() | network.LastLayer():
                shape = (channels[layer.name], channels[layer.input] // layer.groups, layer.kernel, layer.kernel)
                weights = _integers(rng, shape, most) if layer.bits else _ternary(rng, shape, density, balanced)
                requant = _requant(weights, layer.activation)
                layers.extend(assemble.convolution(layer, weights, requant, 1.0, maps[layer.input]))
            case network.AveragePool():
                count = channels[layer.name]
                layers.append(assemble.average(layer, count, _scaled(count, 1 / layer.kernel**2, "linear"), 1.0))
            case network.Add():
                # Sums of two maps that are as wide as each other: half of the sum is as wide as they.
                requant = _scaled(channels[layer.name], 0.5, layer.activation)
                layers.append(assemble.add(layer, requant, 1.0))
            case _:
                layers.append(layer)
    layers.append(Output("output", layers[-1].name))
    return Graph(tuple(layers), act_bits=8, acc_bits=20)


def passthrough_graph(rng: np.random.Generator, height: int, width: int) -> Graph:
    """YOLOv2's passthrough in small: a conv that a pool and a 1x1 conv read, whose reorg joins the pooled map."""

    def conv(name: str, source: str, shape: tuple[int, ...]) -> Conv:
        return _conv(name, source, _ternary(rng, shape, 0.4, balanced=False), "leaky")

    layers = (
        Input(IMAGE, network.RGB, height, width, 1.0, 0),
        conv("wide", IMAGE, (9, 3, 3, 3)),
        MaxPool("pool", "wide", 2),
        conv("deep", "pool", (6, 9, 3, 3)),
        conv("narrow", "wide", (5, 9, 1, 1)),
        Reorg("reorg", "narrow"),
        Concat("joined", ("reorg", "deep")),
        conv("last", "joined", (7, 26, 3, 3)),
        Output("output", "last"),
    )
    return Graph(layers, act_bits=8, acc_bits=20)


def _integers(rng: np.random.Generator, shape: tuple[int, ...], most: int) -> NDArray[np.int8]:
    """Integers of -most .. most; the head's many inputs get small ones, for the accumulator bound."""
    most = min(most, 3 if shape[1] <= 2048 else 1) if shape[1] > 512 else most
    return rng.integers(-most, most + 1, shape).astype(np.int8)


def _ternary(rng: np.random.Generator, shape: tuple[int, ...], density: float, balanced: bool) -> NDArray[np.int8]:
    draw = rng.random(shape, np.float32)
    kept = _balanced(draw.reshape(shape[0], -1), density).reshape(shape) if balanced else draw < density
    return np.where(rng.random(shape, np.float32) < 0.5, -1, 1).astype(np.int8) * kept


def _balanced(draw: NDArray[np.float32], density: float) -> NDArray[np.bool_]:
    """The smallest of each filter's draws, equally many in every filter and block."""
    kept = np.zeros(draw.shape, bool)
    for number, count in enumerate(patterns.balanced_counts(draw.shape[1], density)):
        block = slice(number * patterns.BALANCED_BLOCK, (number + 1) * patterns.BALANCED_BLOCK)
        chosen = np.argsort(draw[:, block], axis=1)[:, :count]
        np.put_along_axis(kept[:, block], chosen, values=True, axis=1)
    return kept


def _conv(name: str, source: str, weights: NDArray[np.int8], activation: str) -> Conv:
    requant = _requant(weights, activation)
    return Conv(name, source, weights, 1, (weights.shape[2] // 2,) * 4, requant, 1.0)


def _requant(weights: NDArray[np.int8], activation: str) -> Requant:
    """Results as wide as the inputs, if these are random."""
    filters = len(weights)
    spread = max(1.0, np.sqrt(np.count_nonzero(weights) / filters))
    return _scaled(filters, 1 / spread, activation)


def _scaled(filters: int, factor: float, activation: str) -> Requant:
    return Requant(
        np.full(filters, round((1 << 16) * factor), np.int64), np.zeros(filters, np.int64), 16, activation
    )  # fmt: skip
