"""The activation functions: the one table for graph, training, importers, tape and RTL."""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

LOWEST = -(1 << 62)
"""Below every `t` of a graph."""


class Activation(IntEnum):
    """What requantisation does before it rounds: a value of 0 or more stays, a negative one is multiplied by a slope.

    The number is the code on the tape; the name in lower case is what graphs and network descriptions say.
    """

    _value_: int
    #: Of negative values: 0, 1, or a power of two between them, which hardware computes as an arithmetic shift.
    slope: float

    LINEAR = 0, 1.0
    RELU = 1, 0.0
    LEAKY = 2, 1 / 8

    def __new__(cls, code: int, slope: float) -> Activation:
        """The member of this `code`."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.slope = slope
        return member

    @property
    def description(self) -> str:
        """The function in words."""
        return f"multiplies negative values by {self.slope:g}"

    def integers(self, t: NDArray[np.int64]) -> NDArray[np.int64]:
        """The function of `t` of any shape, exact, negative values rounded down."""
        if not self.slope:
            return np.maximum(t, 0)
        return np.where(t < 0, t >> self.fraction_bits, t)

    def least(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The least `t` whose function is at least each of `values`, of any shape and below 2^59; LOWEST if all are."""
        return np.where(values > 0, values, values << self.fraction_bits if self.slope else LOWEST)

    @property
    def fraction_bits(self) -> int:
        """Bits below the point that the function of an integer has; `integers` rounds them away."""
        return -int(math.log2(self.slope)) if self.slope else 0


ACTIVATIONS = {each.name.lower(): each for each in Activation}
"""The activations by the name that graphs and network descriptions have for them."""
