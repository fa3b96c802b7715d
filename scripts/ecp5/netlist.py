"""What place and route wrote, as Verilog that can be simulated without delays.

Tables, registers, memory in tables, pins and clock buffers become expressions here, as Project Trellis describes them
(prjtrellis.readthedocs.io) and nextpnr names them. Block RAM, multipliers and the clocks' source stay cells, of which
`hw/boards/ulx3s/sim/cells.v` has models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sterna.errors import SternaError

#: Cells that stay cells, and the beginnings of the parameters that their models know.
_KEPT = {
    "DP16KD": ("DATA_WIDTH_", "REGMODE_", "CSDECODE_", "WRITEMODE_", "CLKAMUX", "CLKBMUX"),
    "MULT18X18D": ("REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_PIPELINE_CLK", "REG_OUTPUT_CLK", "MULT_BYPASS"),
    "EHXPLLL": ("CLKOP_DIV", "CLKOS_DIV", "CLKOP_CPHASE", "CLKOP_FPHASE", "CLKOS_CPHASE", "CLKOS_FPHASE"),
}
#: Contents of a memory after configuration: in part of each, all 0.
_CONTENTS = "INITVAL_"
_LOW, _HIGH = "1'b0", "1'b1"


class Cell:
    """A cell of the netlist."""

    def __init__(self, name: str, cell: Mapping[str, Any]) -> None:
        self.name, self.kind = name, str(cell["type"])
        self.parameters: dict[str, str] = {key: value.strip() for key, value in cell["parameters"].items()}
        self._pins: dict[str, list[int | str]] = {pin: bits for pin, bits in cell["connections"].items() if bits}

    def pin(self, name: str, otherwise: str = _HIGH) -> str:
        """The wire at a pin; `otherwise` if there is none. A multiplexer before it may invert it, or be a constant."""
        found = _wire(self._pins[name][0]) if name in self._pins else otherwise
        return {"0": _LOW, "1": _HIGH, "INV": f"~{found}"}.get(self.parameters.get(f"{name}MUX", name), found)

    def bits(self) -> Iterable[int]:
        """The wires at its pins."""
        return (bit for bits in self._pins.values() for bit in bits if isinstance(bit, int))

    def names(self) -> list[str]:
        """Pins that are connected, or that a multiplexer sets."""
        set_by_mux = (name.removesuffix("MUX") for name in self.parameters if name.endswith("MUX"))
        return sorted({*self._pins, *set_by_mux})

    def text(self, name: str, otherwise: str, *allowed: str) -> str:
        """A parameter that is text. Raises SternaError if it is neither `otherwise` nor allowed."""
        value = self.parameters.get(name, otherwise)
        if value not in (otherwise, *allowed):
            raise self.unknown(name, value)
        return value

    def table(self) -> str:
        """INITVAL, 16 bits."""
        return f"16'h{int(self.parameters.get('INITVAL', '0'), 2):04x}"

    def unknown(self, name: str, value: str) -> SternaError:
        """The error of something that is not known here."""
        return SternaError(f"{self.kind}: not known", where=self.name, attribute=name, value=value)


def verilog(routed: Path, top: str) -> str:
    """The netlist in the JSON file `routed` as a module `top`. Raises SternaError for what is not known of a cell."""
    (module,) = json.loads(routed.read_text("utf-8"))["modules"].values()
    cells = [Cell(name, cell) for name, cell in module["cells"].items()]
    ports = {name: (port["direction"], port["bits"]) for name, port in module["ports"].items()}
    wires = {bit for cell in cells for bit in cell.bits()}
    wires -= {bit for cell in cells if cell.kind == "TRELLIS_FF" for bit in cell._pins["Q"]}
    pins = {bit: f"{name}[{at}]" for name, (_, bits) in ports.items() for at, bit in enumerate(bits)}
    heads = ",\n".join(f"  {direction} [{len(bits) - 1}:0] {name}" for name, (direction, bits) in ports.items())
    lines = [f"module {top} (", heads, ");", *(f"  wire n{bit};" for bit in sorted(wires - pins.keys()))]
    for cell in cells:
        if cell.kind == "TRELLIS_IO":
            lines += _pad(cell, pins[next(iter(cell._pins["B"]))])
        elif cell.kind in _KEPT:
            lines += _kept(cell)
        elif cell.kind in _WRITERS:
            lines += _WRITERS[cell.kind](cell)
        else:
            raise cell.unknown("type", cell.kind)
    return "\n".join([*lines, "endmodule", ""])


def _wire(bit: int | str) -> str:
    return f"n{bit}" if isinstance(bit, int) else _HIGH if bit == "1" else _LOW


def _at(bits: str, *address: str) -> str:
    """The bit at an address, its highest digit first."""
    return f"1'({bits} >> {{{', '.join(address)}}})"


def _assign(cell: Cell, pin: str, value: str) -> list[str]:
    return [f"  assign {cell.pin(pin)} = {value};"] if pin in cell.names() else []


def _pad(cell: Cell, pin: str) -> list[str]:
    direction = cell.text("DIR", "INPUT", "OUTPUT", "BIDIR")
    if direction == "INPUT":
        return _assign(cell, "O", pin)
    if direction == "OUTPUT":
        return [f"  assign {pin} = {cell.pin('I')};"]
    return [f"  assign {pin} = {cell.pin('T')} ? 1'bz : {cell.pin('I')};", *_assign(cell, "O", pin)]


def _buffer(cell: Cell) -> list[str]:
    return _assign(cell, "CLKO", cell.pin("CLKI"))


def _comb(cell: Cell) -> list[str]:
    """A table; with a carry, or as memory."""
    mode = cell.text("MODE", "LOGIC", "CCU2", "DPRAM", "RAMW_BLOCK")
    if mode == "RAMW_BLOCK":
        return []
    a, b, c, d = (cell.pin(name) for name in "ABCD")
    four = _at(cell.table(), d, c, b, a)
    lines = []
    if mode == "DPRAM":
        memory = f"m{cell.pin('F')}"
        address = ", ".join(cell.pin(f"WAD{at}") for at in reversed(range(4)))
        lines = [
            f"  reg [15:0] {memory} = {cell.table()};",
            f"  always @(posedge {cell.pin('WCK')})",
            f"    if ({cell.pin('WRE')}) {memory}[{{{address}}}] <= {cell.pin('WD')};",
        ]
        # As the memory's own pins are wired to the table's.
        four = _at(memory, a, c, b, d)
    if mode == "CCU2":
        is_first = cell.text("CCU2_INJECT1", "NO", "YES") == "YES"
        carry = cell.pin("FCI", _LOW)
        two = _LOW if is_first else _at(cell.table(), _LOW, _LOW, b, a)
        lines += _assign(cell, "FCO", f"{four} ? {carry} : {two}")
        four = four if is_first else f"{four} ^ {carry}"
    lines += _assign(cell, "F", four)
    if "OFX" in cell.names():
        if "FXA" in cell.names() or "FXB" in cell.names():
            low, high = cell.pin("FXA"), cell.pin("FXB")
        else:
            low, high = four, cell.pin("F1")
        lines += _assign(cell, "OFX", f"{cell.pin('M')} ? {high} : {low}")
    return lines


def _memory_write(cell: Cell) -> list[str]:
    """Hands address and data to the memory in the tables beside it."""
    ways = {"WADO0": "D0", "WADO1": "B0", "WADO2": "C0", "WADO3": "A0"}
    ways |= {"WDO0": "C1", "WDO1": "A1", "WDO2": "D1", "WDO3": "B1"}
    return [line for out, pin in ways.items() for line in _assign(cell, out, cell.pin(pin))]


def _register(cell: Cell) -> list[str]:
    value = _HIGH if cell.text("REGSET", "RESET", "SET") == "SET" else _LOW
    edge = "negedge" if cell.parameters.get("CLKMUX") == "INV" else "posedge"
    clock, reset, enable = cell.pin("CLK").lstrip("~"), cell.pin("LSR", _LOW), cell.pin("CE")
    data = cell.pin("DI" if cell.text("SD", "0", "1") == "1" else "M")
    q = cell.pin("Q")
    lines = [f"  reg {q} = {value};"]
    keep = data if enable == _HIGH else f"{enable} ? {data} : {q}"
    if reset == _LOW:
        return [*lines, f"  always @({edge} {clock}) {q} <= {keep};"]
    trigger = f"{edge} {clock}"
    if cell.text("SRMODE", "LSR_OVER_CE", "ASYNC") == "ASYNC":
        trigger += f" or {'negedge' if reset.startswith('~') else 'posedge'} {reset.lstrip('~')}"
    return [*lines, f"  always @({trigger}) if ({reset}) {q} <= {value}; else {q} <= {keep};"]


def _kept(cell: Cell) -> list[str]:
    known = {name: value for name, value in cell.parameters.items() if name.startswith(_KEPT[cell.kind])}
    if any(int(value, 2) for name, value in cell.parameters.items() if name.startswith(_CONTENTS)):
        raise cell.unknown(_CONTENTS, "not 0")
    if cell.kind == "DP16KD":
        for pin in ("RSTA", "RSTB"):
            if cell.pin(pin) not in (_LOW, f"~{_HIGH}"):
                raise cell.unknown(pin, "used")
    parameters = ", ".join(f".{name}({_value(value)})" for name, value in sorted(known.items()))
    wired = ", ".join(f".{name}({cell.pin(name)})" for name in cell.names())
    return [f"  {cell.kind} #({parameters}) \\{cell.name} ({wired});"]


def _value(text: str) -> str:
    return f"{len(text)}'b{text}" if len(text) == 32 and set(text) <= {"0", "1"} else f'"{text}"'


_WRITERS: dict[str, Callable[[Cell], list[str]]] = {
    "TRELLIS_COMB": _comb,
    "TRELLIS_FF": _register,
    "TRELLIS_RAMW": _memory_write,
    "DCCA": _buffer,
}
