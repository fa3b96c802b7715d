"""Requantisation that is fitted to steps: exact on every accumulator, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.graph import Requant
from sterna.graph.reference import requantise
from sterna.graph.thresholds import thresholds
from sterna.importers.onnx.fit import Fit, Staircases, fit
from sterna.spec.activations import ACTIVATIONS

CLAMP = -128, 127


def activations(requant: Requant, sums: np.ndarray) -> np.ndarray:
    """[F, N], of accumulators [N] of every filter."""
    filters = len(requant.multiplier)
    return requantise(np.broadcast_to(sums, (1, filters, 1, len(sums))), requant, *CLAMP)[0, :, 0]


def check(found: Fit, expected: np.ndarray, sums: np.ndarray) -> None:
    """That each group gives what is expected [F, N], and that no filter is in two."""
    for group in found.groups:
        assert np.array_equal(activations(group.requant, sums), expected[group.filters])
    taken = np.concatenate([*(group.filters for group in found.groups), found.refused])
    assert np.array_equal(np.sort(taken), np.arange(len(expected)))


def staircases(expected: np.ndarray, sums: np.ndarray) -> Staircases:
    """Those that give `expected` [F, N], which rises, for accumulators in a row."""
    least, most = int(expected.min()), int(expected.max())
    levels = np.arange(least + 1, most + 1)
    rows = sums[0] + (expected[:, np.newaxis] < levels[:, np.newaxis]).sum(axis=2)
    ends = np.full(len(expected), sums[0]), np.full(len(expected), sums[-1])
    return Staircases(*ends, rows, least)


@pytest.mark.parametrize("seed", range(40))
def test_what_a_requantisation_makes_is_found(seed: int) -> None:
    """One shift does for all filters, as it did for those that the steps are of."""
    rng = np.random.default_rng(seed)
    filters, bound, shift = int(rng.integers(1, 12)), int(2 ** rng.uniform(1, 15)), int(rng.integers(0, 20))
    low, high = np.sort(rng.choice(np.arange(-128, 128), 2, replace=False)).tolist()
    multiplier = np.clip(np.round(127 / bound * rng.uniform(0, 3, filters) * 2.0**shift), 0, 2**18 - 1)
    requant = Requant(
        multiplier.astype(np.int64),
        np.round(rng.uniform(-60, 60, filters) * 2.0**shift).astype(np.int64),
        shift,
        str(rng.choice(list(ACTIVATIONS))),
        clamp=(low, high) if rng.random() < 0.5 else None,
        half_even=bool(rng.integers(2)),
    )
    bounds = np.full(filters, bound)
    stairs = Staircases(-bounds, bounds, thresholds(requant, bounds, *CLAMP), requant.limits(*CLAMP)[0])
    found = fit(stairs, CLAMP)
    assert len(found.groups) == 1 and not len(found.refused)
    check(found, activations(requant, np.arange(-bound, bound + 1)), np.arange(-bound, bound + 1))


@pytest.mark.parametrize("seed", range(20))
def test_any_steps_are_exact_or_refused(seed: int) -> None:
    """Also where they are no requantisation's: random rises, few of them."""
    rng = np.random.default_rng(seed)
    sums = np.arange(-40, 60)
    rises = rng.random((6, len(sums))) < rng.choice([0.01, 0.03, 0.3])
    expected = np.clip(np.cumsum(rises * rng.integers(1, 4, rises.shape), axis=1) - 8, *CLAMP)
    check(fit(staircases(expected, sums), CLAMP), expected, sums)


def test_two_levels_always_fit() -> None:
    """Such as -1 and +1, between which no 0 may come."""
    sums = np.arange(-100, 100)
    expected = np.where(sums >= np.array([[-100], [-3], [0], [7], [200]]), 1, -1)
    found = fit(staircases(expected, sums), CLAMP)
    check(found, expected, sums)
    assert not len(found.refused) and len(found.groups) == 1


def test_filters_are_split_by_shift() -> None:
    """A steep one has no room for the shift that a flat one of many steps needs."""
    sums = np.arange(-30000, 30000)
    flat = np.clip((sums * 4409 + 1234 + (1 << 19)) >> 20, *CLAMP)
    steep = np.clip(sums * 120, *CLAMP)
    found = fit(staircases(np.stack([flat, steep]).astype(np.int64), sums), CLAMP)
    check(found, np.stack([flat, steep]), sums)
    assert len(found.groups) == 2 and not len(found.refused)


def test_what_no_line_has_is_refused_by_filter() -> None:
    sums = np.arange(-64, 64)
    line = np.clip(sums // 4, -16, 15)
    bent = np.where(sums < 0, sums // 4, sums // 2)
    found = fit(staircases(np.stack([line, bent, line]), sums), CLAMP)
    assert found.refused.tolist() == [1]
    check(found, np.stack([line, bent, line]), sums)
