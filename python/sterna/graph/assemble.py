"""The layers of a network description, once their integers are known, as layers of the integer graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph import network
from sterna.graph.infer import TensorInfo
from sterna.graph.layers import Add, Conv, Layer, Reorg, Requant

Padding = network.Padding


def convolution(
    layer: network.Weighted, weights: NDArray[np.int8], requant: Requant, scale: float, source: TensorInfo
) -> tuple[Layer, ...]:
    """What computes `layer`, with its own name last: the reorgs that make its stride smaller, and a convolution.

    weights: int8 [F, C / groups, K, K]. scale: the real value of one step of the result. source: the map that it reads.
    """
    layers: list[Layer] = []
    name, sides, stride = layer.input, layer.sides, layer.stride
    height, width = source.height, source.width
    for number in range(1, layer.reorgs + 1):
        layers.append(Reorg(f"{layer.name}.reorg{number}", name))
        weights, sides = by_phases(weights, sides, stride, height, width)
        name, stride = layers[-1].name, stride // 2
        height, width = height // 2, width // 2
    return *layers, Conv(layer.name, name, weights, stride, sides, requant, scale, groups=layer.groups)


def average(layer: network.AveragePool, channels: int, requant: Requant, scale: float) -> Conv:
    """What computes `layer` on a map of so many channels: a sum of pixels, which `requant` divides."""
    ones = np.ones((channels, 1, layer.kernel, layer.kernel), np.int8)
    return Conv(layer.name, layer.input, ones, layer.stride, network.NO_PADDING, requant, scale, groups=channels)


def add(layer: network.Add, requant: Requant, scale: float) -> Add:
    """What computes `layer`."""
    return Add(layer.name, layer.inputs, requant, scale)


def by_phases(
    weights: NDArray[np.int8], padding: Padding, stride: int, height: int, width: int
) -> tuple[NDArray[np.int8], Padding]:
    """The kernel and the padding that compute from the reorg of a map what `weights` compute from the map.

    weights: [F, C, K, K], for an even `stride` on a map of an even height x width. Result: [F, 4C, K', K'], for half of
    the stride, where weights that the kernel does not have are zeros.
    """
    top, left, bottom, right = padding
    filters, channels, kernel, _ = weights.shape
    up, across = -(-top // 2), -(-left // 2)  # pixels of the reorg before the first one
    size = 1 + max((kernel - 1 - top) // 2 + up, (kernel - 1 - left) // 2 + across)
    made = np.zeros((filters, 4, channels, size, size), weights.dtype)
    for row in range(kernel):
        for column in range(kernel):
            y, x = row - top, column - left
            made[:, 2 * (y % 2) + x % 2, :, y // 2 + up, x // 2 + across] = weights[:, :, row, column]
    low = _after(height, (top, bottom), kernel, stride) + size - up - height // 2
    far = _after(width, (left, right), kernel, stride) + size - across - width // 2
    return made.reshape(filters, 4 * channels, size, size), (up, across, max(0, low), max(0, far))


def _after(length: int, ends: tuple[int, int], kernel: int, stride: int) -> int:
    """Pixels of the reorg from the first window to the last one."""
    return (length + sum(ends) - kernel) // stride * (stride // 2)
