"""Requantisation as thresholds: the accumulators at which each activation begins, in closed form.

An activation never falls as the accumulator rises (multipliers are at least 0), so it is the number of thresholds that
the accumulator has reached, counted from the smallest result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph.layers import Requant
from sterna.spec.activations import ACTIVATIONS


def thresholds(requant: Requant, bounds: NDArray[np.int64], act_min: int, act_max: int) -> NDArray[np.int64]:
    """[F, high - low], rising: the least accumulator of filter `f` that gives `low + 1 + i` or more.

    low, high: the least and the largest result, those of `Requant.limits`.
    bounds: [F], the magnitude that no accumulator exceeds. A threshold that no accumulator misses is `-bound`, one that
    none reaches `bound + 1`.
    """
    low, high = requant.limits(act_min, act_max)
    levels = np.arange(low + 1, high + 1, dtype=np.int64)
    # t * slope + half >= level << shift, then s * multiplier + bias >= t, each solved for the least integer.
    t = ACTIVATIONS[requant.activation].least((levels << requant.shift) - requant.half)
    if requant.half_even and requant.shift:
        t += levels % 2  # the tie below an odd level goes to the even one
    needed = t[np.newaxis] - requant.bias[:, np.newaxis]
    multiplier, bound = requant.multiplier[:, np.newaxis], bounds[:, np.newaxis]
    reached = -(-needed // np.maximum(multiplier, 1))
    constant = np.where(needed <= 0, -bound, bound + 1)
    return np.clip(np.where(multiplier > 0, reached, constant), -bound, bound + 1)
