"""Bit fields: what is packed is unpacked, in the places that are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.spec.fields import UNUSED, Field, Layout
from sterna.spec.tape import ENTRY, LAYOUTS, OPERAND

SMALL = Layout("small", (Field("low", 4), Field(UNUSED, 2), Field("number", 3, signed=True), Field("high", 7)))


def test_fields_lie_from_the_low_bits_up() -> None:
    assert SMALL.pack(low=0xA, number=-1, high=1) == 0b1_111_00_1010
    assert SMALL.to_bytes(high=1) == bytes([0, 2])
    assert [(field.name, place) for field, place in SMALL.places()] == [("low", 0), ("number", 6), ("high", 9)]
    assert (SMALL.bits, SMALL.size) == (16, 2)


@given(st.integers(0, 15), st.integers(-4, 3), st.integers(0, 127))
def test_fields_survive(low: int, number: int, high: int) -> None:
    values = {"low": low, "number": number, "high": high}
    assert SMALL.unpack(SMALL.pack(**values)) == values
    assert SMALL.from_bytes(SMALL.to_bytes(**values)) == values


def test_unused_bits_are_not_read() -> None:
    assert SMALL.unpack(0b11_0000) == {"low": 0, "number": 0, "high": 0}


@pytest.mark.parametrize("value", [16, -9])
def test_a_value_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(SternaError, match=f"low = {value}; allowed: 4 bits"):
        SMALL.pack(low=value)


@pytest.mark.parametrize("name", ["other", UNUSED])
def test_an_unknown_field_is_refused(name: str) -> None:
    with pytest.raises(KeyError, match=f"small has no field {name}"):
        SMALL.pack(**{name: 1})


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_layouts_of_the_tape_are_whole_words(layout: Layout) -> None:
    assert layout.bits in (64, 1024) or layout in (ENTRY, OPERAND)
    names = [field.name for field, _ in layout.places()]
    assert len(set(names)) == len(names)
    assert all(field.description for field, _ in layout.places())
