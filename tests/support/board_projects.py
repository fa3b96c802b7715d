"""What is wrong with a board's project in a generated folder, as far as it can be told without Quartus.

Commands and the vendor's IP must be those of `board_forms.yaml`; the Platform Designer system must be whole, every
connection within one clock, addresses apart; the top must fit the system and the pins the top.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sterna.generate.boards.board import Board
from sterna.generate.boards.component import TOPS
from sterna.generate.boards.files import AROUND, FOLDER, SYSTEM, TOP
from sterna.spec import board as spec
from sterna.spec.config import EngineConfig
from support import quartus, tcl
from support.forms import Forms, is_value, kinds
from support.quartus import Design
from support.tcl import Call

TABLE = Forms("board_forms.yaml")
#: The parts of the table by file.
PARTS = {
    "system.tcl": ("system",),
    f"{TOP}.tcl": ("project", "pins"),
    f"{TOP}.sdc": ("timing",),
}
#: Interfaces that data goes through, and what may be at the other end of each.
_DATA = {"axi": ("axi", "axi4lite"), "axi4": ("avalon",), "avalon": ("avalon", "axi4lite"), "axi4lite": ()}


def complaints(folder: Path, board: Board, config: EngineConfig) -> list[str]:
    """One line for each fault in the project of `board` in the generated `folder`, the component apart."""
    place = folder / FOLDER
    missing = [name for name in PARTS if not (place / name).is_file()]
    if missing:
        return [f"{name}: missing" for name in missing]
    called = {name: tcl.calls(place / name) for name in PARTS}
    found = [f"{name}: {said}" for name, part in PARTS.items() for said in TABLE.unknown(called[name], part)]
    system = System.of(called["system.tcl"], tcl.calls(place / f"{TOPS[board.kind]}_hw.tcl"))
    found += system.complaints(board, config)
    found += _top(place, system)
    found += _pins(place, called[f"{TOP}.tcl"])
    found += _project(place, called[f"{TOP}.tcl"], board)
    found += _timing(called[f"{TOP}.sdc"], place, board)
    return found + list(_overlay(place, board) if board.kind == "soc" else ())


def component(folder: Path, board: Board) -> list[str]:
    """One line for each fault in the component of `board`, against the real RTL."""
    name = TOPS[board.kind]
    place = folder / FOLDER
    called = tcl.calls(place / f"{name}_hw.tcl")
    found = list(quartus.TABLE.unknown(called, ("component", "shell")))
    sources = [*quartus.sources(folder), *_shell(folder)]
    parameters = {call[1]: call[3] for call in called if call[0] == "add_parameter"}
    options = [f"-G{parameter}={value}" for parameter, value in parameters.items()]
    design = Design(folder, sources, "--top", name, *options)
    return [*found, *design.diagnostics(), *quartus.component(place, called, name, sources, design)]


def _shell(folder: Path) -> list[str]:
    """What is around the engine, in the order of the component."""
    names = sorted((folder / AROUND).glob("*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path))
    return [f"{AROUND}/{path.name}" for path in names]


# ------------------------------------------------------------------------------------------------------------ system


@dataclass
class System:
    """A Platform Designer system: instances, what they are connected to, and what is shown outside."""

    kinds: dict[str, str]
    parameters: dict[tuple[str, str], str]
    connections: list[tuple[str, str]]
    settings: dict[tuple[str, str], dict[str, str]]
    exports: dict[str, str]
    repeated: list[str]
    #: Interfaces of each instance by the table, or by the component.
    interfaces: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, called: list[Call], component: list[Call]) -> System:
        """The system that a script makes, in which the component is an instance of its name."""
        instances = [call[1:] for call in called if call[0] == "add_instance"]
        system = cls(
            dict(instances),
            {(call[1], call[2]): call[3] for call in called if call[0] == "set_instance_parameter_value"},
            [(call[1], call[2]) for call in called if call[0] == "add_connection"],
            {},
            {call[1]: call[3] for call in called if call[0] == "set_interface_property" and call[2] == "EXPORT_OF"},
            [name for name, times in Counter(name for name, _ in instances).items() if times > 1],
        )
        for call in called:
            if call[0] == "set_connection_parameter_value":
                start, _, end = call[1].partition("/")
                system.settings.setdefault((start, end), {})[call[2]] = call[3]
        for name, kind in system.kinds.items():
            known = TABLE.table["kinds"].get(kind)
            system.interfaces[name] = known["interfaces"] if known else _of_component(component)
        return system

    def complaints(self, board: Board, config: EngineConfig) -> Iterator[str]:
        """One line for each fault."""
        yield from self._instances(board)
        yield from self._ends()
        if any(self._interface(end) is None for pair in self.connections for end in pair):
            return
        yield from self._clocks_and_resets()
        yield from self._data()
        yield from self._interrupts()
        yield from self._facts(board, config)

    def _interface(self, end: str) -> dict[str, Any] | None:
        name, _, interface = end.partition(".")
        return self.interfaces.get(name, {}).get(interface)

    def _instances(self, board: Board) -> Iterator[str]:
        for name in self.repeated:
            yield f"instance {name} is added twice"
        for name, kind in self.kinds.items():
            if kind not in TABLE.table["kinds"] and kind != TOPS[board.kind]:
                yield f"instance {name}: the table has no IP {kind}"
        for (name, parameter), value in self.parameters.items():
            known = TABLE.table["kinds"].get(self.kinds.get(name, ""))
            if known is None:
                yield f"parameter {parameter} of {name}, which is no instance of the table's"
                continue
            allowed = known["parameters"].get(parameter)
            if allowed is None and parameter in known.get("numbers", "").split():
                allowed = "NUMBER"
            if allowed is None:
                yield f"{name}: {self.kinds[name]} has no parameter {parameter}"
            elif not is_value(value, str(allowed)):
                yield f"{name}: {parameter} is {value}, not {allowed}"

    def _ends(self) -> Iterator[str]:
        """Connections are between interfaces that there are, from one that gives to one that takes."""
        for start, end in self.connections:
            for each in (start, end):
                if self._interface(each) is None:
                    yield f"{each} is no interface of the table's"
            one, other = self._interface(start), self._interface(end)
            if one is None or other is None:
                continue
            # An interrupt is connected from the one that receives it.
            gives, takes = ("in", "out") if one["type"] == "interrupt" else ("out", "in")
            if (one["side"], other["side"]) != (gives, takes):
                yield f"{start} is not connected to {end} from the one that begins"
            if one["type"] != other["type"] and other["type"] not in _DATA.get(one["type"], ()):
                yield f"{start} is {one['type']}, {end} is {other['type']}"
        for pair, times in Counter(self.connections).items():
            if times > 1:
                yield f"{pair[0]} is connected to {pair[1]} {times} times"
        for name, inside in self.exports.items():
            if self._interface(inside) is None:
                yield f"{name} shows {inside}, which is no interface of the table's"
        for inside, times in Counter(self.exports.values()).items():
            if times > 1:
                yield f"{inside} is shown {times} times"

    def _clocks_and_resets(self) -> Iterator[str]:
        """Each input of a clock or of a reset has a source."""
        for name, interfaces in self.interfaces.items():
            for interface, known in interfaces.items():
                end = f"{name}.{interface}"
                if known["type"] not in ("clock", "reset") or known["side"] != "in":
                    continue
                sources = [start for start, to in self.connections if to == end]
                if known["type"] == "clock" and len(sources) + (end in self.exports.values()) > 1:
                    yield f"{end} has {len(sources)} clocks"
                if not sources and end not in self.exports.values():
                    yield f"{end} has no {known['type']}"

    def _clock_of(self, end: str) -> str | None:
        """The output that gives an interface's clock."""
        name = end.partition(".")[0]
        known = self._interface(end)
        clock = f"{name}.{known['clock']}" if known and "clock" in known else end
        found = self._interface(clock)
        if found is None or found["side"] == "out":
            return clock
        if clock in self.exports.values():
            return clock
        return next((start for start, to in self.connections if to == clock), None)

    def _bits(self, end: str) -> int:
        """Bits of data of an interface."""
        return self.number(end.partition(".")[0], (self._interface(end) or {})["bits"])

    def number(self, name: str, value: object) -> int:
        """A number of the table: itself, a parameter of an instance, a part of one, 2 to its power, or a product."""
        if isinstance(value, int):
            return value
        product = 1
        for factor in str(value).split():
            parameter, _, divisor = factor.removeprefix("2^").partition("/")
            found = int(factor) if factor.isdigit() else int(float(self.parameters.get((name, parameter), "0")))
            product *= (1 << found) if factor.startswith("2^") else found // int(divisor or 1)
        return product

    def _data(self) -> Iterator[str]:
        """Data stays within a clock and keeps its width at the memory; addresses are there and apart."""
        places: dict[str, list[tuple[int, int, str]]] = {}
        for start, end in self.connections:
            known = self._interface(end) or {}
            if known["type"] not in _DATA:
                continue
            clocks = self._clock_of(start), self._clock_of(end)
            if clocks[0] != clocks[1]:
                yield f"{start} has the clock {clocks[0]}, {end} {clocks[1]}: a crossing is missing"
            if start == "sterna.m_axi" and self._bits(start) != self._bits(end):
                yield f"{start} has {self._bits(start)} bits, {end} {self._bits(end)}"
            address = self.settings.get((start, end), {}).get("baseAddress", "")
            if not re.fullmatch(r"0x[0-9a-f]{8,}", address):
                yield f"{start} sees {end} at no address"
                continue
            span = self.number(end.partition(".")[0], known["span"])
            base = int(address, 16)
            if base % span:
                yield f"{start} sees {end} at {address}, no multiple of its {span:#x} bytes"
            places.setdefault(start, []).append((base, base + span, end))
        for start, ranges in places.items():
            for (_, stop, one), (base, _, other) in zip(sorted(ranges), sorted(ranges)[1:], strict=False):
                if base < stop:
                    yield f"{start} sees {one} and {other} at the same addresses"
            reach = self.number(start.partition(".")[0], (self._interface(start) or {}).get("span", 1 << 64))
            for base, _, end in ranges:
                if base >= reach:
                    yield f"{start} does not reach {end}"
        for master in ("sterna.m_axi", "sterna.m_msi"):
            if self._interface(master) is not None and master not in places:
                yield f"{master} is not connected"
        for slave in ("sterna.s_axil", "sterna.msi_intfc"):
            if self._interface(slave) is not None and not any(end == slave for _, end in self.connections):
                yield f"{slave} is not connected"
        for start, end in self.settings:
            if (start, end) not in self.connections:
                yield f"a parameter of {start}/{end}, which is no connection"

    def _interrupts(self) -> Iterator[str]:
        found = [pair for pair in self.connections if (self._interface(pair[0]) or {})["type"] == "interrupt"]
        known = [each for of in self.interfaces.values() for each in of.values()]
        if any((each["type"], each["side"]) == ("interrupt", "in") for each in known) and len(found) != 1:
            yield f"there are {len(found)} interrupts, not one"
        for pair in found:
            if self.settings.get(pair, {}).get("irqNumber") != str(spec.SOC_INTERRUPT):
                yield f"{pair[1]} is not interrupt {spec.SOC_INTERRUPT}"

    def _facts(self, board: Board, config: EngineConfig) -> Iterator[str]:
        """What the driver, the estimate and the description say."""
        frequency = self.parameters.get(("pll", "gui_output_clock_frequency0"))
        if frequency is None or float(frequency) != board.mhz(config):
            yield f"the engine's clock is {frequency} MHz, not {board.mhz(config)}"
        if self._clock_of("sterna.clk") != "pll.outclk0":
            yield "the engine's clock is not the PLL's"
        wanted = spec.SOC_REGISTERS if board.kind == "soc" else 0
        for (start, end), found in self.settings.items():
            if end == "sterna.s_axil" and int(found.get("baseAddress", "-1"), 16) != wanted:
                yield f"{start} sees the registers at {found['baseAddress']}, not {wanted:#x}"

    def ports(self) -> dict[str, tuple[str, int]]:
        """Direction and width of each port of the system, by its name."""
        found = {}
        for export, inside in self.exports.items():
            name = inside.partition(".")[0]
            for role, (direction, bits) in ((self._interface(inside) or {}).get("ports") or {}).items():
                found[f"{export}_{role}"] = (direction, self.number(name, bits))
        return found


def _of_component(called: list[Call]) -> dict[str, dict[str, Any]]:
    """The interfaces of the component, as the table says them."""
    properties = {(call[1], call[2]): call[3] for call in called if call[0] == "set_interface_property"}
    ports = [call for call in called if call[0] == "add_interface_port"]
    found: dict[str, dict[str, Any]] = {}
    for name, kind in kinds(called).items():
        side = next(call[3] for call in called if call[:2] == ["add_interface", name])
        known: dict[str, Any] = {"type": kind, "side": "in" if side == "end" and kind != "interrupt" else "out"}
        if kind in _DATA:
            known["clock"] = properties[(name, "associatedClock")]
            widths = {call[3]: int(call[5]) for call in ports if call[1] == name}
            known["bits"] = widths.get("wdata") or widths.get("writedata")
            if kind == "axi4lite":
                known["span"] = 1 << widths["awaddr"]
        if kind == "reset":
            known["ports"] = {"reset_n": ["input", 1]}
        found[name] = known
    return found


# --------------------------------------------------------------------------------------------- top, pins, project


def _top(place: Path, system: System) -> Iterator[str]:
    """The top maps each port of the system once, with its width and direction, as slang elaborates both."""
    text = (place / f"{TOP}.sv").read_text()
    for name, (way, _) in system.ports().items():
        found = re.search(rf"^  (input|output|inout)\s+wire .*\b{name}\b", text, re.M)
        if found and found[1] != way:
            yield f"{name} is {found[1]} in the top, {way} in the system"
    lines = [f"  {way} wire [{bits - 1}:0] {name}" for name, (way, bits) in system.ports().items()]
    with TemporaryDirectory() as scratch:
        stub = Path(scratch) / "system.sv"
        stub.write_text(f"module {SYSTEM} (\n" + ",\n".join(lines) + "\n);\nendmodule\n")
        silent = [f"-Wno-{each}" for each in ("unused", "unused-port", "undriven-port", "undriven-net")]
        design = Design(place, [f"{TOP}.sv", str(stub)], "--top", TOP, "-Weverything", *silent)
        for said in design.diagnostics(warnings=True):
            yield f"{TOP}.sv: {said}"


def _pins(place: Path, called: list[Call]) -> Iterator[str]:
    """Each bit of the top has one pin of its own, and an I/O standard."""
    located = [(call[3], call[1]) for call in called if call[0] == "set_location_assignment"]
    named = {call[5] for call in called if call[:3] == ["set_instance_assignment", "-name", "IO_STANDARD"]}
    for pin, times in Counter(pin for _, pin in located).items():
        if times > 1:
            yield f"{pin} has {times} ports"
    for port, times in Counter(port for port, _ in located).items():
        if times > 1:
            yield f"{port} has {times} pins"
    wanted = set(_bits_of_top(place))
    ports = {port for port, _ in located if not port.endswith("(n)")}
    for port in sorted(wanted - ports):
        yield f"{port} has no pin"
    for port in sorted(ports - wanted):
        yield f"{port} is no port of the top"
    for port in sorted(ports - named):
        yield f"{port} has no I/O standard"
    for port, _ in located:
        if port.endswith("(n)") and port.removesuffix("(n)") not in ports:
            yield f"{port} is the complement of no port"
    for call in called:
        if call[0] == "set_instance_assignment" and call[5] not in wanted and not call[5].startswith("u_system|"):
            yield f"{call[5]} is no port of the top"


def _bits_of_top(place: Path) -> Iterator[str]:
    text = (place / f"{TOP}.sv").read_text()
    for last, name in re.findall(r"^  (?:input|output|inout)\s+wire (?:\[(\d+):0\] )?(\w+)", text, re.M):
        yield from (f"{name}[{index}]" for index in range(int(last) + 1)) if last else [name]


def _project(place: Path, called: list[Call], board: Board) -> Iterator[str]:
    """The project is for the board's chip, and its files are there or made before it is compiled."""
    values = {call[2]: call[3] for call in called if call[0] == "set_global_assignment"}
    if values.get("DEVICE") != board.chip.part:
        yield f"the project is for {values.get('DEVICE')}, not {board.chip.part}"
    if values.get("TOP_LEVEL_ENTITY") != TOP:
        yield f"the project has top {values.get('TOP_LEVEL_ENTITY')}"
    made = f"{SYSTEM}/synthesis/{SYSTEM}.qip"
    for kind in ("SYSTEMVERILOG_FILE", "SDC_FILE", "QIP_FILE"):
        name = values.get(kind, made)
        if name != made and not (place / name).is_file():
            yield f"the project: {name} is not there"


def _timing(called: list[Call], place: Path, board: Board) -> Iterator[str]:
    """Each clock is at a port; the PLL's comes from the oscillator of the description."""
    ports = set(_bits_of_top(place))
    clocks = {call[2]: call[4] for call in called if call[0] == "create_clock"}
    for call in called:
        if call[0] == "get_ports" and call[1] not in ports:
            yield f"{call[1]} is no port of the top"
    if clocks.get("clk_clk") != f"{1000 / board.clock_mhz:.3f}":
        yield f"the oscillator has a period of {clocks.get('clk_clk')} ns, at {board.clock_mhz} MHz"


def _overlay(place: Path, board: Board) -> Iterator[str]:
    """The device tree says what the system does and the driver expects."""
    text = (place / "sterna.dts").read_text()
    base = 0xFF20_0000 + spec.SOC_REGISTERS
    wanted = {
        "the registers": f"reg = <{base:#x} {spec.REGISTER_BYTES:#x}>;",
        "the node": f"\t{spec.SOC_NODE}@{base:x} {{",
        "the interrupt": f"interrupts = <0 {40 + spec.SOC_INTERRUPT} 4>;",
        "UIO": f'compatible = "{spec.SOC_COMPATIBLE}";',
        "u-dma-buf": f'compatible = "{spec.SOC_BUFFER_COMPATIBLE}";',
        "the buffer": f'device-name = "{spec.SOC_BUFFER}";',
        "the bitstream": 'firmware-name = "sterna.rbf";',
    }
    for what, line in wanted.items():
        if text.count(line) != 1:
            yield f"sterna.dts: {what}: not once {line.strip()}"
    if "sterna.rbf:" not in (place / "Makefile").read_text():
        yield "Makefile: makes no sterna.rbf"
