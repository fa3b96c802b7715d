"""Requantisation for given steps: the multiplier, bias and shift that put every step of a filter where it belongs.

A filter is a staircase: its activation, by its accumulator, which never falls. Requantisation gives the activation `y`
if `t = s * M + B` is within certain bounds (`_least`), and `t` rises with `s`. So each tread says two things: at its
first accumulator `t` has reached the bound of `y`, at its last one not yet that of `y + 1`. For a given shift these are
linear inequalities in M and B. For a given M they leave an interval of B, whose length is concave in M: where it is
longest is found by bisection, in integers, and if it is empty there, there is no solution.

Whatever a shift can do, the next one can as well with M and B doubled, until M is too large. So filters that do not
share a shift are split into groups that do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.graph.layers import BIAS_BITS, MAX_SHIFT, MULTIPLIER_BITS, Requant
from sterna.spec.activations import ACTIVATIONS

Integers = NDArray[np.int64]
_MOST_MULTIPLIER = (1 << MULTIPLIER_BITS) - 1
_MOST_BIAS = (1 << BIAS_BITS) - 1
#: In place of a bound where there is none; a sum with any other term of requantisation fits 64 bits.
_FAR = 1 << 61
_SHIFTS = np.arange(MAX_SHIFT + 1)
#: Filters that are asked first.
_FEW = 4
#: Filters for which all shifts are tried together.
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Staircases:
    """The activations of filters by their accumulators.

    low, high: [F], the least and the largest accumulator. rows: [F, N], rising: the least accumulator of filter `f` at
    which the activation is `least + 1 + i` or more, within `low` .. `high + 1`.
    """

    low: Integers
    high: Integers
    rows: Integers
    least: int

    @property
    def most(self) -> int:
        """The largest activation that there could be."""
        return self.least + self.rows.shape[1]

    @property
    def reached(self) -> tuple[int, int]:
        """The least and the largest activation that some accumulator gives."""
        bottom = (self.rows <= self.low[:, np.newaxis]).sum(axis=1)
        top = (self.rows <= self.high[:, np.newaxis]).sum(axis=1)
        return self.least + int(bottom.min()), self.least + int(top.max())

    def of(self, filters: Integers) -> Staircases:
        """Those of some filters."""
        return Staircases(self.low[filters], self.high[filters], self.rows[filters], self.least)


@dataclass(frozen=True)
class Mode:
    """What a layer's filters have in common, beside the shift. clamp: its least and largest activation."""

    activation: str
    half_even: bool
    clamp: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Group:
    """Filters of a layer, rising, that share a requantisation."""

    filters: Integers
    requant: Requant


@dataclass(frozen=True, eq=False)
class Fit:
    """A layer's groups, one if a shift does for all filters, and the filters that no requantisation is exact for."""

    groups: tuple[Group, ...]
    refused: Integers


def fit(stairs: Staircases, graph_clamp: tuple[int, int]) -> Fit:
    """The requantisation of filters, exact on every accumulator of theirs.

    graph_clamp: the least and largest activation of the graph, to which results are clamped in any case.
    """
    everyone = np.arange(len(stairs.low))
    for mode in _modes(stairs):
        for shift in _promising(stairs, mode):
            lines = _Lines.best(stairs, mode, np.full(len(everyone), shift))
            if lines.fits.all():
                return Fit((_group(everyone, lines, mode, shift, graph_clamp),), everyone[:0])
    return _split(stairs, graph_clamp)


def _promising(stairs: Staircases, mode: Mode) -> Integers:
    """The shifts with which a few filters can be exact, from the least on."""
    few = np.unique(np.linspace(0, len(stairs.low) - 1, _FEW).astype(np.int64))
    return np.flatnonzero(_by_shift(stairs.of(few), mode).fits.all(axis=1))


def _by_shift(stairs: Staircases, mode: Mode) -> _Lines:
    """Those of every shift, [shifts, F]."""
    filters = len(stairs.low)
    parts = []
    for start in range(0, filters, _AT_ONCE):
        some = np.arange(start, min(start + _AT_ONCE, filters))
        lines = _Lines.best(stairs.of(np.tile(some, len(_SHIFTS))), mode, np.repeat(_SHIFTS, len(some)))
        parts.append([each.reshape(len(_SHIFTS), -1) for each in (lines.multiplier, lines.bias, lines.fits)])
    return _Lines(*(np.concatenate(each, axis=1) for each in zip(*parts, strict=True)))


def _modes(stairs: Staircases) -> Iterator[Mode]:
    """From the plainest on. To clamp at the activations that are reached asks the least of M and B."""
    declared = _wide(stairs.least, stairs.most)
    yield from (Mode(activation, False, declared) for activation in ACTIVATIONS)
    yield from (Mode(activation, True, declared) for activation in ACTIVATIONS)
    if (reached := _wide(*stairs.reached)) != declared:
        yield from (Mode(activation, even, reached) for even in (False, True) for activation in ACTIVATIONS)


def _wide(low: int, high: int) -> tuple[int, int]:
    """A clamp, which has at least two activations."""
    return (low, high) if low < high else (low, high + 1) if high <= 0 else (low - 1, high)


def _split(stairs: Staircases, graph_clamp: tuple[int, int]) -> Fit:
    """Groups, each as large as can be of the filters that are left."""
    found = [(mode, _by_shift(stairs, mode)) for mode in _modes(stairs)]
    groups, left = [], np.ones(len(stairs.low), bool)
    while left.any():
        mode, lines = max(found, key=lambda each: int((each[1].fits & left).sum(axis=1).max()))
        shift = int((lines.fits & left).sum(axis=1).argmax())
        taken = lines.fits[shift] & left
        if not taken.any():
            break
        of_shift = _Lines(lines.multiplier[shift], lines.bias[shift], lines.fits[shift])
        groups.append(_group(np.flatnonzero(taken), of_shift, mode, shift, graph_clamp))
        left &= ~taken
    return Fit(tuple(groups), np.flatnonzero(left))


def _group(filters: Integers, lines: _Lines, mode: Mode, shift: int, graph_clamp: tuple[int, int]) -> Group:
    clamp = None if mode.clamp == graph_clamp else mode.clamp
    requant = Requant(
        lines.multiplier[filters], lines.bias[filters], shift, mode.activation, clamp=clamp, half_even=mode.half_even
    )
    return Group(filters, requant)


def _least(values: Integers, mode: Mode, shifts: Integers) -> Integers:
    """[F, values], the least `t` that requantisation takes to each of `values` or more, before it clamps."""
    shift = shifts[:, np.newaxis]
    least = ACTIVATIONS[mode.activation].least((values << shift) - ((1 << shift) >> 1))
    return least + (values & 1) * (shift > 0) if mode.half_even else least  # the tie below an odd one is not its own


@dataclass(frozen=True, eq=False)
class _Lines:
    """M and B of each filter, and whether they put every step of it where it belongs."""

    multiplier: Integers
    bias: Integers
    fits: NDArray[np.bool_]

    @classmethod
    def best(cls, stairs: Staircases, mode: Mode, shifts: Integers) -> _Lines:
        """Those that leave most room to every step. shifts: [F]."""
        treads = _Treads.of(stairs, mode, shifts)
        low, high = np.zeros(len(stairs.low), np.int64), np.full(len(stairs.low), _MOST_MULTIPLIER)
        while (low < high).any():  # the least M after which the interval of B grows no longer
            middle = (low + high) // 2
            grows = treads.room(middle + 1) > treads.room(middle)
            low, high = np.where(grows & (low < high), middle + 1, low), np.where(grows, high, middle)
        least, most = treads.biases(low)
        return cls(low, np.clip(0, least, np.maximum(least, most)), least <= most)


@dataclass(frozen=True, eq=False)
class _Treads:
    """The inequalities of filters: `first * M + B >= least` and `last * M + B <= most`, [F, treads] each."""

    first: Integers
    last: Integers
    least: Integers
    most: Integers

    @classmethod
    def of(cls, stairs: Staircases, mode: Mode, shifts: Integers) -> _Treads:
        """What the clamp does by itself is not asked of M and B, nor anything for activations that do not occur."""
        values = np.arange(stairs.least, stairs.most + 1)
        first = np.column_stack([stairs.low, stairs.rows])
        last = np.column_stack([stairs.rows - 1, stairs.high])
        occurs = first <= last
        least = np.where(occurs & (values > mode.clamp[0]), _least(values, mode, shifts), -_FAR)
        most = np.where(occurs & (values < mode.clamp[1]), _least(values + 1, mode, shifts) - 1, _FAR)
        return cls(first, last, np.maximum(least, -_FAR), np.maximum(most, -_FAR))

    def biases(self, multiplier: Integers) -> tuple[Integers, Integers]:
        """[F] each: the least and the largest B for each filter's M."""
        m = multiplier[:, np.newaxis]
        least = (self.least - self.first * m).max(axis=1)
        most = (self.most - self.last * m).min(axis=1)
        return np.maximum(least, -_MOST_BIAS), np.minimum(most, _MOST_BIAS)

    def room(self, multiplier: Integers) -> Integers:
        """[F], how many values of B there are for each filter's M, below 1 if there are none; concave in M."""
        least, most = self.biases(multiplier)
        return most - least
