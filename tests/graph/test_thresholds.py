"""Thresholds give what requantisation gives, on every accumulator."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.graph import Conv, Requant, reference
from sterna.graph.layers import BIAS_BITS, MAX_SHIFT, MULTIPLIER_BITS, Add
from sterna.graph.thresholds import thresholds
from sterna.spec.activations import ACTIVATIONS
from support.random_graphs import random_graph


def activations(sums: np.ndarray, requant: Requant, act_min: int, act_max: int) -> np.ndarray:
    """By the reference, of sums [F, N]."""
    return reference.requantise(sums[np.newaxis, :, np.newaxis], requant, act_min, act_max)[0, :, 0]


def check(requant: Requant, bounds: np.ndarray, act_min: int, act_max: int) -> None:
    """On both sides of every threshold and at the ends, between which no activation can change."""
    found = thresholds(requant, bounds, act_min, act_max)
    low, high = requant.limits(act_min, act_max)
    assert found.shape == (len(bounds), high - low) and (np.diff(found) >= 0).all()
    limit = bounds[:, np.newaxis]
    sums = np.clip(np.concatenate([found - 1, found, -limit, limit], axis=1), -limit, limit)
    counted = low + (sums[:, :, np.newaxis] >= found[:, np.newaxis]).sum(axis=2)
    assert np.array_equal(counted, activations(sums, requant, act_min, act_max))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("bits", "shift"), [(8, 0), (8, 1), (4, 5), (8, 17), (6, MAX_SHIFT)])
@pytest.mark.parametrize("clamp", [None, (-3, 6)])
@pytest.mark.parametrize("half_even", [False, True])
def test_equal_requantisation(
    activation: str, bits: int, shift: int, clamp: tuple[int, int] | None, half_even: bool
) -> None:
    rng = np.random.default_rng(shift)
    most = (1 << BIAS_BITS) - 1
    multiplier = np.append(rng.integers(0, 1 << MULTIPLIER_BITS, 40), [0, 0, 0, 1, 1, (1 << MULTIPLIER_BITS) - 1])
    bias = np.append(rng.integers(-1 << (shift + bits), 2 << (shift + bits), 40), [most, -most, 0, -1, 3, -most])
    # Some of few bits, so that there are ties.
    few = max(shift - 2, 0)
    multiplier[:10], bias[:20] = (multiplier[:10] >> few) << few, (bias[:20] >> few) << few
    bounds = rng.integers(1, 1 << 19, len(bias))
    requant = Requant(multiplier, bias, shift, activation, clamp, half_even)
    check(requant, bounds, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def test_equal_requantisation_on_every_accumulator_of_random_graphs() -> None:
    for seed in range(10):
        graph = random_graph(np.random.default_rng(seed), act_bits=4 + seed % 5, acc_bits=16, general_requant=True)
        for layer in graph.layers:
            if isinstance(layer, Conv | Add):
                bound = int(graph.bounds[layer.name].max())
                sums = np.tile(np.arange(-bound, bound + 1), (len(graph.bounds[layer.name]), 1))
                found = thresholds(layer.requant, np.full(len(sums), bound), graph.act_min, graph.act_max)
                counted = [np.searchsorted(row, each, "right") for row, each in zip(found, sums, strict=True)]
                expected = activations(sums, layer.requant, graph.act_min, graph.act_max)
                low, _ = layer.requant.limits(graph.act_min, graph.act_max)
                assert np.array_equal(low + np.array(counted), expected), (seed, layer.name)


def test_a_threshold_that_is_one_off_is_found() -> None:
    requant = Requant(np.array([5]), np.array([-300]), 4, "leaky")
    sums = np.arange(-1000, 1001)
    found = thresholds(requant, np.array([1000]), -128, 127)
    expected = activations(sums[np.newaxis], requant, -128, 127)[0]
    inside = np.flatnonzero((found[0] > -1000) & (found[0] <= 1000))
    assert len(inside) > 100
    for place in inside:
        wrong = found[0].copy()
        wrong[place] += 1
        assert not np.array_equal(-128 + np.searchsorted(np.sort(wrong), sums, "right"), expected)
