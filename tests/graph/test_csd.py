"""Canonical signed digits: exact, sparse, and their peaks are those of Horner's scheme."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.graph import csd

EVERY_WEIGHT = np.arange(-128, 128).astype(np.int8)


def test_digits_add_up_to_the_weight() -> None:
    digits = csd.digits(EVERY_WEIGHT)
    assert digits.dtype == np.int8
    assert digits.shape == (csd.MAX_DIGITS, 256)
    assert set(np.unique(digits)) == {-1, 0, 1}
    values = np.tensordot(1 << np.arange(csd.MAX_DIGITS), digits.astype(np.int64), 1)
    assert np.array_equal(values, EVERY_WEIGHT)


def test_digits_are_as_few_as_can_be() -> None:
    """The fewest nonzero digits of w are the ones in w xor 3w (those of its non-adjacent form)."""
    wide = np.abs(EVERY_WEIGHT.astype(np.int64))
    assert np.array_equal(np.abs(csd.digits(EVERY_WEIGHT)).sum(axis=0), np.bitwise_count(wide ^ (3 * wide)))


def test_only_the_two_highest_digits_may_be_neighbours() -> None:
    digits = csd.digits(EVERY_WEIGHT) != 0
    place, weight = np.nonzero(digits[1:] & digits[:-1])
    assert not any(digits[p + 2 :, w].any() for p, w in zip(place, weight, strict=True))


def test_digits_mirror_with_the_sign() -> None:
    assert np.array_equal(csd.digits(EVERY_WEIGHT[1:]), -csd.digits(EVERY_WEIGHT[1:][::-1]))


@pytest.mark.parametrize(
    ("weights", "count"),
    [([0, 0], 1), ([-1, 0, 1], 1), ([1, 2], 2), ([3], 2), ([7], 4), ([-128], 8), ([127], 8), ([64], 7)],
)
def test_digit_count_is_the_fewest_that_hold_the_weights(weights: list[int], count: int) -> None:
    assert len(csd.digits(np.array(weights, np.int8))) == count


def test_shape_and_memory_layout_of_the_weights_do_not_matter() -> None:
    weights = np.random.default_rng(0).integers(-128, 128, (3, 4, 5, 5)).astype(np.int8)
    assert csd.digits(weights).shape == (csd.MAX_DIGITS, *weights.shape)
    turned = weights.transpose(3, 1, 0, 2)[::2]
    for function, axes in ((csd.digits, 1), (csd.peak, 0)):
        whole = function(weights)
        moved = whole.transpose(*range(axes), *(axes + axis for axis in (3, 1, 0, 2)))
        assert np.array_equal(function(turned), moved[(slice(None),) * axes + (slice(None, None, 2),)])


def test_peak_is_the_largest_magnitude_that_horner_meets() -> None:
    for weight, peak in zip(EVERY_WEIGHT, csd.peak(EVERY_WEIGHT), strict=True):
        met = [0]
        for digit in csd.digits(np.array([weight], np.int8))[::-1, 0].tolist():
            met += [2 * met[-1], 2 * met[-1] + digit]
        assert met[-1] == weight
        assert peak == max(abs(value) for value in met)


@pytest.mark.parametrize("act_bits", [4, 8])
def test_reach_is_the_largest_magnitude_of_sums_of_inverses(act_bits: int) -> None:
    """Of any activation, from the highest digit down: -x - 1 instead of -x."""
    activations = np.arange(-1 << (act_bits - 1), 1 << (act_bits - 1))
    largest = np.zeros(256, np.int64)
    sums = np.zeros((256, len(activations)), np.int64)
    for digit in csd.digits(EVERY_WEIGHT)[::-1]:
        doubled = 2 * sums
        sums = doubled + np.where(digit[:, None] < 0, ~activations, digit[:, None] * activations)
        largest = np.maximum(largest, np.maximum(np.abs(doubled), np.abs(sums)).max(axis=1))
    assert np.array_equal(csd.reach(EVERY_WEIGHT, act_bits), largest)
    peaks = csd.peak(EVERY_WEIGHT).astype(np.int64) << (act_bits - 1)
    one_sign = np.abs(csd.digits(EVERY_WEIGHT).sum(axis=0)) == np.abs(csd.digits(EVERY_WEIGHT)).sum(axis=0)
    assert (largest >= peaks).all() and np.array_equal(largest[one_sign], peaks[one_sign])


@pytest.mark.parametrize(("weight", "peak"), [(0, 0), (1, 1), (-1, 1), (3, 3), (-3, 3), (5, 5), (7, 8), (11, 12)])
def test_known_peaks(weight: int, peak: int) -> None:
    assert csd.peak(np.array([weight], np.int8)) == peak
