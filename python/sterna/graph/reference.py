"""The integer reference: THE specification of what every executor of a graph computes, written for clarity.

Convolution runs in double precision on integers. The graph's accumulator bound keeps every partial sum below
2^31, far inside the 2^53 up to which doubles hold integers exactly, so the order of summation is free.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import Add, Concat, Conv, Input, Layer, MaxPool, Output, Reorg, Requant
from sterna.spec.activations import ACTIVATIONS

Tensor = NDArray[np.int8]


def execute(graph: Graph, image: NDArray[np.int8]) -> dict[str, Tensor]:
    """Every layer's tensor, int8 [N, C, H, W], by layer name.

    `image` is int8 [N, C, H, W] or [C, H, W] (then N = 1), 8-bit values (rgb - 128) whatever the graph's
    activation width: the Input layer shifts them right to it or looks them up. Raises SternaError if the image does
    not fit the graph's Input.
    """
    tensors: dict[str, Tensor] = {}
    for layer in graph.layers:
        if isinstance(layer, Input):
            tensors[layer.name] = _input(graph, layer, _batch(graph, image))
        else:
            sources = (tensors[name] for name in layer.sources)
            tensors[layer.name] = _COMPUTE[type(layer)](graph, layer, *sources)
    return tensors


def _batch(graph: Graph, image: NDArray[np.int8]) -> Tensor:
    expected = graph.info[graph.input.name].shape
    batch = image[np.newaxis] if image.ndim == 3 else image
    if batch.dtype != np.int8 or batch.ndim != 4 or batch.shape[1:] != expected or not len(batch):
        raise SternaError(
            "the image does not fit the graph", where=f"layer '{graph.input.name}'", attribute="image",
            value=f"{image.dtype} {image.shape}", remedy="resize the image and subtract 128",
            allowed=f"int8 [N, C, H, W] with C, H, W = {expected}, N at least 1",
        )  # fmt: skip
    return batch


def _input(graph: Graph, layer: Input, images: Tensor) -> Tensor:
    if layer.table is None:
        return images >> (8 - graph.act_bits)
    levels = images.astype(np.int64) - np.iinfo(np.int8).min
    return layer.table[np.arange(layer.channels)[:, np.newaxis, np.newaxis], levels]


def convolve(tensor: Tensor, conv: Conv, zero_point: int) -> NDArray[np.int64]:
    """Accumulators [N, F, H', W'] of `conv` on `tensor` [N, C, H, W], padded with `zero_point`."""
    top, left, bottom, right = conv.padding
    around = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(tensor, around, constant_values=zero_point).astype(np.float64)
    weights = torch.from_numpy(conv.weights.astype(np.float64))
    sums = torch.nn.functional.conv2d(torch.from_numpy(padded), weights, stride=conv.stride, groups=conv.groups)
    return sums.numpy().astype(np.int64)


def requantise(sums: NDArray[np.int64], requant: Requant, act_min: int, act_max: int) -> Tensor:
    """Activations of accumulators [N, F, H, W]; see `Requant`."""
    t = sums * requant.multiplier[:, np.newaxis, np.newaxis] + requant.bias[:, np.newaxis, np.newaxis]
    rounded = _to_even(t, requant) if requant.half_even and requant.shift else _up(t, requant)
    activations: Tensor = np.clip(rounded, *requant.limits(act_min, act_max)).astype(np.int8)
    return activations


def _up(t: NDArray[np.int64], requant: Requant) -> NDArray[np.int64]:
    return (ACTIVATIONS[requant.activation].integers(t) + requant.half) >> requant.shift


def _to_even(t: NDArray[np.int64], requant: Requant) -> NDArray[np.int64]:
    """Ties are told before the slope's fraction is rounded away, with integers that have room for it."""
    activation = ACTIVATIONS[requant.activation]
    shift = requant.shift + activation.fraction_bits
    raised = activation.integers(t << activation.fraction_bits) + (1 << (shift - 1))
    is_tie = raised & ((1 << shift) - 1) == 0
    rounded = raised >> shift
    return rounded - (rounded & is_tie)


def _conv(graph: Graph, layer: Conv, tensor: Tensor) -> Tensor:
    sums = convolve(tensor, layer, graph.info[layer.input].zero_point)
    return requantise(sums, layer.requant, graph.act_min, graph.act_max)


def _add(graph: Graph, layer: Add, a: Tensor, b: Tensor) -> Tensor:
    sums = layer.weights[0] * a.astype(np.int64) + layer.weights[1] * b.astype(np.int64)
    return requantise(sums, layer.requant, graph.act_min, graph.act_max)


def _max_pool(graph: Graph, layer: MaxPool, tensor: Tensor) -> Tensor:
    top, left, bottom, right = layer.padding
    # Every window holds a pixel, and none is less than the least activation.
    padded = np.pad(tensor, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=graph.act_min)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.kernel, layer.kernel), axis=(2, 3))
    most: Tensor = windows[:, :, :: layer.stride, :: layer.stride].max(axis=(4, 5))
    return most


def _reorg(graph: Graph, layer: Reorg, tensor: Tensor) -> Tensor:
    return np.concatenate([tensor[:, :, p // 2 :: 2, p % 2 :: 2] for p in range(4)], axis=1)


def _concat(graph: Graph, layer: Concat, *tensors: Tensor) -> Tensor:
    return np.concatenate(tensors, axis=1)


def _output(graph: Graph, layer: Output, tensor: Tensor) -> Tensor:
    return tensor


_COMPUTE: dict[type[Layer], Callable[..., Tensor]] = {
    Conv: _conv,
    MaxPool: _max_pool,
    Reorg: _reorg,
    Concat: _concat,
    Add: _add,
    Output: _output,
}
