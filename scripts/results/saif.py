"""How often the signals of each module changed, from a SAIF file (IEEE 1801, Annex I) as Verilator writes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sterna.estimate.hierarchy import Instance
from sterna.spec.paths import RTL, rtl_sources

#: Bits of a SAIF file: the scope around them opens, a bit with its toggles, a scope closes.
_OPENS, _BIT, _CLOSES = (
    re.compile(pattern) for pattern in (r"\s*\(INSTANCE (\S+)", r"\s*\((\S+) \(T0 .*\(TC (\d+)\)", r"\s*\)\s*$")
)
_NETS = re.compile(r"\s*\(NET\s*$")
#: A memory in the sources: its attribute, and its name before the unpacked dimension.
_MEMORY = re.compile(r"\(\* ramstyle[^;]*?\b(\w+) \[[^\]]*\];")
#: Variables of loops lie in scopes of this name. Parameters begin with a capital, by the style of the sources.
_LOOPS = "unnamedblk"
_CLOCK = "clk_i"


class Bit(NamedTuple):
    """A bit of a signal."""

    #: Names of the instances and blocks around it.
    scope: tuple[str, ...]
    #: Name of the signal, without indices.
    signal: str
    toggles: int


class Toggles(NamedTuple):
    """The signals of all instances of a module."""

    bits: int
    toggles: int


def bits(lines: Iterable[str]) -> Iterator[Bit]:
    """Every bit in the file."""
    scope: list[str] = []
    opened: list[bool] = []
    for line in lines:
        if found := _OPENS.match(line):
            scope.append(found[1].replace("\\", ""))
            opened.append(True)
        elif _NETS.match(line):
            opened.append(False)
        elif found := _BIT.match(line):
            yield Bit(tuple(scope), re.split(r"[\\\[]", found[1])[0], int(found[2]))
        elif _CLOSES.match(line) and opened and opened.pop():
            scope.pop()


def by_module(found: Iterable[Bit], top: tuple[str, ...], engine: Instance) -> dict[str, Toggles]:
    """The toggles of each module of the engine, whose instance in the file is `top`.

    Not counted are the clock, parameters, variables of loops and the words of memories.
    """
    modules = dict(_modules(engine, ()))
    memories = memory_names()
    counts: Counter[str] = Counter()
    toggles: Counter[str] = Counter()
    for bit in found:
        if bit.scope[: len(top)] != top or bit.signal == _CLOCK or bit.signal[0].isupper():
            continue
        inside = bit.scope[len(top) :]
        if any(name.startswith(_LOOPS) for name in inside):
            continue
        module = _innermost(inside, modules)
        if bit.signal not in memories.get(module, ()):
            counts[module] += 1
            toggles[module] += bit.toggles
    return {module: Toggles(counts[module], toggles[module]) for module in sorted(counts)}


def memory_names(rtl: Path = RTL) -> dict[str, frozenset[str]]:
    """The names of the memories in each module of the sources."""
    found = {path.stem: frozenset(_MEMORY.findall(path.read_text("utf-8"))) for path in rtl_sources(rtl)}
    return {module: names for module, names in found.items() if names}


def _modules(instance: Instance, scope: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    yield scope, instance.part.module
    for name, child in instance.named:
        yield from _modules(child, (*scope, *name.split(".")))


def _innermost(scope: tuple[str, ...], modules: Mapping[tuple[str, ...], str]) -> str:
    """The module of the innermost instance around a block."""
    while scope not in modules:
        scope = scope[:-1]
    return modules[scope]
