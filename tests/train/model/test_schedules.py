from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sterna.train.model.schedules import SPARSE_AT, START, cubic, density_at


@pytest.mark.parametrize("target", [0.05, 0.28, 0.7, 0.9, 1.0])
def test_the_cubic_falls_from_its_start_to_the_target(target: float) -> None:
    values = [cubic(share, target) for share in np.linspace(0, 1, 101)]
    assert values[0] == pytest.approx(max(START, target)) and values[-1] == target
    assert all(after <= before for before, after in pairwise(values))
    assert cubic(SPARSE_AT, target) == target
    assert target >= START or cubic(0.99 * SPARSE_AT, target) > target


def test_half_way_an_eighth_is_left() -> None:
    assert density_at("cubic", SPARSE_AT / 2, 0.2) == pytest.approx(0.2 + (START - 0.2) / 8)
