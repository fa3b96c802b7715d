from __future__ import annotations

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.train import anchors


def test_anchors_find_separate_clusters() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[1.0, 1.0], [2.0, 6.0], [7.0, 2.5]])
    sizes = np.concatenate([centre * rng.uniform(0.95, 1.05, (50, 2)) for centre in centres])
    found = anchors.cluster(sizes, 3, seed=0)
    np.testing.assert_allclose(found, centres[np.argsort(centres.prod(1))], rtol=0.03)
    np.testing.assert_array_equal(found, anchors.cluster(sizes, 3, seed=0))


def test_too_few_boxes_for_anchors_are_refused() -> None:
    with pytest.raises(SternaError, match="different box sizes = 1; allowed: at least 5"):
        anchors.cluster(np.ones((9, 2)), 5, seed=0)
