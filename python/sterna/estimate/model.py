"""The timing of a module seen from outside: how long signals take between its pins and its registers.

A module is synthesised with the modules in it as black boxes, so its pins are its own ports and those of the modules
in it. `paths.py` joins such models along the hierarchy. A *node* of a model is a pin at which a signal comes in, or a
net that is driven in the module and leaves it. What a net that leaves costs depends on who reads it elsewhere, so its
wire is counted where modules are joined; the wires of all other nets are in the model.

Pins of ports of up to `BITWISE` bits are told apart; a wider port is one pin, as slow as its slowest bit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sterna.estimate.netlist import Cell, fan_out, read_cells, wireless
from sterna.estimate.timing import Delays, arcs, ends, is_block, loads, starts

BITWISE = 64


class Register(NamedTuple):
    """A register or memory: its name in the sources, if it has kept one, and the place there as file:line."""

    name: str
    source: str


class Hop(NamedTuple):
    """A way from one node to another, or from or to a register."""

    delay: int
    #: LUTs, carry chains and blocks on it.
    levels: int
    start: Register | None = None
    end: Register | None = None


class Net(NamedTuple):
    """Nets of a node that are alike: pins of cells in the module that read them, and pins that they lead to."""

    loads: float
    pins: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """Timing of a module by node. A pin of a module in it is named `instance.port`."""

    #: Through cells from one node to another.
    between: dict[str, dict[str, Hop]]
    #: From the slowest register to a node, and from a node to the slowest register.
    starts: dict[str, Hop]
    ends: dict[str, Hop]
    #: From register to register: the slowest to each place in the sources, slowest first.
    inside: list[Hop]
    #: Where the nets of a node lead. Nodes that are driven in the module are named by these pins, joined by `+`.
    nets: dict[str, list[Net]]
    driven: frozenset[str]
    #: Nets in the module with many loads, by name.
    wide: dict[str, int]


@dataclass(frozen=True)
class Stretch:
    """What makes the netlist of a narrow module that of a wide one, which repeats the same slice more often."""

    #: Ports whose width grows, those of modules in it included; each is one pin.
    ports: frozenset[str] = frozenset()
    #: Slices of the narrow one. Nets with so many loads or more have `factor` times as many in the wide one.
    slices: int = 0
    factor: float = 1

    def loads(self, count: float) -> float:
        """Loads of a net in the wide module."""
        return count * self.factor if count >= self.slices else count


NO_STRETCH = Stretch()


#: Nets above this many loads are listed.
MANY = 256
#: Stands for all registers among the sources of a signal.
_REGISTERS = ""


def _pins(module: Mapping[str, Any], direction: str, whole: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Each net at a pin, and the name of the pin. The ports `whole` are one pin each."""
    for name, port in module["ports"].items():
        bits = port["bits"]
        if port["direction"] != direction:
            continue
        for index, bit in enumerate(bits):
            if isinstance(bit, int):
                yield bit, f"{name}[{index}]" if 1 < len(bits) <= BITWISE and name not in whole else name


def model(module: Mapping[str, Any], delays: Delays, stretch: Stretch = NO_STRETCH) -> Model:
    """The timing of a module of Yosys' JSON."""
    return _Tracer(module, delays, stretch).model()


class _Tracer:
    """Follows signals through a netlist."""

    def __init__(self, module: Mapping[str, Any], delays: Delays, stretch: Stretch) -> None:
        self._delays = delays
        self._cells = read_cells(module)
        self._names = _register_names(module)
        self._entering: dict[int, str] = dict(_pins(module, "input", stretch.ports))
        self._leaving: dict[int, set[str]] = defaultdict(set)
        for net, pin in _pins(module, "output", stretch.ports):
            self._leaving[net].add(pin)
        self._loads: dict[int, float] = defaultdict(float)
        for cell in self._cells:
            for net, count in loads(cell):
                self._loads[net] += count
        self._loads |= {net: stretch.loads(count) for net, count in self._loads.items()}
        self._wireless = wireless(self._cells, fan_out(self._cells, module))
        #: Nets driven by logic and read by one register: they lie in its ALM.
        self._private = self._nets_of_registers()
        self._arrived: dict[int, dict[str, Hop]] = {}
        self._driven: dict[int, str] = {}
        self._between: dict[str, dict[str, Hop]] = defaultdict(dict)
        self._starts: dict[str, Hop] = {}

    def model(self) -> Model:
        """The whole."""
        self._follow()
        into, inside = self._arrive()
        nodes = self._driven | self._entering
        nets: dict[str, set[Net]] = defaultdict(set)
        for net, node in nodes.items():
            nets[node].add(Net(self._loads[net], tuple(sorted(self._leaving[net]))))
        return Model(
            between=dict(self._between),
            starts=self._starts,
            ends=into,
            inside=inside,
            nets={node: sorted(found) for node, found in nets.items()},
            driven=frozenset(self._driven.values()),
            wide=self._wide(),
        )

    def _nets_of_registers(self) -> set[int]:
        logic = {
            net
            for cell in self._cells
            if cell.is_lut or cell.kind == "MISTRAL_ALUT_ARITH"
            for bits in cell.outputs.values()
            for net in bits
        }
        return {net for net in logic if isinstance(net, int) and self._loads[net] == 1}

    def _wire(self, net: int) -> int:
        """From the driver of a net to a reader; nothing if the net is a node, whose wire is not known here."""
        if net in self._wireless or net in self._entering or net in self._leaving:
            return 0
        return self._delays.wire(round(self._loads[net]))

    def _column(self, cell: Cell, net: int) -> int:
        """What a wire between a block and others takes more."""
        return round(self._delays.column) if is_block(cell) and net not in self._wireless else 0

    def _register(self, cell: Cell) -> Register:
        if cell.kind == "STERNA_MEMORY":
            return Register(cell.name, cell.source)
        outputs = (net for bits in cell.outputs.values() for net in bits if isinstance(net, int))
        name = next((self._names[net] for net in outputs if net in self._names), "")
        return Register(name, cell.source)

    def _follow(self) -> None:
        """When signals arrive at each net, by where they come from."""
        sources: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        first = {}
        for cell in self._cells:
            for arc in arcs(cell, self._delays):
                wire = self._wire(arc.start) if arc.wired else 0
                ways = self._column(cell, arc.start) + self._column(cell, arc.end)
                sources[arc.end].append((arc.start, wire + arc.delay + ways, arc.level))
            for net, delay in starts(cell, self._delays):
                first[net] = Hop(delay + self._column(cell, net), 0, start=self._register(cell))
        for net in _in_order(sources, {*self._entering, *first}):
            self._arrived[net] = self._arrival(net, first.get(net), sources.get(net, ()))

    def _arrival(self, net: int, start: Hop | None, ways: Iterable[tuple[int, int, int]]) -> dict[str, Hop]:
        if net in self._entering:
            return {self._entering[net]: Hop(0, 0)}
        found = {_REGISTERS: start} if start else {}
        for before, delay, level in ways:
            for source, hop in self._arrived.get(before, {}).items():
                _keep(found, source, Hop(hop.delay + delay, hop.levels + level, hop.start))
        if net not in self._leaving:
            return found
        node = "+".join(sorted(self._leaving[net]))
        while node in found:
            # It depends on another net to the same pins, which are one: so it is a node of its own.
            node += "'"
        self._driven[net] = node
        for source, hop in found.items():
            _keep(self._starts if source == _REGISTERS else self._between[source], node, hop)
        return {node: Hop(0, 0)}

    def _arrive(self) -> tuple[dict[str, Hop], list[Hop]]:
        """The slowest ways to registers: from each node, and from registers to each."""
        into: dict[str, Hop] = {}
        inside: dict[str, Hop] = {}
        for cell in self._cells:
            register = self._register(cell)
            for end in ends(cell, self._delays):
                wire = 0 if end.data and end.net in self._private else self._wire(end.net)
                wire += self._column(cell, end.net)
                for source, hop in self._arrived.get(end.net, {}).items():
                    whole = Hop(hop.delay + wire + end.setup, hop.levels, hop.start, register)
                    if source == _REGISTERS:
                        _keep(inside, register.source or register.name, whole)
                    else:
                        _keep(into, source, whole)
        return into, sorted(inside.values(), key=lambda hop: hop.delay, reverse=True)

    def _wide(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for net, count in self._loads.items():
            if count > MANY and net not in self._entering and net not in self._leaving:
                name = self._names.get(net, "?")
                found[name] = max(found.get(name, 0), round(count))
        return found


def _keep(found: dict[Any, Hop], key: Any, hop: Hop) -> None:
    if key not in found or hop.delay > found[key].delay:
        found[key] = hop


def _register_names(module: Mapping[str, Any]) -> dict[int, str]:
    """The names in the sources of nets that have one; of several the shortest, without index."""
    found: dict[int, str] = {}
    for name, entry in module["netnames"].items():
        if "MISTRAL" in name or "$" in name:
            continue
        for bit in entry["bits"]:
            if isinstance(bit, int) and (bit not in found or len(name) < len(found[bit])):
                found[bit] = name
    return found


def _in_order(sources: Mapping[int, Iterable[tuple[int, int, int]]], given: set[int]) -> Iterator[int]:
    """All nets, each after those that it depends on."""
    readers: dict[int, list[int]] = defaultdict(list)
    missing: dict[int, int] = {}
    for net, ways in sources.items():
        befores = [before for before, _, _ in ways]
        missing[net] = len(befores)
        for before in befores:
            readers[before].append(net)
    ready = [net for net in {*readers, *given} if net not in missing]
    while ready:
        net = ready.pop()
        yield net
        for reader in readers.get(net, ()):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
