"""The rules for a single layer: the type and range of every attribute."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sterna.errors import SternaError
from sterna.graph.layers import (
    BIAS_BITS,
    KINDS,
    LEAST_POOL,
    LEVELS,
    MAX_KERNEL,
    MAX_PADDING,
    MAX_SHIFT,
    MAX_SIZE,
    MULTIPLIER_BITS,
    STRIDES,
    Add,
    Conv,
    Input,
    Layer,
    ManyInputs,
    MaxPool,
    OneInput,
    Requant,
)
from sterna.spec.activations import ACTIVATIONS

NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")
SIDES = ("top", "left", "bottom", "right")
WEIGHTS = (-128, 127)
"""Least and largest weight."""
Check = Callable[[Any], None]


def where(layer: Layer) -> str:
    """The name of a layer in messages."""
    return f"layer '{layer.name}'"


def check_integer(place: str, attribute: str, value: object, low: int, high: int, remedy: str) -> None:
    """Refuse anything but an integer in low .. high."""
    if type(value) is not int or not low <= value <= high:
        raise SternaError(
            "is not an integer in range", where=place, attribute=attribute, value=value,
            allowed=f"integers {low} .. {high}", remedy=remedy,
        )  # fmt: skip


def check_metadata(metadata: object) -> dict[str, Any]:
    """A copy of the metadata as JSON would carry it."""
    try:
        copy = json.loads(json.dumps(metadata, allow_nan=False))
        reason = f"a {type(metadata).__name__}"
    except (TypeError, ValueError, RecursionError) as error:
        copy, reason = None, str(error)
    if not isinstance(copy, dict):
        raise SternaError(
            "is not JSON", where="graph", attribute="metadata", value=reason,
            allowed="a dict of finite numbers, strings, booleans, lists and dicts",
            remedy="convert the values first",
        )  # fmt: skip
    return copy


def check_layer(
    layer: object,
    kinds: Collection[type[Layer]] | None = None,
    checks: Mapping[type[Layer], Check] | None = None,
    place: str = "graph",
) -> None:
    """Refuse an object that is not a layer, or a layer with an attribute of the wrong type or out of range.

    kinds: of the layers that are allowed. checks: of the attributes of a kind beside its name and inputs. None: those
    of the integer graph. place: what holds the layer.
    """
    kinds = KINDS.values() if kinds is None else kinds
    if not isinstance(layer, Layer) or type(layer) not in kinds:
        raise SternaError(
            "holds an object that is not a layer", where=place, attribute="layers", value=type(layer).__name__,
            allowed=", ".join(kind.__name__.lower() for kind in kinds),
            remedy="build it from the layers of sterna.graph",
        )  # fmt: skip
    if not isinstance(layer.name, str) or not NAME.fullmatch(layer.name):
        raise SternaError(
            "a layer has an invalid name", where=place, attribute="name", value=repr(layer.name),
            allowed="1 .. 128 of A-Z a-z 0-9 _ . / -", remedy="rename the layer",
        )  # fmt: skip
    if isinstance(layer, OneInput):
        check_inputs(layer, "input", (layer.input,), 1, 1)
    elif isinstance(layer, ManyInputs):
        check_inputs(layer, "inputs", layer.inputs, 2, MAX_SIZE)
    check = (CHECKS if checks is None else checks).get(type(layer))
    if check is not None:
        check(layer)


def check_sources(layer: Layer, taken: Collection[str], readable: Collection[str]) -> None:
    """Refuse a layer whose name is `taken`, or that reads what is not `readable`."""
    if layer.name in taken:
        raise SternaError(
            "appears twice", where=where(layer), attribute="name", value=layer.name,
            allowed="a unique name", remedy="rename one of the layers",
        )  # fmt: skip
    for source in layer.sources:
        if source not in readable:
            raise SternaError(
                "reads a tensor that no earlier layer provides", where=where(layer), attribute="input",
                value=repr(source), allowed=f"any of: {', '.join(readable) or 'none'}",
                remedy="correct the name or the order of the layers",
            )  # fmt: skip


def check_reached(layers: Sequence[Layer], end: type[Layer]) -> None:
    """Refuse a layer that no layer of the kind `end` depends on."""
    used: set[str] = set()
    for layer in reversed(layers):
        if isinstance(layer, end) or layer.name in used:
            used.update(layer.sources)
        else:
            raise SternaError(
                f"reaches no {end.__name__.lower()}", where=where(layer),
                allowed=f"layers that lead to the {end.__name__.lower()}",
                remedy="remove the layer, or let another read it",
            )  # fmt: skip


def check_activation(layer: Layer, attribute: str, activation: object) -> None:
    """Refuse what is not the name of an activation."""
    if activation not in list(ACTIVATIONS):  # a list: what a file says may have no hash
        raise SternaError(
            "has an unknown activation", where=where(layer), attribute=attribute, value=repr(activation),
            allowed=", ".join(ACTIVATIONS), remedy="train with one of these",
        )  # fmt: skip


def _check_scale(layer: Input | Conv | Add) -> None:
    if type(layer.scale) not in (int, float) or not 0 < layer.scale <= sys.float_info.max:
        raise SternaError(
            "has an invalid scale", where=where(layer), attribute="scale", value=layer.scale,
            allowed="positive finite numbers", remedy="calibrate or train the layer's scale again",
        )  # fmt: skip


def check_inputs(layer: Layer, attribute: str, names: object, least: int, most: float) -> None:
    """Refuse anything but `least` .. `most` names."""
    names_ok = isinstance(names, tuple) and all(isinstance(name, str) for name in names)
    if not (names_ok and least <= len(names) <= most):  # type: ignore[arg-type]
        count = f"exactly {least}" if least == most else f"at least {least}"
        raise SternaError(
            "has a wrong number or type of inputs", where=where(layer), attribute=attribute, value=names,
            allowed="the name of an earlier layer" if most == 1 else f"{count} names of earlier layers",
            remedy="name the layers that it reads",
        )  # fmt: skip


def _check_array(layer: Layer, attribute: str, value: object, dtype: DTypeLike, shape: str, fits: bool) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        found = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise SternaError(
            "has an array of the wrong type", where=where(layer), attribute=attribute, value=found,
            allowed=f"{np.dtype(dtype)} array", remedy="round and convert it before building the graph",
        )  # fmt: skip
    if not fits:
        raise SternaError(
            "has an array of the wrong shape", where=where(layer), attribute=f"{attribute}.shape",
            value=value.shape, allowed=shape, remedy="check the export of this layer",
        )  # fmt: skip


def check_integers(
    layer: Layer, attribute: str, values: object, names: tuple[str, ...], limits: tuple[int, int], remedy: str
) -> None:
    """Refuse anything but a tuple of integers in range, one for each name."""
    if not isinstance(values, tuple) or len(values) != len(names):
        raise SternaError(
            f"has invalid {attribute}", where=where(layer), attribute=attribute, value=values,
            allowed=f"({', '.join(names)})", remedy=f"give {len(names)} integers",
        )  # fmt: skip
    for name, value in zip(names, values, strict=True):
        check_integer(where(layer), f"{attribute} {name}", value, *limits, remedy)


def _shape(value: object) -> tuple[int, ...]:
    return value.shape if isinstance(value, np.ndarray) else ()


def check_requant(layer: Conv | Add, filters: int) -> None:
    """Refuse requantisation that is out of range or not made for `filters` filters."""
    requant = layer.requant
    if not isinstance(requant, Requant):
        raise SternaError(
            "has no requantisation", where=where(layer), attribute="requant", value=type(requant).__name__,
            allowed="a Requant", remedy="give multiplier, bias, shift and activation",
        )  # fmt: skip
    expected = f"({filters},), one per filter"
    for attribute, low, high in (
        ("multiplier", 0, (1 << MULTIPLIER_BITS) - 1),
        ("bias", 1 - (1 << BIAS_BITS), (1 << BIAS_BITS) - 1),
    ):
        values = getattr(requant, attribute)
        _check_array(layer, f"requant.{attribute}", values, np.int64, expected, _shape(values) == (filters,))
        bad = np.flatnonzero((values < low) | (values > high))
        if bad.size:
            raise SternaError(
                "requantisation out of range", where=where(layer), attribute=f"requant.{attribute}[{bad[0]}]",
                value=values[bad[0]], allowed=f"{low} .. {high}", remedy="choose a smaller shift",
            )  # fmt: skip
    check_integer(where(layer), "requant.shift", requant.shift, 0, MAX_SHIFT, "scale the multipliers to fit")
    check_activation(layer, "requant.activation", requant.activation)
    if type(requant.half_even) is not bool:
        raise SternaError(
            "has an unknown rounding", where=where(layer), attribute="requant.half_even", value=requant.half_even,
            allowed="True, False", remedy="say whether a tie goes to the even result",
        )  # fmt: skip


def _check_input(layer: Input) -> None:
    for attribute in ("channels", "height", "width"):
        check_integer(where(layer), attribute, getattr(layer, attribute), 1, MAX_SIZE, "resize the image")
    _check_scale(layer)
    if layer.table is not None:
        fits = _shape(layer.table) == (layer.channels, LEVELS)
        _check_array(layer, "table", layer.table, np.int8, f"({layer.channels}, {LEVELS})", fits)


def check_activations(layer: Input | Conv | Add, act_min: int, act_max: int) -> None:
    """Refuse a zero point, a clamp or a table that holds anything but the graph's activations."""
    check_integer(
        where(layer), "zero_point", layer.zero_point, act_min, act_max, "choose the integer that represents real 0"
    )  # fmt: skip
    if isinstance(layer, Input):
        _check_table(layer, act_min, act_max)
    elif layer.requant.clamp is not None:
        _check_clamp(layer, layer.requant.clamp, act_min, act_max)


def _check_clamp(layer: Conv | Add, clamp: object, act_min: int, act_max: int) -> None:
    fits = isinstance(clamp, tuple) and len(clamp) == 2 and all(type(end) is int for end in clamp)
    if not fits or not act_min <= clamp[0] < clamp[1] <= act_max:  # type: ignore[index]
        raise SternaError(
            "has an invalid clamp", where=where(layer), attribute="requant.clamp", value=clamp,
            allowed=f"(low, high), {act_min} <= low < high <= {act_max}",
            remedy="clip to activations of the graph's width",
        )  # fmt: skip


def _check_table(layer: Input, act_min: int, act_max: int) -> None:
    if layer.table is None:
        return
    bad = np.argwhere((layer.table < act_min) | (layer.table > act_max))
    if len(bad):
        channel, level = bad[0]
        raise SternaError(
            "has a table that holds other values than activations", where=where(layer),
            attribute=f"table[{channel}, {level}]", value=layer.table[channel, level],
            allowed=f"{act_min} .. {act_max}", remedy="clip the table to the activation's width",
        )  # fmt: skip


def check_groups(layer: Layer, filters: int) -> None:
    """Refuse `groups` of a layer that do not divide its filters."""
    groups = layer.groups  # type: ignore[attr-defined]
    check_integer(where(layer), "groups", groups, 1, MAX_SIZE, "use fewer groups")
    if filters % groups:
        raise SternaError(
            "cannot divide its filters into groups of equal size", where=where(layer), attribute="groups", value=groups,
            allowed=f"divisors of {filters}", remedy="choose one of these, or another number of filters",
        )  # fmt: skip


def _check_conv(layer: Conv) -> None:
    shape = _shape(layer.weights)
    fits = len(shape) == 4 and min(shape) >= 1 and shape[2] == shape[3] <= MAX_KERNEL
    allowed = f"[filters, channels, K, K], K 1 .. {MAX_KERNEL}"
    _check_array(layer, "weights", layer.weights, np.int8, allowed, fits)
    check_integer(where(layer), "stride", layer.stride, STRIDES[0], STRIDES[-1], "use a stride of 1 or 2")
    check_integers(layer, "padding", layer.padding, SIDES, (0, MAX_PADDING), "pad in a layer before it")
    check_groups(layer, len(layer.weights))
    _check_scale(layer)


def _check_max_pool(layer: MaxPool) -> None:
    check_integer(where(layer), "stride", layer.stride, STRIDES[0], STRIDES[-1], "use a stride of 1 or 2")
    remedy = "pool by several layers, one after the other"
    check_integer(where(layer), "kernel", layer.kernel, LEAST_POOL, MAX_KERNEL, remedy)
    remedy = "use a window that no padding fills"
    check_integers(layer, "padding", layer.padding, SIDES, (0, layer.kernel - 1), remedy)


def _check_add(layer: Add) -> None:
    check_inputs(layer, "inputs", layer.inputs, 2, 2)
    _check_scale(layer)
    remedy = "scale both weights alike, or the inputs before"
    check_integers(layer, "weights", layer.weights, ("first", "second"), WEIGHTS, remedy)
    if 0 in layer.weights:
        raise SternaError(
            "has an input that adds nothing", where=where(layer), attribute="weights", value=layer.weights,
            allowed="two integers that are not 0", remedy="requantise the other input in a convolution",
        )  # fmt: skip


CHECKS: dict[type[Layer], Check] = {
    Input: _check_input,
    Conv: _check_conv,
    MaxPool: _check_max_pool,
    Add: _check_add,
}
