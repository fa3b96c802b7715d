from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.train.data import anchors


def test_anchors_find_separate_clusters() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[1.0, 1.0], [2.0, 6.0], [7.0, 2.5]])
    sizes = np.concatenate([centre * rng.uniform(0.95, 1.05, (50, 2)) for centre in centres])
    found = anchors.cluster(sizes, 3, seed=0)
    np.testing.assert_allclose(found, centres[np.argsort(centres.prod(1))], rtol=0.03)
    np.testing.assert_array_equal(found, anchors.cluster(sizes, 3, seed=0))


SAME_SIZE = pytest.mark.case(
    "boxes-of-one-size",
    kind="a remedy that names the wrong cause",
    expected="boxes of one size give anchors of it and scaled copies, with a word; --anchors gives others",
    source="AlexeyAB/darknet#2255",
)


@SAME_SIZE
def test_fewer_sizes_than_anchors_are_scaled(got: Callable[[object], None]) -> None:
    found = anchors.cluster(np.tile([[2.0, 4.0]], (9, 1)), 5, seed=0)
    np.testing.assert_allclose(found[2], [2.0, 4.0])
    np.testing.assert_allclose(found[:, 1], 2 * found[:, 0])
    np.testing.assert_allclose(found.prod(1), [2, 4, 8, 16, 32])
    got("5 anchors of areas in the ratio 1/4, 1/2, 1, 2, 4 for boxes of one size")


def test_every_size_is_an_anchor_where_there_are_few() -> None:
    sizes = np.array([[1.0, 1.0], [3.0, 1.0], [1.0, 1.0]])
    found = anchors.cluster(sizes, 5, seed=0)
    assert len(np.unique(found, axis=0)) == 5
    assert all((found == size).all(1).any() for size in sizes)
    assert anchors.fit(sizes, found) == 1


def test_no_boxes_for_anchors_are_refused() -> None:
    with pytest.raises(SternaError, match=r"no boxes to choose anchors from.*or give --anchors"):
        anchors.cluster(np.empty((0, 2)), 5, seed=0)


def test_fit_is_the_mean_overlap_with_the_best_anchor() -> None:
    assert anchors.fit(np.array([[2.0, 2.0], [1.0, 4.0]]), np.array([[2.0, 2.0], [8.0, 8.0]])) == pytest.approx(
        (1 + 2 / 6) / 2
    )
