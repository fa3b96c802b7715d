"""Differences are found, located and counted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.package.package import Package
from sterna.run.backend import Progress, Results
from sterna.run.backends.reference import ReferenceBackend
from sterna.run.compare import compare_backends, compare_results, difference
from support.packages import small_images, small_package


def results() -> Results:
    rng = np.random.default_rng(0)
    return {name: rng.integers(-128, 128, (2, 3, 4, 5)).astype(np.int8) for name in ("b", "a", "c")}


def test_equal() -> None:
    comparison = compare_results(results(), results(), ["a", "b", "c", "fused away"])
    assert comparison.equal
    assert comparison.first is None
    assert list(comparison.layers) == ["a", "b", "c"]
    assert comparison.equal_layers == {"a": True, "b": True, "c": True}


def test_first_difference_is_named() -> None:
    first, second = results(), results()
    second["c"][0, 0, 0, 0] ^= 1
    second["b"][1, 2, 3, 4] ^= 1
    second["b"][1, 2, 3, 1] ^= 1
    comparison = compare_results(first, second, ["a", "b", "c"])
    assert comparison.equal_layers == {"a": True, "b": False, "c": False}
    found = comparison.first
    assert found is not None
    assert (found.layer, found.image, found.channel, found.row, found.column) == ("b", 1, 2, 3, 1)
    assert (found.first, found.second) == (first["b"][1, 2, 3, 1], second["b"][1, 2, 3, 1])
    assert (found.differing, found.total) == (2, 120)
    values = f"{found.first} and {found.second}"
    assert str(found) == f"layer 'b', image 1, channel 2, row 3, column 1: {values} (2 of 120 values differ)"


class Wrong(ReferenceBackend):
    """A reference with the first value of every layer wrong."""

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        found = super()._run(images, package, progress)
        for values in found.values():
            values.flat[0] ^= 1
        return found


def test_each_backend_is_compared_with_the_other() -> None:
    package, images = small_package(), small_images(2)
    with ReferenceBackend() as right, ReferenceBackend() as same, Wrong() as wrong:
        assert compare_backends(right, same, package, images).equal
        for first, second in ((right, wrong), (wrong, right)):
            found = compare_backends(first, second, package, images).first
            assert found is not None
            assert (found.layer, found.image, found.differing) == (package.schedule.stores[0].layer, 0, 1)


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
    with pytest.raises(SternaError, match="layer 'a': only one of the backends stores it"):
        compare_results(first, second, ["b"])
    del first["c"], second["b"]
    with pytest.raises(SternaError, match="layer 'a': only one"):
        compare_results(first, second, [])
