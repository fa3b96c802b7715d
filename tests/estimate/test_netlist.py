"""Packing rules on netlists written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sterna.estimate.netlist import packed_alms, usage
from support.netlists import CHOOSE, XOR, adder, lut, module, multiplier, register


@pytest.mark.parametrize(
    ("luts", "alms"),
    [
        (["abcdef"], 1),
        (["abcdef", "ghijkl"], 2),
        (["abcde", "abfgh"], 1),  # two of five inputs that share two
        (["abcde", "afghi"], 2),  # that share one
        (["abcde", "afgh"], 1),  # five and four that share one
        (["abcde", "fghi"], 2),
        (["abcde", "fgh"], 1),
        (["abcd", "efgh"], 1),
        (["ab", "cd", "ef"], 2),
        (["abcde", "abfgh", "abijk", "abcdef", "x"], 3),
        ([], 0),
    ],
)
def test_luts_share_alms(luts: list[str], alms: int) -> None:
    assert packed_alms(frozenset(map(ord, inputs)) for inputs in luts) == alms


def test_a_lut_in_front_of_an_adder_is_free() -> None:
    found = usage(module(lut(10, 1, 2, 3), adder(4, 10, 11), outputs=(11,)))
    assert (found.luts, found.absorbed_luts, found.lut_alms, found.adder_bits) == (1, 1, 0, 1)
    assert found.inputs == 4


@pytest.mark.parametrize(
    "cells",
    [
        (lut(10, 1, 2, 3), lut(12, 10, 5), adder(4, 10, 11)),  # the LUT feeds another one as well
        (lut(10, 1, 2, 3, 5, 6), adder(4, 10, 11)),  # five inputs
        (lut(10, 1, 2, 3, 5), lut(13, 6, 7), adder(13, 10, 11)),  # six nets together: one of the two stays
    ],
)
def test_a_lut_that_does_not_fit_stays(cells: tuple[dict[str, Any], ...]) -> None:
    found = usage(module(*cells, outputs=(11, 12)))
    assert found.luts - found.absorbed_luts == (2 if len(cells) == 3 and found.absorbed_luts == 0 else 1)
    assert found.lut_alms == 1


def test_the_choice_after_an_adder_is_a_synchronous_load() -> None:
    chosen = (adder(1, 2, 10), lut(11, 10, 3, 4, table=CHOOSE), register(11, 12))
    assert usage(module(*chosen, outputs=(12,))).absorbed_luts == 1
    other = (adder(1, 2, 10), lut(11, 10, 3, 4, table=XOR), register(11, 12))
    assert usage(module(*other, outputs=(12,))).absorbed_luts == 0
    selects = (adder(1, 2, 10), lut(11, 3, 4, 10, table=CHOOSE), register(11, 12))
    assert usage(module(*selects, outputs=(12,))).absorbed_luts == 0


def test_registers_that_follow_no_logic_are_bypassed() -> None:
    found = usage(module(lut(10, 1, 2), register(10, 11), register(11, 12), outputs=(12,)))
    assert (found.flip_flops, found.bypassed_flip_flops) == (2, 1)


def test_a_register_after_a_multiplier_is_in_it() -> None:
    product = multiplier(1, 2, 3)
    inside = usage(module(product, register(3, 4), outputs=(4,)))
    assert (inside.flip_flops, dict(inside.multipliers)) == (0, {(20, 26): 1})
    outside = usage(module(product, register(3, 4), outputs=(3, 4)))
    assert outside.flip_flops == 1
    two_blocks = usage(module(multiplier(1, 2, 3, bits=28), register(3, 4), outputs=(4,)))
    assert two_blocks.flip_flops == 1
