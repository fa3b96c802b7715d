"""Convolutions, products with matrices and means: sums of a map, each times a weight."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sterna.graph.layers import MAX_KERNEL
from sterna.importers.onnx import image
from sterna.importers.onnx.elementwise import Grid
from sterna.importers.onnx.fit import Integers
from sterna.importers.onnx.geometry import Sides, conv_padding, convolved_size, squared, stride_of
from sterna.importers.onnx.model import Constant, Node
from sterna.importers.onnx.nodes.functions import with_constant
from sterna.importers.onnx.sums import ConvSums, spread
from sterna.importers.onnx.tensors import Chain, Map, places

if TYPE_CHECKING:
    from sterna.importers.onnx.reader import Reader

_MOST_WEIGHT = 127
_FLOAT, _INTEGER = np.dtype(np.float32), np.dtype(np.int64)


def conv(reader: Reader, node: Node) -> Chain:
    """A convolution in floats."""
    weights = reader.constant(node, 1)
    return _biased(reader, node, _convolved(reader, node, weights, _FLOAT), 2)


def conv_integer(reader: Reader, node: Node) -> Chain:
    """A convolution of integers, with the zero points of both inputs."""
    given = reader.constant(node, 1)
    zeros = [reader.optional(node, index) for index in (2, 3)]
    zero = 0 if zeros[1] is None else zeros[1].values.astype(np.int64).reshape(-1, *[1] * (given.values.ndim - 1))
    weights = Constant(given.values.astype(np.int64) - zero)
    around = 0 if zeros[0] is None else int(zeros[0].values)
    return _convolved(reader, node, weights, _INTEGER, around)


def _convolved(reader: Reader, node: Node, weights: Constant, kind: np.dtype[Any], zero: int = 0) -> Chain:
    """zero: of the source's integers, beside its grid."""
    view = reader.planes(node)
    channels = view.channels
    if channels is None or weights.values.ndim != 4:
        node.refuse("is no convolution of rows and columns", remedy="export a two-dimensional convolution")
    grid = replace(view.grid, zero=view.grid.zero + zero)
    integers, scale = weights.weights(node, len(weights.values))
    _check_weights(node, integers)
    groups, stride = int(node.attributes.get("group", 1)), stride_of(node)
    if integers.shape[1] * groups != len(channels):
        node.refuse(
            "has weights for other channels than it reads", value=integers.shape, allowed=f"{len(channels)} channels"
        )
    if not np.array_equal(channels, np.arange(view.shape[0])):
        dense = spread(integers, groups)
        integers = np.zeros((len(dense), view.shape[0], *dense.shape[2:]), np.int64)
        integers[:, channels] = dense
        groups = 1
    padding = conv_padding(node, view.shape, integers.shape[2:], stride)
    padding, grid = _padded(reader, node, view, padding, grid)
    integers, padding = squared(integers, padding)
    if integers.shape[2] > MAX_KERNEL:
        node.refuse("has a kernel that is too large", value=integers.shape[2:], allowed=f"sides of 1 .. {MAX_KERNEL}")
    sums = ConvSums.of(view.layer, grid, scale, integers, stride, padding, groups)
    return _chain(sums, convolved_size(view.shape, integers.shape[2], stride, padding), kind)


def _chain(sums: ConvSums, size: tuple[int, int], kind: np.dtype[Any]) -> Chain:
    shape = (len(sums.low), *size)
    return Chain(shape, places(shape), kind, sums)


def _padded(reader: Reader, node: Node, view: Map, padding: Sides, grid: Grid) -> tuple[Sides, Grid]:
    """All that is put around a map, and the grid with the integer that is put there in its range."""
    integers = {view.around} if any(view.padding) else set()
    if any(padding):
        if grid.zero != np.rint(grid.zero):
            node.refuse("pads with a real 0 that is no integer of the map", remedy="use an integer zero point")
        integers.add(int(grid.zero))
    top, left, bottom, right = (a + b for a, b in zip(view.padding, padding, strict=True))
    if len(integers) > 1:
        node.refuse("pads with two values", value=sorted(integers), remedy="pad once")
    for zero in integers:
        reader.draft.families.set_zero(view.layer, zero, node)
        grid = replace(grid, low=min(grid.low, zero), high=max(grid.high, zero))
    return (top, left, bottom, right), grid


def _check_weights(node: Node, integers: Integers) -> None:
    if integers.size and (integers.min() < -_MOST_WEIGHT - 1 or integers.max() > _MOST_WEIGHT):
        node.refuse(
            "has weights that are too large", value=f"{integers.min()} .. {integers.max()}", allowed="-128 .. 127",
            remedy="quantise the weights to 8 bits or less",
        )  # fmt: skip


def _biased(reader: Reader, node: Node, chain: Chain, index: int, factor: float = 1.0) -> Chain:
    bias = reader.optional(node, index)
    if bias is None:
        return chain
    values = (bias.values * bias.values.dtype.type(factor)).reshape(-1, *[1] * (chain.order.ndim - 1))
    return with_constant(reader, node, chain, np.add, values)


def matmul(reader: Reader, node: Node) -> Chain:
    """A product with a constant matrix in floats."""
    return _multiplied(reader, node, reader.constant(node, 1), _FLOAT)


def matmul_integer(reader: Reader, node: Node) -> Chain:
    """A product with a constant matrix of integers."""
    given = reader.constant(node, 1)
    zero = reader.optional(node, 3)
    weights = given.values.astype(np.int64) - (0 if zero is None else zero.values.astype(np.int64))
    if (first := reader.optional(node, 2)) is not None and first.values.any():
        node.refuse("has a zero point of the first input", remedy="quantise it symmetrically")
    return _multiplied(reader, node, Constant(weights), _INTEGER)


def gemm(reader: Reader, node: Node) -> Chain:
    """A product with a constant matrix, and a bias."""
    weights = reader.constant(node, 1)
    if node.attributes.get("transA"):
        node.refuse("is transposed in its first input")
    if node.attributes.get("alpha", 1.0) != 1:
        node.refuse("has a factor", attribute="alpha", value=node.attributes["alpha"], allowed="1")
    matrix = weights.transposed() if node.attributes.get("transB") else weights
    chain = _multiplied(reader, node, matrix, _FLOAT)
    return _biased(reader, node, chain, 2, node.attributes.get("beta", 1.0))


def _multiplied(reader: Reader, node: Node, weights: Constant, kind: np.dtype[Any]) -> Chain:
    """A product with a matrix [K, F]: a convolution as large as the map, or of single pixels."""
    view = reader.map(node)
    if weights.values.ndim != 2:
        node.refuse("is no product with a matrix", value=weights.values.shape)
    matrix = weights.transposed()
    integers, scale = matrix.weights(node, len(matrix.values))
    _check_weights(node, integers)
    if view.order.ndim == 1:
        return _connected(reader, node, view, integers, scale, kind)
    channels = view.moved(lambda order: np.moveaxis(order, -1, 0)).channels if view.order.ndim == 3 else None
    if channels is None:
        node.refuse("reads a tensor that is no vector and has no channels at its end", value=view.order.shape)
    spread_over = np.zeros((len(integers), view.shape[0], 1, 1), np.int64)
    spread_over[:, channels, 0, 0] = integers
    sums = ConvSums.of(view.layer, view.grid, scale, spread_over, 1, (0, 0, 0, 0), 1)
    return _chain(sums, view.shape[1:], kind).moved(lambda order: np.moveaxis(order, 0, -1))


def _connected(reader: Reader, node: Node, view: Map, integers: Integers, scale: Any, kind: np.dtype[Any]) -> Chain:
    view = _small(reader, node, view)
    channels, height, width = view.shape
    weights = np.zeros((len(integers), channels * height * width), np.int64)
    weights[:, view.order] = integers
    weights, padding = squared(weights.reshape(-1, channels, height, width), (0, 0, 0, 0))
    sums = ConvSums.of(view.layer, view.grid, scale, weights, 1, padding, 1)
    return _chain(sums, (1, 1), kind).moved(lambda order: order.ravel())


def _small(reader: Reader, node: Node, view: Map) -> Map:
    """The same elements in a map whose sides are those of a kernel: its pixels become channels."""
    while max(view.shape[1:]) > MAX_KERNEL and not any(side % 2 for side in view.shape[1:]):
        view = reader.draft.reorganised(f"{view.layer}.reorg", view)
    if max(view.shape[1:]) <= MAX_KERNEL:
        return view
    made = image.reshaped(reader.draft, view, (view.order.size, 1, 1))
    if made is None:
        node.refuse(
            "reads all pixels of a map that is too large", value=view.shape[1:],
            allowed=f"sides of 1 .. {MAX_KERNEL}, or even ones", remedy="pool before it",
        )  # fmt: skip
    return made


def average_pool(reader: Reader, node: Node) -> Chain:
    """Means of windows, or of whole maps."""
    view = reader.planes(node)
    channels = view.channels
    assert channels is not None
    if node.operator == "AveragePool":
        kernel, stride = tuple(node.attributes["kernel_shape"]), stride_of(node)
        padding = conv_padding(node, view.shape, kernel, stride)
        if (any(padding) and not node.attributes.get("count_include_pad")) or node.attributes.get("ceil_mode"):
            node.refuse("leaves what is around the map out of its means", remedy="pool without padding")
    else:
        _check_axes(reader, node)
        kernel, stride, padding = view.shape[1:], 1, (0, 0, 0, 0)
    grid = view.grid
    padding, grid = _padded(reader, node, view, padding, grid)
    weights, padding = squared(np.ones((view.shape[0], 1, *kernel), np.int64), padding)
    if weights.shape[2] > MAX_KERNEL:
        node.refuse("takes the mean of too many pixels", value=kernel, allowed=f"sides of 1 .. {MAX_KERNEL}")
    scale = np.full(len(weights), 1 / np.prod(kernel))
    sums = ConvSums.of(view.layer, grid, scale, weights, stride, padding, view.shape[0])
    size = convolved_size(view.shape, weights.shape[2], stride, padding)
    chain = _chain(sums, size, _FLOAT).moved(lambda order: order[channels])
    keeps = node.operator != "ReduceMean" or node.attributes.get("keepdims", 1)
    return chain if keeps else chain.moved(lambda order: order[:, 0, 0])


def _check_axes(reader: Reader, node: Node) -> None:
    if node.operator != "ReduceMean":
        return
    given = reader.optional(node, 1)
    axes = node.attributes.get("axes") if given is None else given.values.tolist()
    if axes is None or sorted(axis % 4 for axis in axes) != [2, 3]:
        node.refuse("takes means of other axes than rows and columns", value=axes, allowed="2, 3")
