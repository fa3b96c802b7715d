"""Delays by family and speed grade."""

from __future__ import annotations

import pytest

from sterna.estimate.timing import FAMILIES, FULL_CHIP, GRADES, delays_of


def test_the_delays_are_those_of_their_grade() -> None:
    for family, grade in GRADES.items():
        assert delays_of(family, grade, full=False) == FAMILIES[family].scaled(1, 1) == FAMILIES[family]


def test_a_slower_grade_is_slower_everywhere() -> None:
    seven, eight = (delays_of("cyclone5", grade, full=False) for grade in (7, 8))
    step = 315 / 275
    assert eight.lut[6]["A"] == round(step * seven.lut[6]["A"]) and eight.multiply == round(step * seven.multiply)
    assert eight.wire(10, 1000) == pytest.approx(step * seven.wire(10, 1000), abs=1)
    assert delays_of("cyclone5", 6, full=False).register_out < seven.register_out


def test_wires_are_longer_on_a_full_chip() -> None:
    empty, full = (delays_of("arria10", 2, full=full) for full in (False, True))
    assert full.wire(100, 10_000) == pytest.approx(FULL_CHIP * empty.wire(100, 10_000), abs=1)
    assert full.lut == empty.lut and full.column > empty.column


def test_a_wire_grows_with_loads_and_distance() -> None:
    delays = FAMILIES["cyclone5"]
    assert delays.wire(0) == delays.wire(1) < delays.wire(2) < delays.wire(1000) < delays.wire(1000, 100)
