"""Canonical signed digits: how a weight of several bits becomes a sum of shifted -1, 0, +1.

The canonical form has no two adjacent nonzero digits, and the fewest nonzeros of all signed-digit forms
(Reitwiesner, "Binary arithmetic", Advances in Computers 1, 1960). Only at the top 1 0 -1 is written 1 1: as few
nonzeros, one digit less to step through, and a smaller value on the way.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

MAX_DIGITS = 8
"""Digits that any int8 needs: 127 is 2^7 - 1."""


def _recode(weight: int) -> list[int]:
    """Digits of one weight, least significant first."""
    digits = []
    while weight:
        digit = 2 - weight % 4 if weight % 2 else 0
        digits.append(digit)
        weight = (weight - digit) // 2
    if len(digits) >= 3 and digits[-2] == 0 and digits[-3] == -digits[-1]:
        digits[-3:] = [digits[-1], digits[-1]]
    return digits


def _horner_peak(digits: list[int]) -> int:
    """Largest magnitude met on the way when digits are applied from the most significant to the least."""
    value = peak = 0
    for digit in reversed(digits):
        value *= 2
        peak = max(peak, abs(value), abs(value + digit))
        value += digit
    return peak


def _horner_reach(digits: list[int], magnitude: int) -> int:
    """Largest magnitude that `reach` counts for a weight of these digits, least significant first."""
    added = subtracted = largest = 0
    for digit in reversed(digits):
        for add, subtract in ((added, subtracted), (digit > 0, digit < 0)):
            added += add
            subtracted += subtract
            largest = max(largest, magnitude * abs(added - subtracted) + min(added, subtracted))
    return largest


def _tables() -> tuple[NDArray[np.int8], NDArray[np.int16]]:
    """Digits [MAX_DIGITS, 256] and peaks [256], both indexed by the weight's byte."""
    digits = np.zeros((MAX_DIGITS, 256), np.int8)
    peaks = np.zeros(256, np.int16)
    for weight in range(-128, 128):
        recoded = _recode(weight)
        digits[: len(recoded), weight % 256] = recoded
        peaks[weight % 256] = _horner_peak(recoded)
    return digits, peaks


_DIGITS, _PEAKS = _tables()


def digits(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Digits -1, 0, +1 of int8 weights of any shape: int8[D, *shape], digit `d` worth `2^d`.

    D is the fewest that hold every weight, at least 1: ternary weights give D = 1.
    """
    index = weights.view(np.uint8)
    used = np.flatnonzero(_DIGITS[:, np.unique(index)].any(axis=1))
    count = int(used[-1]) + 1 if used.size else 1
    return _DIGITS[:count, index]


def peak(weights: NDArray[np.int8]) -> NDArray[np.int16]:
    """Largest magnitude met when each weight is evaluated from its highest digit down, doubling in between.

    Same shape as `weights`. It is `|w|` for ternary weights; 7 = 8 - 1 peaks at 8.
    """
    return _PEAKS[weights.view(np.uint8)]


@cache
def _reaches(act_bits: int) -> NDArray[np.int64]:
    """The reach [256] of each weight, indexed by its byte."""
    weights = range(256)
    return np.array([_horner_reach(_DIGITS[:, weight].tolist(), 1 << (act_bits - 1)) for weight in weights], np.int64)


def reach(weights: NDArray[np.int8], act_bits: int) -> NDArray[np.int64]:
    """Largest magnitude that each weight adds to a sum in the engine, which subtracts an activation x as -x - 1.

    Same shape as `weights`; activations have `act_bits` bits. It is `2^(act_bits-1)` times `peak` for weights whose
    digits have one sign, and a little more for others: 109 = 128 - 16 - 4 + 1 becomes 109 x - 20.
    """
    return _reaches(act_bits)[weights.view(np.uint8)]
