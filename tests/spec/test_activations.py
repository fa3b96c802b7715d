from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from sterna.spec.activations import ACTIVATIONS, LOWEST, Activation


@pytest.mark.parametrize("activation", Activation)
def test_integers_are_the_real_function_rounded_down(activation: Activation) -> None:
    values = [-(2**50), -17, -16, -9, -8, -1, 0, 1, 17, 2**50]
    expected = [math.floor(value * Fraction(activation.slope)) if value < 0 else value for value in values]
    assert activation.integers(np.array(values)).tolist() == expected


@pytest.mark.parametrize("activation", Activation)
def test_the_least_value_that_reaches_another(activation: Activation) -> None:
    wanted = np.array([-(2**50), -17, -2, -1, 0, 1, 2, 17, 2**50])
    least = activation.least(wanted)
    assert (activation.integers(least) >= wanted).all()
    missed = activation.integers(least - 1) < wanted
    assert missed.tolist() == [activation.slope > 0 or each > 0 for each in wanted]
    assert (least[~missed] == LOWEST).all()


@pytest.mark.parametrize("activation", Activation)
def test_a_slope_is_a_shift(activation: Activation) -> None:
    assert activation.slope == 0 or (0 < activation.slope <= 1 and math.frexp(activation.slope)[0] == 0.5)


def test_names_are_those_in_files() -> None:
    assert list(ACTIVATIONS) == ["linear", "relu", "leaky"]
    assert [ACTIVATIONS[name] for name in ("linear", "relu", "leaky")] == [0, 1, 2]
