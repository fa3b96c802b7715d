"""Netlists written by hand, as Yosys writes them in JSON."""

from __future__ import annotations

from typing import Any

LUT_INPUTS = "ABCDEF"
#: Truth table of `C ? A : B`, and of the exclusive or of three.
CHOOSE, XOR = "10101100", "10010110"


def cell(kind: str, inputs: dict[str, Any], outputs: dict[str, Any], **parameters: str) -> dict[str, Any]:
    ways = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {
        "type": kind,
        "attributes": {"src": f"rtl/{kind.lower()}.sv:7.3-9.6|/share/some.v:1.2"},
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


def module(
    *cells: dict[str, Any], outputs: tuple[int, ...] = (), ports: dict[str, tuple[str, list[int]]] | None = None,
    names: dict[str, list[int]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Cells named by their index, a port `out`, further `ports` with direction and nets, and `names` of nets."""
    every = {"out": ("output", list(outputs))} | (ports or {})
    return {
        "cells": {f"cell{index}": each for index, each in enumerate(cells)},
        "ports": {name: {"direction": way, "bits": bits} for name, (way, bits) in every.items()},
        "netnames": {name: {"bits": bits} for name, bits in (names or {}).items()},
    }


def multiplier(a: int, b: int, product: int, bits: int = 26) -> dict[str, Any]:
    shape = {"A_WIDTH": "10100", "B_WIDTH": f"{bits:b}", "Y_WIDTH": "1"}
    return cell("STERNA_MULTIPLIER", {"A": [a], "B": [b]}, {"Y": [product]}, **shape)
