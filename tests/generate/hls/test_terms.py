"""The terms of a convolution add up to its weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sterna.generate.hls.terms import terms
from sterna.graph import Conv, Requant


def conv_of(weights: NDArray[np.int8]) -> Conv:
    count = len(weights)
    requant = Requant(np.ones(count, np.int64), np.zeros(count, np.int64), 0, "linear")
    return Conv("conv", "image", weights, 1, (0, 0, 0, 0), requant, 1.0)


def added_up(words: NDArray[np.uint32], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The weights [F, C, K, K] that the terms stand for, as hw/hls/sterna.h reads them."""
    weights = np.zeros(shape, np.int64)
    index = 0
    for word in words.tolist():
        channel, row, col = word & 0xFFFF, word >> 16 & 7, word >> 19 & 7
        weights[index] <<= word >> 22 & 7
        if word >> 25 & 1:
            weights[index, channel, row, col] += -1 if word >> 26 & 1 else 1
        index += word >> 27 & 1
    assert index == len(weights)
    return weights


@pytest.mark.parametrize("seed", range(40))
def test_terms_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*rng.integers(1, 6, 2), *[int(rng.integers(1, 8))] * 2)
    values = ((-1, 0, 0, 1), range(-128, 128), (0, 0, 64, 127, -128), (0,))[seed % 4]
    weights = rng.choice(values, shape).astype(np.int8)
    np.testing.assert_array_equal(added_up(terms(conv_of(weights)), shape), weights)


def test_a_ternary_filter_has_a_term_for_each_nonzero() -> None:
    weights = np.random.default_rng(0).choice([-1, 0, 0, 0, 1], (8, 16, 3, 3)).astype(np.int8)
    assert len(terms(conv_of(weights))) == np.count_nonzero(weights)


def test_filters_in_groups_read_the_channels_of_their_own() -> None:
    weights = np.random.default_rng(1).integers(-128, 128, (6, 2, 3, 3)).astype(np.int8)
    whole = np.zeros((6, 6, 3, 3), np.int8)
    for filter_, taps in enumerate(weights):
        whole[filter_, filter_ // 2 * 2 : filter_ // 2 * 2 + 2] = taps
    np.testing.assert_array_equal(added_up(terms(replace(conv_of(weights), groups=3)), whole.shape), whole)


def test_a_filter_without_weights_has_one_term() -> None:
    assert len(terms(conv_of(np.zeros((3, 2, 1, 1), np.int8)))) == 3
