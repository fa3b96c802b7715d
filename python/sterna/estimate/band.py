"""A quantity that is only known to lie between two values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Band:
    """From `low` to `high`, both at least 0."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The value that is as many times above `low` as it is below `high`."""
        return sqrt(self.low * self.high)

    @property
    def factor(self) -> float:
        """How many times; `low` must not be 0."""
        return sqrt(self.high / self.low)

    def __add__(self, other: Band) -> Band:
        return Band(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Band | float) -> Band:
        if isinstance(other, Band):
            return Band(self.low * other.low, self.high * other.high)
        return Band(self.low * other, self.high * other)


def total(bands: Iterable[Band]) -> Band:
    """The sum, of which nothing is known but that of each."""
    return sum(bands, Band(0, 0))
