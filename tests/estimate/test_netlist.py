"""Packing rules and delays on netlists written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sterna.estimate.netlist import packed_alms, usage

LUT_INPUTS = "ABCDEF"
#: Truth table of `C ? A : B`, and of the exclusive or of three.
CHOOSE, XOR = "10101100", "10010110"


def cell(kind: str, inputs: dict[str, Any], outputs: dict[str, Any], **parameters: str) -> dict[str, Any]:
    ways = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {
        "type": kind,
        "parameters": parameters,
        "port_directions": ways,
        "connections": {name: bits if isinstance(bits, list) else [bits] for name, bits in (inputs | outputs).items()},
    }


def lut(output: int, *inputs: int, table: str = XOR) -> dict[str, Any]:
    return cell(f"MISTRAL_ALUT{len(inputs)}", dict(zip(LUT_INPUTS, inputs, strict=False)), {"Q": output}, LUT=table)


def adder(a: int, b: int, total: int, carry_in: int | str = "0", carry: int = 99) -> dict[str, Any]:
    pins = {"A": a, "B": b, "C": "0", "D0": "1", "D1": "1", "CI": carry_in}
    return cell("MISTRAL_ALUT_ARITH", pins, {"SO": total, "CO": carry}, LUT0="0", LUT1="0")


def register(data: int, output: int) -> dict[str, Any]:
    pins = {"DATAIN": data, "CLK": 0, "ACLR": "1", "ENA": "1", "SCLR": "0", "SLOAD": "0", "SDATA": "0"}
    return cell("MISTRAL_FF", pins, {"Q": output})


def module(*cells: dict[str, Any], outputs: tuple[int, ...] = ()) -> dict[str, Any]:
    ports = {"out": {"direction": "output", "bits": list(outputs)}}
    return {"cells": {f"cell{index}": each for index, each in enumerate(cells)}, "ports": ports}


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


def multiplier(a: int, b: int, product: int, bits: int = 26) -> dict[str, Any]:
    shape = {"A_WIDTH": "10100", "B_WIDTH": f"{bits:b}", "Y_WIDTH": "1"}
    return cell("STERNA_MULTIPLIER", {"A": [a], "B": [b]}, {"Y": [product]}, **shape)


def test_a_register_after_a_multiplier_is_in_it() -> None:
    product = multiplier(1, 2, 3)
    inside = usage(module(product, register(3, 4), outputs=(4,)))
    assert (inside.flip_flops, dict(inside.multipliers)) == (0, {(20, 26): 1})
    outside = usage(module(product, register(3, 4), outputs=(3, 4)))
    assert outside.flip_flops == 1
    two_blocks = usage(module(multiplier(1, 2, 3, bits=28), register(3, 4), outputs=(4,)))
    assert two_blocks.flip_flops == 1


@pytest.mark.parametrize(
    ("more", "outputs", "wires"),
    [
        # Both registers are in the block.
        ([], (4,), 0),
        # The register in front feeds another multiplier: it is in both blocks.
        ([multiplier(1, 8, 9), register(9, 10)], (4, 10), 0),
        # It feeds a LUT as well: a wire leads from it.
        ([lut(9, 1, 8)], (4, 9), 219),
        # The product is read by others than the register: wires lead from the multiplier and to the register.
        ([], (3, 4), 1785 + 268),
        ([lut(9, 1, 8)], (3, 4, 9), 219 + 1785 + 268),
    ],
)
def test_wires_inside_a_block_take_no_time(more: list[dict[str, Any]], outputs: tuple[int, ...], wires: int) -> None:
    found = usage(module(register(7, 1), multiplier(1, 2, 3), register(3, 4), *more, outputs=outputs))
    path = found.paths["arria10"]
    assert path.picoseconds == 219 + 1785 + 268
    assert path.with_wires == path.picoseconds + wires
    assert (path.start, path.end) == ("cell0", "cell2")


def test_the_slowest_path_is_that_with_wires() -> None:
    """One through LUTs is slower than a longer one inside a block."""
    luts = [lut(20 + i, 19 + i, 30, 31, 32, 33) for i in range(5)]
    cells = (register(7, 1), multiplier(1, 2, 3), register(3, 4), register(8, 19), *luts, register(24, 25))
    path = usage(module(*cells, outputs=(4, 25))).paths["arria10"]
    assert path.picoseconds == 219 + 5 * 272 + 268 < 219 + 1785 + 268
    assert (path.with_wires, path.start, path.end) == (2 * path.picoseconds, "cell3", "cell9")


def test_the_slowest_path() -> None:
    # register, LUT (slow input), carry chain of two, register
    chain = (
        register(1, 2), lut(3, 2, 20, 21), lut(23, 20, 22), adder(3, 23, 4, carry=5), adder(24, 25, 6, carry_in=5),
        register(6, 7),
    )  # fmt: skip
    path = usage(module(*chain, outputs=(7,))).paths["cyclone5"]
    assert path.picoseconds == 731 + 512 + 1082 + 368
    assert (path.levels, path.start, path.end) == (2, "cell0", "port")
    faster = usage(module(*chain, outputs=(7,))).paths["arria10"]
    assert faster.picoseconds == 219 + 165 + 525 + 276 + 268
    assert (faster.start, faster.end) == ("cell0", "cell5")
