"""Nodes that compute a function of each element, and sums of two maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from sterna.importers.onnx import image
from sterna.importers.onnx.elementwise import (
    INTEGERS,
    ROUNDING,
    Function,
    Grid,
    Thresholds,
    Values,
    applied,
    normalisation,
)
from sterna.importers.onnx.model import Node, quantiser
from sterna.importers.onnx.nodes.moves import check_alike
from sterna.importers.onnx.sums import AddSums, ConvSums
from sterna.importers.onnx.tensors import Chain, Map

if TYPE_CHECKING:
    from sterna.importers.onnx.reader import Reader

_MOST_WEIGHT = 127
Binary = Callable[[Any, Any], Any]
"""One of numpy's functions of two arrays."""


def two(reader: Reader, node: Node, function: Binary) -> Map | Chain:
    """A sum, difference, product, quotient, least or largest of a tensor and a constant, or of two tensors."""
    constants = [reader.is_constant(name) for name in node.inputs]
    if len(constants) == 2 and constants[1]:
        constant = reader.constant(node, 1).values
        scaled = _scaled(reader, node, function, constant)
        return scaled or with_constant(reader, node, reader.chain(node), function, constant)
    if len(constants) == 2 and constants[0] and function is not np.divide:
        constant = reader.constant(node, 0).values
        turned = replace(node, inputs=node.inputs[::-1])
        chain = reader.chain(turned)
        if function is np.subtract:
            function, chain = np.add, chain.then(np.negative, is_affine=True)
        return with_constant(reader, turned, chain, function, constant)
    if len(constants) == 2 and function in (np.add, np.subtract):
        return _added(reader, node, 1 if function is np.add else -1)
    if len(constants) == 2 and function in (np.maximum, np.minimum):
        return _extreme(reader, node, function)
    node.refuse("combines tensors of the model", allowed="a tensor with a constant, or the sum of two tensors")


def _scaled(reader: Reader, node: Node, function: Binary, constant: Values) -> Map | None:
    """A map times a number, which changes only what its integers stand for; None for anything else.

    The number is above 0 or, for what is only added to another map, of either sign.
    """
    number = float(constant.ravel()[0]) if constant.size == 1 else 0.0
    is_term = reader.is_term(node)
    if function not in (np.multiply, np.divide) or not (number > 0 or (is_term and number < 0)):
        return None
    view = reader.map(node) if is_term else reader.view(node)
    if not isinstance(view, Map) or any(view.padding):
        return None
    return replace(view, grid=replace(view.grid, scale=float(function(np.float64(view.grid.scale), number))))


def with_constant(reader: Reader, node: Node, chain: Chain, function: Binary, constant: Values) -> Chain:
    """Accumulators combined with a constant."""
    values = reader.by_channel(node, image.known(node, chain), constant)
    numbers = np.unique(values.astype(np.float64))
    grid = chain.grid and (_combined(chain.grid, function, float(numbers[0])) if len(numbers) == 1 else None)
    is_affine = function not in (np.maximum, np.minimum)
    return chain.then(lambda each: function(each, values), grid, is_affine=is_affine)


def _combined(grid: Grid, function: Binary, number: float) -> Grid | None:
    """The grid of its values combined with a number; None if that turns it around."""
    if function in (np.maximum, np.minimum):
        return grid.clipped(*((number, np.inf) if function is np.maximum else (-np.inf, number)))
    if function in (np.add, np.subtract):
        return replace(grid, zero=grid.zero - float(function(0.0, number)) / grid.scale)
    return replace(grid, scale=float(function(np.float64(grid.scale), number))) if number > 0 else None


def _added(reader: Reader, node: Node, sign: int) -> Chain:
    """The sum or difference of two maps, whose scales are small integers times a common one."""
    a, b = (reader.draft.in_order(reader.map(node, index)) for index in (0, 1))
    if a.shape != b.shape or not np.array_equal(a.order, b.order):
        node.refuse("adds maps of different shapes", value=f"{a.shape}, {b.shape}", remedy="make them alike")
    ratio = Fraction(a.grid.scale) / Fraction(b.grid.scale)
    weights = ratio.numerator, sign * ratio.denominator
    if max(weights) > _MOST_WEIGHT:  # the least weight is one further from 0
        weights = -weights[0], -weights[1]
    if max(weights) > _MOST_WEIGHT or min(weights) < -_MOST_WEIGHT - 1:
        node.refuse(
            "adds maps whose scales are no small integers times a common one",
            value=f"{a.grid.scale}, {b.grid.scale}", remedy="quantise both alike, such as by one QuantIdentity",
        )  # fmt: skip
    if weights[0] == weights[1]:
        check_alike(node, (a, b))
        reader.draft.families.join([a.layer, b.layer])
    sums = AddSums.of(a.shape[0], (a.layer, b.layer), (a.grid, b.grid), weights)
    kinds = [view.kind for view in (a, b) if view.kind.kind == "f"]
    return Chain(a.shape, a.order, np.result_type(*kinds) if kinds else np.dtype(np.int64), sums)


def _extreme(reader: Reader, node: Node, function: Binary) -> Chain:
    """The least or largest of two functions of the same accumulators."""
    a, b = (reader.view(node, index) for index in (0, 1))
    if not isinstance(a, Chain) or not isinstance(b, Chain) or a.sums is not b.sums or a.pools or b.pools:
        node.refuse("combines tensors of the model", allowed="functions of one tensor that rise or fall together")
    if (a.direction() * b.direction() < 0).any():
        node.refuse("combines a function that rises with one that falls")
    both = (a.functions, b.functions)
    function_of_both = lambda values: function(*(applied(values, functions) for functions in both))  # noqa: E731
    return replace(a, functions=(function_of_both,), grid=None, is_affine=False)


def _of_one(reader: Reader, node: Node, function: Function, grid: Callable[[Grid | None], Grid | None]) -> Chain:
    chain = image.known(node, reader.chain(node))
    return chain.then(function, grid(chain.grid))


def relu(reader: Reader, node: Node) -> Chain:
    """Negative values as 0."""
    return _of_one(reader, node, lambda v: np.maximum(v, v.dtype.type(0)), lambda g: g and g.clipped(0, np.inf))


def leaky_relu(reader: Reader, node: Node) -> Chain:
    """Negative values times a slope."""
    slope = node.attributes.get("alpha", 0.01)
    return _sloped(reader, node, np.full((1, 1), slope))


def _sloped(reader: Reader, node: Node, slope: Values) -> Chain:
    if (slope < 0).any():
        node.refuse("falls and rises", attribute="slope", value=slope.min(), allowed="0 or more")
    return _of_one(reader, node, lambda v: np.where(v < 0, v * slope.astype(v.dtype), v), lambda g: None)


def prelu(reader: Reader, node: Node) -> Chain:
    """The same with slopes by channel."""
    slopes = reader.constant(node, 1).values
    return _sloped(reader, node, reader.by_channel(node, reader.view(node), slopes))


def clip(reader: Reader, node: Node) -> Chain:
    """Values between two ends, such as those of HardTanh."""
    ends = [node.attributes.get("min"), node.attributes.get("max")]
    for index in (1, 2):
        if (given := reader.optional(node, index)) is not None:
            ends[index - 1] = float(given.values)
    low, high = -np.inf if ends[0] is None else ends[0], np.inf if ends[1] is None else ends[1]
    function = lambda values: np.clip(values, *np.array([low, high], np.result_type(values, np.float32)))  # noqa: E731
    return _of_one(reader, node, function, lambda grid: grid and grid.clipped(low, high))


def rounded(reader: Reader, node: Node) -> Chain:
    """Whole numbers."""
    function = ROUNDING[node.operator.upper()]
    return _of_one(reader, node, function, lambda grid: grid if grid and grid.is_whole else INTEGERS)


def cast(reader: Reader, node: Node) -> Map | Chain:
    """Another type."""
    kind = np.dtype(helper.tensor_dtype_to_np_dtype(node.attributes["to"]))
    kind = np.dtype(np.int64) if kind.kind in "iu" else kind
    view = reader.view(node)
    if kind.kind not in "iuf":
        node.refuse("casts to what is no number", attribute="to", value=kind)
    if isinstance(view, Map):
        if kind.kind == "i" and not view.grid.is_whole:
            node.refuse("casts scaled values to integers", remedy="quantise them")
        return replace(view, kind=kind)
    if not view.functions and isinstance(view.sums, AddSums | ConvSums) and kind.kind == "f":
        return replace(view, kind=kind) if view.kind.kind == "i" else view.then(lambda v: v.astype(kind), view.grid)
    grid = view.grid if kind.kind == "f" or view.grid is None or view.grid.is_whole else None
    return view.then(lambda v: v.astype(kind), grid or (INTEGERS if kind.kind == "i" else None))


def negative(reader: Reader, node: Node) -> Chain:
    """The other sign."""
    chain = image.known(node, reader.chain(node))
    return chain.then(np.negative, is_affine=True)


def batch_norm(reader: Reader, node: Node) -> Chain:
    """Batch normalisation with constants."""
    chain = image.known(node, reader.chain(node))
    given = [reader.constant(node, index).values for index in range(1, 5)]
    shape = -1, *[1] * (chain.order.ndim - 1)
    numbers = [reader.by_channel(node, chain, each.reshape(shape)) for each in given]
    if (numbers[3] < 0).any():
        node.refuse("has a variance below 0")
    scale, bias, mean, variance = numbers
    function = normalisation(scale, bias, mean, variance, node.attributes.get("epsilon", 1e-5))
    return chain.then(function, is_affine=True)


def quant(reader: Reader, node: Node) -> Chain:
    """Quantisation; of the image alone, that also says what its integers stand for."""
    chain = reader.chain(node)
    made = quantiser(node, [None, *(reader.constant(node, index) for index in range(1, len(node.inputs)))])
    if image.is_unknown(chain) and not chain.functions:
        chain = image.of_quantiser(node, chain, made)
    image.known(node, chain)
    scale, zero = (reader.by_channel(node, chain, np.asarray(each)) for each in (made.scale, made.zero))
    made = replace(made, scale=scale, zero=zero)
    if made.grid is None:
        node.refuse("quantises each channel by another scale", remedy="quantise activations by tensor")
    return chain.then(made, made.grid)


def multi_threshold(reader: Reader, node: Node) -> Chain:
    """How many thresholds are reached."""
    chain = image.known(node, reader.chain(node))
    rows = reader.constant(node, 1).values
    last = node.text("data_layout", "NCHW").endswith("C") and chain.order.ndim == 3
    view = chain.moved(lambda order: np.moveaxis(order, -1, 0)) if last else chain
    channels = view.channels
    if len(rows) > 1:
        if channels is None or len(rows) != len(channels):
            node.refuse("has thresholds for other channels than it reads", value=rows.shape)
        rows = rows[np.argsort(channels)]
    made = Thresholds(rows, node.attributes.get("out_scale", 1.0), node.attributes.get("out_bias", 0.0))
    if made.scale <= 0:
        node.refuse("counts downwards", attribute="out_scale", value=made.scale, allowed="more than 0")
    return chain.then(made, made.grid)


def gather(reader: Reader, node: Node) -> Chain:
    """A table that is looked up: of the image alone, as it may rise and fall."""
    values, view = reader.constant(node, 0).values, reader.view(node, 1)
    if values.ndim != 1 or not isinstance(view, Chain) or not view.is_image:
        node.refuse("gathers otherwise than from a table, by the image")
    entries = lambda each: values[np.clip(each.astype(np.int64), 0, len(values) - 1)]  # noqa: E731
    return image.known(node, view).then(entries)
