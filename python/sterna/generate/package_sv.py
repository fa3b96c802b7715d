"""Writes hw/rtl/sterna_pkg.sv from the formats in sterna.spec."""

from __future__ import annotations

from enum import IntEnum

from sterna.files import write_bytes
from sterna.spec import registers, tape
from sterna.spec.activations import Activation
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.paths import RTL

_HEAD = """\
// Formats of tape and registers. Written by `make package-sv` from python/sterna/spec: change them there.
package sterna_pkg;
"""

#: Structures that only the RTL has: fields, low bits first.
GATHER_FIELDS = (
    ("plane", 24),
    ("tile_row", 16),
    ("row", 4),
    ("tile_col", 16),
    ("col", 4),
)
PASS_FIELDS = (
    ("write", 1),
    ("table_half", 1),
    ("pool", 2),
    ("activation", 2),
    ("shift", 6),
    ("filters", 16),
    ("address", 32),
    ("keep_address", 32),
    ("plane", 32),
)
_SIGNED = {"pad_value", "tile_row", "tile_col"}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _constant(name: str, value: int, bits: int = 32) -> str:
    return f"  localparam logic [{bits - 1}:0] {name} = {bits}'h{value:x};"


def _enum(prefix: str, members: type[IntEnum], bits: int) -> list[str]:
    return [_constant(prefix + _camel(member.name), member.value, bits) for member in members]


def _struct(name: str, fields: tuple[tuple[str, int], ...], total: int | None = None) -> list[str]:
    used = sum(bits for _, bits in fields)
    unused = [("unused", total - used)] if total and total > used else []
    lines = [
        f"    logic {'signed ' if field in _SIGNED else ''}[{bits - 1}:0] {field};"
        for field, bits in reversed([*fields, *unused])
    ]
    return ["  typedef struct packed {", *lines, f"  }} {name};"]


def package_text() -> str:
    """The text of sterna_pkg.sv."""
    blocks = [
        [
            _constant("TapeMagic", tape.MAGIC, 64),
            _constant("TapeVersion", tape.VERSION),
            _constant("CrcResidue", tape.CRC_RESIDUE),
            _constant("EngineIdentity", registers.IDENTITY),
            _constant("EngineVersion", registers.ENGINE_VERSION),
            f"  localparam int unsigned RegisterAddrW = {registers.ADDRESS_BITS};",
            f"  localparam int unsigned ProfileSteps = {registers.PROFILE_STEPS};",
            f"  localparam int unsigned WordChannels = {WORD_CHANNELS};",
            f"  localparam int unsigned RequantMultiplierW = {tape.REQUANT_MULTIPLIER_BITS};",
            f"  localparam int unsigned RequantBiasW = {tape.REQUANT_BIAS_BITS};",
            _constant("AfterAll", tape.AFTER_ALL, 10),
        ],
        _enum("Segment", tape.SegmentKind, 32),
        _enum("Op", tape.Op, 8),
        _enum("Activation", Activation, 2),
        _enum("Record", tape.RecordKind, 8),
        [_constant("EntryControl", tape.ENTRY_CONTROL, 2), *_enum("Command", tape.Command, 5)],
        _enum("Pool", tape.Pool, 2),
        _enum("Error", registers.ErrorCode, 8),
        [_constant(f"Control{_camel(m.name or '')}", m.value) for m in registers.Control],
        [_constant(f"Status{_camel(m.name or '')}", m.value) for m in registers.Status],
        _enum("Reg", registers.Register, registers.ADDRESS_BITS),
        _struct("step_t", tape.STEP_FIELDS, tape.STEP_BITS),
        _struct("fetch_t", tape.FETCH_FIELDS, 64),
        _struct("gather_t", GATHER_FIELDS),
        _struct("pass_t", PASS_FIELDS),
    ]
    body = "\n\n".join("\n".join(block) for block in blocks)
    return f"{_HEAD}\n{body}\n\nendpackage\n"


def main() -> None:
    """Rewrite hw/rtl/sterna_pkg.sv."""
    write_bytes(RTL / "sterna_pkg.sv", package_text().encode())


if __name__ == "__main__":
    main()
