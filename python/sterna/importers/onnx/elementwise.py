"""What the elementwise operators of ONNX and QONNX compute, in numpy and in the tensor's own floating-point type.

Each is a function of one number that never falls, or never rises: also as computed, since rounding to the nearest float
keeps the order. So what one makes of a range of accumulators is known from the accumulators at which it steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Function = Callable[[Values], Values]
"""Of values [F, N], channel by channel."""

ROUNDING: dict[str, Function] = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}
"""Rounding of `Quant`, by its attribute."""


@dataclass(frozen=True)
class Grid:
    """The only values that a tensor has: `scale * (integer - zero)` with an integer of `low` .. `high`."""

    scale: float
    zero: float
    low: float
    high: float

    def integers(self, values: Values) -> NDArray[np.int64]:
        """The integers that `values` stand for; a float is far more exact than half a step of a grid."""
        return np.rint(values.astype(np.float64) / self.scale + self.zero).astype(np.int64)

    @property
    def is_whole(self) -> bool:
        """Whether its values are integers, one after the other."""
        return self.scale == 1 and self.zero == np.rint(self.zero)

    def clipped(self, low: float, high: float) -> Grid:
        """What is left of it between two values of the tensor."""
        ends = (np.rint(np.array([low, high], np.float64) / self.scale + self.zero)).tolist()
        return replace(self, low=max(self.low, ends[0]), high=min(self.high, ends[1]))


def applied(values: Values, functions: Sequence[Function]) -> Values:
    """`values` [F, N] after one function after the other."""
    for function in functions:
        values = function(values)
    return values


INTEGERS = Grid(1.0, 0.0, -np.inf, np.inf)
"""All integers."""


@dataclass(frozen=True)
class Quantiser:
    """QONNX's `Quant`: to integers of a width, by a scale; as a function of values, and the grid of its results."""

    scale: Values
    zero: Values
    bits: float
    signed: bool
    narrow: bool
    rounding: str

    @property
    def is_bipolar(self) -> bool:
        """One signed bit has the values -1 and +1."""
        return self.bits == 1 and self.signed

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest integer."""
        if self.is_bipolar:
            return -1.0, 1.0
        if self.signed:
            return 1.0 * self.narrow - 2.0 ** (self.bits - 1), 2.0 ** (self.bits - 1) - 1
        return 0.0, 2.0**self.bits - 1 - self.narrow

    def integers(self, values: Values) -> Values:
        """The integers of `values`, whose shape scale and zero point fit."""
        scaled = values / self.scale.astype(values.dtype) + self.zero.astype(values.dtype)
        if self.is_bipolar:
            return np.where(scaled >= 0, 1, -1).astype(values.dtype)
        return ROUNDING[self.rounding](np.clip(scaled, *(np.array(end, values.dtype) for end in self.ends)))

    def __call__(self, values: Values) -> Values:
        """The values of the grid that are nearest to `values`."""
        integers = self.integers(values)
        return (integers - self.zero.astype(values.dtype)) * self.scale.astype(values.dtype)

    @property
    def grid(self) -> Grid | None:
        """That of the results; None if each channel has another one."""
        scale, zero = np.unique(self.scale), np.unique(self.zero)
        return Grid(float(scale[0]), float(zero[0]), *self.ends) if len(scale) == len(zero) == 1 else None


@dataclass(frozen=True)
class Thresholds:
    """QONNX's `MultiThreshold`: how many of a channel's thresholds, [F, N] or [1, N], a value has reached."""

    rows: Values
    scale: float
    bias: float

    def __call__(self, values: Values) -> Values:
        """Of values [F, N]."""
        rows = np.sort(np.broadcast_to(self.rows, (len(values), self.rows.shape[1])), axis=1)
        counts = np.stack([np.searchsorted(row, each, side="right") for row, each in zip(rows, values, strict=True)])
        return (self.scale * counts.astype(np.float64) + self.bias).astype(values.dtype)

    @property
    def grid(self) -> Grid:
        """That of the results: with real 0 as integer 0 where one stands for it."""
        first = self.bias / self.scale
        least = first if first == np.rint(first) else 0.0
        return Grid(self.scale, least - first, least, least + self.rows.shape[1])


def normalisation(scale: Values, bias: Values, mean: Values, variance: Values, epsilon: float) -> Function:
    """Batch normalisation as onnxruntime computes it: one factor and one term per channel, [F, 1] each."""
    factor = scale * (1 / np.sqrt(variance + scale.dtype.type(epsilon)))  # in this order, as the floats are rounded
    term = bias - mean * factor
    return lambda values: values * factor + term
