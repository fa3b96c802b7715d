"""The RTL's package."""

from __future__ import annotations

from textwrap import wrap

from sterna.generate.spec.contents import (
    LICENCE,
    ORIGIN,
    REGISTER_CONSTANTS,
    REGISTER_GROUPS,
    TAPE_CONSTANTS,
    TAPE_GROUPS,
    Constant,
    Group,
    camel,
    document,
    member_description,
)
from sterna.spec import registers, tape
from sterna.spec.fields import Field, Layout
from sterna.spec.serial import SerialCommand

COLUMNS = 100

#: Structures that only the RTL has.
GATHER = Layout(
    "gather",
    (
        Field("plane", 24),
        Field("tile_row", 16, signed=True),
        Field("row", 4),
        Field("tile_col", 16, signed=True),
        Field("col", 4),
    ),
    "What the gather reads of a word: the window of a tile.",
)
PASS = Layout(
    "pass",
    (
        Field("write", 1),
        Field("table_half", 1),
        Field("pool", 2),
        Field("activation", 2),
        Field("shift", 6),
        Field("filters", 16),
        Field("address", 32),
        Field("keep_address", 32),
        Field("plane", 32),
    ),
    "What a drain does for one cluster at the end of a tile pass.",
)
GENERAL = Layout(
    "general",
    (Field("low", 8, signed=True), Field("high", 8, signed=True), Field("half_even", 1)),
    "The limits of a step's results, and how ties are rounded.",
)
#: The payloads of AXI4 and AXI4-Lite channels whose widths are the same in every engine.
AXI_ADDRESS = Layout(
    "axi_address",
    (
        Field("qos", 4),
        Field("prot", 3),
        Field("cache", 4),
        Field("lock", 1),
        Field("burst", 2),
        Field("size", 3),
        Field("len", 8),
        Field("addr", 64),
        Field("id", 1),
    ),
    "AXI4 write and read address.",
)
AXI_WRITTEN = Layout("axi_written", (Field("resp", 2), Field("id", 1)), "AXI4 write response.")
AXI_READ = Layout("axi_read", (Field("last", 1), Field("resp", 2), Field("id", 1)), "AXI4 read data, but for the data.")
AXIL_ADDRESS = Layout(
    "axil_address", (Field("prot", 3), Field("addr", registers.ADDRESS_BITS)), "AXI4-Lite write and read address."
)
AXIL_WRITE = Layout("axil_write", (Field("strb", 4), Field("data", 32)), "AXI4-Lite write data.")
AXIL_READ = Layout("axil_read", (Field("resp", 2), Field("data", 32)), "AXI4-Lite read data.")
AXI_CONSTANTS = (
    Constant("axi_burst", 1, "AWBURST and ARBURST: INCR.", 2),
    Constant("axi_cache", 3, "AWCACHE and ARCACHE: normal, non-cacheable, bufferable.", 4),
)
AXI_LAYOUTS = (AXI_ADDRESS, AXI_WRITTEN, AXI_READ, AXIL_ADDRESS, AXIL_WRITE, AXIL_READ)
LAYOUTS = (*tape.LAYOUTS, GATHER, PASS, GENERAL, *AXI_LAYOUTS)


def package() -> str:
    """The text of sterna_pkg.sv."""
    constants = (*REGISTER_CONSTANTS, *TAPE_CONSTANTS, *AXI_CONSTANTS)
    return document(
        [
            [
                f"// {LICENCE}",
                "",
                "/// Formats of tape, registers and bus.",
                f"// {ORIGIN}",
                "package sterna_pkg;",
            ],
            [line for constant in constants for line in _constant(constant)],
            *(_group(group) for group in (*REGISTER_GROUPS, *TAPE_GROUPS)),
            *(_struct(layout) for layout in LAYOUTS),
            ["endpackage"],
        ]
    )


def serial_package() -> str:
    """The text of sterna_serial_pkg.sv."""
    lines = []
    for command in SerialCommand:
        name = camel(command.name)
        lines += [*_comment(command.description, "  "), _sized(f"Serial{name}", command.value, 8)]
        lines += [*_comment("Bytes of its arguments.", "  ")]
        lines += [f"  localparam int unsigned Serial{name}Bytes = {command.argument_bytes};"]
    head = [f"// {LICENCE}", "", "/// Commands of the serial line.", f"// {ORIGIN}", "package sterna_serial_pkg;"]
    return document([head, lines, ["endpackage"]])


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}/// {line}" for line in wrap(text, COLUMNS - len(indent) - 4)]


def _constant(constant: Constant) -> list[str]:
    name, value = camel(constant.name), constant.value
    if constant.bits is None:
        return [*_comment(constant.description, "  "), f"  localparam int unsigned {name} = {value};"]
    return [*_comment(constant.description, "  "), _sized(name, value, constant.bits)]


def _sized(name: str, value: int, bits: int) -> str:
    return f"  localparam logic [{bits - 1}:0] {name} = {bits}'h{value:x};"


def _group(group: Group) -> list[str]:
    lines = [f"  // {line}" for line in wrap(group.description, COLUMNS - 5)]
    for member in group.members:
        lines += _comment(member_description(member), "  ")
        lines.append(_sized(group.rtl + camel(member.name or ""), member.value, group.bits))
    return lines


def _struct(layout: Layout) -> list[str]:
    lines = [*_comment(layout.description, "  "), "  typedef struct packed {"]
    for field in reversed(layout.fields):
        lines += _comment(field.description, "    ")
        lines.append(f"    logic {'signed ' if field.signed else ''}[{field.bits - 1}:0] {field.name};")
    return [*lines, f"  }} {layout.name}_t;"]
