"""The slowest paths of a whole engine: the timing models of its modules, joined as the sources instantiate them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.estimate.hierarchy import Instance, Part
from sterna.estimate.model import MANY, Hop, Model, Net, Register
from sterna.estimate.timing import Delays
from sterna.estimate.usage import DSP_BLOCKS

#: A node of a module somewhere in the engine.
Node = tuple["Place", str]
OUTSIDE = Register("port", "")
#: Paths from one register in the list of the slowest.
FROM_ONE = 3


@dataclass(eq=False)
class Place:
    """An instance where it is in the engine."""

    name: str
    part: Part
    model: Model
    parent: Place | None
    #: ALMs of all that is in it.
    alms: int
    children: dict[str, Place] = field(default_factory=dict)
    #: The instances that each name of an instance stands for in the model, which may be that of a narrower module.
    owners: dict[str, list[Place]] = field(default_factory=dict)
    #: The name under which the parent's model has it.
    alias: str = ""

    def all(self) -> Iterator[Place]:
        """This place and all in it."""
        yield self
        for child in self.children.values():
            yield from child.all()

    @cached_property
    def chain(self) -> tuple[Place, ...]:
        """The places from the top down to this one."""
        return (*(self.parent.chain if self.parent else ()), self)

    def entries(self, pin: str) -> list[str]:
        """The nodes at a pin, which may be told apart by bit on one side of a joint and not on the other."""
        if pin in self.model.nets:
            return [pin]
        port = pin.rpartition("[")[0] if pin.endswith("]") else pin
        return [port] if port in self.model.nets else self.bits.get(pin, [])

    @cached_property
    def bits(self) -> dict[str, list[str]]:
        """The nodes of each port whose bits are told apart."""
        found: dict[str, list[str]] = {}
        for node in self.model.nets:
            if node not in self.model.driven and node.endswith("]"):
                found.setdefault(node.rpartition("[")[0], []).append(node)
        return found

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names from the top down, without that of the top."""
        return () if self.parent is None else (*self.parent.path, self.name)

    def __str__(self) -> str:
        return ".".join(self.path) or self.part.module


class End(NamedTuple):
    """A register at an end of a path."""

    place: Place
    register: Register


class Path(NamedTuple):
    """A path between two registers, through the instances of the engine."""

    #: Picoseconds, wires included.
    delay: int
    levels: int
    start: End
    end: End
    #: The joints that it crosses.
    through: tuple[str, ...]


class WideNet(NamedTuple):
    """A net with many loads."""

    place: Place
    name: str
    loads: int
    #: Picoseconds of its wire.
    wire: int


@dataclass(frozen=True)
class _Arrival:
    """The latest signal at a node."""

    delay: int
    levels: int
    start: End
    before: Node | None


class Paths:
    """Timing of the whole `top`, with the models of its parts, and the ALMs of each part with all in it."""

    def __init__(self, top: Instance, models: Mapping[Part, Model], areas: Mapping[Part, int], delays: Delays) -> None:
        self._delays = delays
        self._top = _place("", top, None, models, areas)
        self._nodes = [(place, node) for place in self._top.all() for node in place.model.nets]
        self._loads: dict[Node, float] = {}
        self._readers: dict[Node, frozenset[Place]] = {}
        self._arrived = self._arrive()

    def slowest(self, count: int) -> list[Path]:
        """The slowest paths.

        Of those between the same places in the sources, in modules that are alike, the slowest stands for all; and
        from one register there are at most `FROM_ONE`, so that it does not hide all others.
        """
        found: dict[tuple[str, str], Path] = {}
        for path in self._paths():
            key = (_alike(path.start), _alike(path.end))
            if key not in found or path.delay > found[key].delay:
                found[key] = path
        shown: Counter[str] = Counter()
        slowest: list[Path] = []
        for (start, _), path in sorted(found.items(), key=lambda each: each[1].delay, reverse=True):
            shown[start] += 1
            if shown[start] <= FROM_ONE and len(slowest) < count:
                slowest.append(path)
        return slowest

    def into_modules(self) -> dict[str, Path]:
        """The slowest path that ends in a register of each module, by the module's name."""
        found: dict[str, Path] = {}
        for path in self._paths():
            module = PurePath(path.end.register.source.partition(":")[0]).stem
            if module and (module not in found or path.delay > found[module].delay):
                found[module] = path
        return found

    def wide(self) -> list[WideNet]:
        """Nets with more than `MANY` loads in all; of those that are alike, one."""
        found: dict[str, WideNet] = {}
        for place, node in self._nodes:
            if node in place.model.driven and self._load((place, node)) > MANY:
                net = WideNet(
                    place, node.partition("+")[0], round(self._load((place, node))), self._wire((place, node))
                )
                found.setdefault(_stem(f"{place}.{net.name}"), net)
        for place in self._top.all():
            for name, loads in place.model.wide.items():
                found.setdefault(_stem(f"{place}.{name}"), WideNet(place, name, loads, self._delays.wire(loads)))
        return sorted(found.values(), key=lambda net: net.loads, reverse=True)

    def _paths(self) -> Iterator[Path]:
        for place in self._top.all():
            for hop in () if _is_dsp_block(place) else place.model.inside:
                assert hop.start and hop.end
                yield Path(hop.delay, hop.levels, End(place, hop.start), End(place, hop.end), ())
        for (place, node), arrived in self._arrived.items():
            wire = self._wire((place, node))
            if (last := place.model.ends.get(node)) and not (
                _is_dsp_block(place) and _is_dsp_block(arrived.start.place)
            ):
                assert last.end
                yield Path(
                    arrived.delay + wire + last.delay, arrived.levels + last.levels, arrived.start,
                    End(place, last.end), self._through((place, node)),
                )  # fmt: skip
            if place is self._top and any("." not in pin for net in place.model.nets[node] for pin in net.pins):
                delay = arrived.delay + wire + self._delays.register_setup
                yield Path(delay, arrived.levels, arrived.start, End(place, OUTSIDE), self._through((place, node)))

    def _through(self, node: Node) -> tuple[str, ...]:
        names: list[str] = []
        at: Node | None = node
        while at:
            place, name = at
            if name in place.model.driven:
                names.append(f"{place}: {name.partition('+')[0]}")
            at = self._arrived[at].before
        return tuple(reversed(names))

    def _arrive(self) -> dict[Node, _Arrival]:
        """The latest signal at each node that one reaches."""
        ways = {node: list(self._ways(node)) for node in self._nodes}
        missing = dict.fromkeys(self._nodes, 0)
        for targets in ways.values():
            for target, _ in targets:
                missing[target] += 1
        ready = [node for node, count in missing.items() if not count]
        arrived: dict[Node, _Arrival] = {}
        done = 0
        for node in self._nodes:
            if start := self._start(node):
                arrived[node] = start
        while ready:
            node = ready.pop()
            done += 1
            here, wire = arrived.get(node), self._wire(node)
            for target, hop in ways[node]:
                if here:
                    there = _Arrival(here.delay + wire + hop.delay, here.levels + hop.levels, here.start, node)
                    if target not in arrived or arrived[target].delay < there.delay:
                        arrived[target] = there
                missing[target] -= 1
                if not missing[target]:
                    ready.append(target)
        if done < len(self._nodes):
            place, name = next(node for node, count in missing.items() if count)
            raise SternaError(
                "signals go round in a cycle", where=f"{place}: {name}", remedy="put a register between these ports"
            )
        return arrived

    def _start(self, node: Node) -> _Arrival | None:
        place, name = node
        if hop := place.model.starts.get(name):
            assert hop.start
            return _Arrival(hop.delay, hop.levels, End(place, hop.start), None)
        if place is self._top and name not in place.model.driven and "." not in name:
            wire = self._delays.wire(round(self._load(node)))
            return _Arrival(self._delays.register_out + wire, 0, End(place, OUTSIDE), None)
        return None

    def _ways(self, node: Node) -> Iterator[tuple[Node, Hop]]:
        place, name = node
        for reached, hop in place.model.between.get(name, {}).items():
            yield (place, reached), hop
        for target in {target for net in place.model.nets[name] for target in _targets(place, net)}:
            yield target, Hop(0, 0)

    def _wire(self, node: Node) -> int:
        """From a net that is driven here and leaves to those who read it; that to a pin was counted at its driver."""
        place, name = node
        if name not in place.model.driven:
            return 0
        return self._delays.wire(round(self._load(node)), self._span(node))

    def _load(self, node: Node) -> float:
        """How many pins of cells read a net from here on: the most among the nets of the node."""
        if node not in self._loads:
            place, name = node
            self._loads[node] = max(
                net.loads + sum(map(self._load, _targets(place, net))) for net in place.model.nets[name]
            )
        return self._loads[node]

    def _read(self, node: Node) -> frozenset[Place]:
        """The places that read a net from here on."""
        if node not in self._readers:
            place, name = node
            found = set()
            for net in place.model.nets[name]:
                found |= {place} if net.loads else set()
                found = found.union(*map(self._read, _targets(place, net)))
            self._readers[node] = frozenset(found)
        return self._readers[node]

    def _span(self, node: Node) -> int:
        """ALMs of the parts that a net connects: below the instance that holds all of its ends."""
        ends = {node[0], *self._read(node)}
        if len(ends) == 1:
            return 0
        paths = [place.chain for place in ends]
        depth = 0
        while all(len(path) > depth for path in paths) and len({path[depth] for path in paths}) == 1:
            depth += 1
        return sum(part.alms if part else 0 for part in {path[depth] if len(path) > depth else None for path in paths})


def _place(
    name: str, instance: Instance, parent: Place | None, models: Mapping[Part, Model], areas: Mapping[Part, int]
) -> Place:
    place = Place(name, instance.part, models[instance.part], parent, areas[instance.part])
    for child, held in instance.named:
        place.children[child] = _place(child, held, place, models, areas)
    owners = {pin.rpartition(".")[0] for nets in place.model.nets.values() for net in nets for pin in net.pins}
    owners |= {pin.rpartition(".")[0] for pin in place.model.nets if pin not in place.model.driven}
    by_stem = {_stem(owner): owner for owner in sorted(owners) if owner}
    for inner in place.children.values():
        inner.alias = inner.name if inner.name in owners else by_stem.get(_stem(inner.name), "")
        place.owners.setdefault(inner.alias, []).append(inner)
    return place


def _targets(place: Place, net: Net) -> list[Node]:
    """The nodes in other places that a net leads to."""
    found: list[Node] = []
    for pin in net.pins:
        owner, _, port = pin.rpartition(".")
        if owner:
            found += [(child, node) for child in place.owners.get(owner, ()) for node in child.entries(port)]
        elif place.parent and place.alias:
            found += [(place.parent, node) for node in place.parent.entries(f"{place.alias}.{port}")]
    return found


def _is_dsp_block(place: Place) -> bool:
    """Whether the place is a DSP block. In it and from one to the next, its own wires are faster than the rest."""
    return place.part.module in DSP_BLOCKS


def _stem(name: str) -> str:
    """What instances that are alike have in common."""
    return re.sub(r"\[\d+\]", "", name)


def _alike(end: End) -> str:
    return f"{_stem(str(end.place))} {end.register.source or end.register.name}"
