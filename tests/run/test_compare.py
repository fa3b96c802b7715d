"""Differences are found, located and counted."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.run.compare import compare_results, difference
from sterna.run.device import Results


def results() -> Results:
    rng = np.random.default_rng(0)
    return {name: rng.integers(-128, 128, (2, 3, 4, 5)).astype(np.int8) for name in ("b", "a", "c")}


def test_equal() -> None:
    comparison = compare_results(results(), results(), ["a", "b", "c", "fused away"])
    assert comparison.equal
    assert comparison.first is None
    assert list(comparison.layers) == ["a", "b", "c"]


def test_first_difference_is_named() -> None:
    first, second = results(), results()
    second["c"][0, 0, 0, 0] ^= 1
    second["b"][1, 2, 3, 4] ^= 1
    second["b"][1, 2, 3, 1] ^= 1
    found = compare_results(first, second, ["a", "b", "c"]).first
    assert found is not None
    assert (found.layer, found.image, found.channel, found.row, found.column) == ("b", 1, 2, 3, 1)
    assert (found.first, found.second) == (first["b"][1, 2, 3, 1], second["b"][1, 2, 3, 1])
    assert (found.differing, found.total) == (2, 120)
    values = f"{found.first} and {found.second}"
    assert str(found) == f"layer 'b', image 1, channel 2, row 3, column 1: {values} (2 of 120 values differ)"


@pytest.mark.parametrize("at", list(np.ndindex(1, 2, 2, 2)))
def test_any_single_value(at: tuple[int, ...]) -> None:
    zeros = np.zeros((1, 2, 2, 2), np.int8)
    other = zeros.copy()
    other[at] = -1
    found = difference("x", zeros, other)
    assert found is not None
    assert (found.image, found.channel, found.row, found.column) == at


def test_what_cannot_be_compared() -> None:
    first, second = results(), results()
    second["a"] = second["a"][:1]
    with pytest.raises(SternaError, match="layer 'a': the shapes differ"):
        compare_results(first, second, ["a"])
    del second["a"]
    with pytest.raises(SternaError, match="layer 'a': only one of the devices stores it"):
        compare_results(first, second, ["b"])
