"""Graphs of the named networks at full size with random ternary weights, for tests of size and speed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph import Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant
from sterna.train import networks


def random_network_graph(
    rng: np.random.Generator, name: str, height: int, width: int, *, density: float, outputs: int = 125
) -> Graph:
    """The network `name` for images of height x width with `density` of its ternary weights nonzero."""
    channels = {networks.IMAGE: 3}
    layers: list[Layer] = [Input(networks.IMAGE, 3, height, width, 1.0, 0)]
    for layer in networks.describe(name):
        match layer:
            case networks.Conv() | networks.Head():
                head = isinstance(layer, networks.Head)
                filters, kernel = (outputs, 1) if head else (layer.filters, layer.kernel)
                weights = _weights(rng, (filters, channels[layer.input], kernel, kernel), layer.bits, density)
                layers.append(_conv(layer.name, layer.input, weights, "linear" if head else "leaky"))
                channels[layer.name] = filters
            case networks.Pool():
                layers.append(MaxPool(layer.name, layer.input, layer.stride))
                channels[layer.name] = channels[layer.input]
            case networks.Reorg():
                layers.append(Reorg(layer.name, layer.input))
                channels[layer.name] = 4 * channels[layer.input]
            case networks.Concat():
                layers.append(Concat(layer.name, layer.inputs))
                channels[layer.name] = sum(channels[part] for part in layer.inputs)
    layers.append(Output("output", layers[-1].name))
    return Graph(tuple(layers), act_bits=8, acc_bits=20)


def _weights(rng: np.random.Generator, shape: tuple[int, ...], bits: int | None, density: float) -> NDArray[np.int8]:
    if bits is not None:
        # Small enough for the accumulator bound of the head's 1024 inputs.
        return rng.integers(-3, 4, shape).astype(np.int8)
    kept = rng.random(shape, np.float32) < density
    return np.where(rng.random(shape, np.float32) < 0.5, -1, 1).astype(np.int8) * kept


def _conv(name: str, source: str, weights: NDArray[np.int8], activation: str) -> Conv:
    filters, _, kernel, _ = weights.shape
    spread = max(1.0, np.sqrt(np.count_nonzero(weights) / filters))
    multiplier = np.full(filters, round((1 << 16) / spread), np.int64)
    requant = Requant(multiplier, np.zeros(filters, np.int64), 16, activation)  # type: ignore[arg-type]
    return Conv(name, source, weights, 1, (kernel // 2,) * 4, requant, 1.0)
