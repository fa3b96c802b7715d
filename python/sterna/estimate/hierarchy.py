"""The modules of an engine, read from the sources themselves, so that they cannot differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pyslang import ast, driver

from sterna.errors import SternaError
from sterna.generate.rtl.top import ENGINE, parameters
from sterna.spec.config import EngineConfig
from sterna.spec.paths import rtl_sources

_REMEDY = "reinstall Sterna, or correct the edited sources"


@dataclass(frozen=True)
class Part:
    """A module with the values of its parameters, as SystemVerilog writes them."""

    module: str
    parameters: tuple[tuple[str, str], ...]

    def value(self, name: str) -> int:
        """The parameter `name` as a number."""
        return int(dict(self.parameters)[name])

    def changed(self, name: str, value: int) -> Part:
        """This module with another value of a parameter."""
        return Part(self.module, tuple((key, str(value) if key == name else old) for key, old in self.parameters))

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value}" for name, value in self.parameters)
        return f"{self.module} ({values})" if values else self.module


@dataclass(frozen=True)
class Instance:
    """A module of an engine and what it holds."""

    part: Part
    #: The instances in it by the names that the module gives them, generate blocks included.
    named: tuple[tuple[str, Instance], ...]
    #: Modules that are one with it: they are not told apart from here down.
    merged: frozenset[str] = frozenset()

    def all(self) -> Iterator[Instance]:
        """This instance and all in it."""
        yield self
        for _, child in self.named:
            yield from child.all()

    @cached_property
    def children(self) -> tuple[tuple[Instance, int], ...]:
        """The instances in it; those that are alike are one child with a count."""
        return tuple(Counter(child for _, child in self.named).items())

    @cached_property
    def counts(self) -> Counter[Part]:
        """How often each part occurs from here down."""
        total = Counter({self.part: 1})
        for child, count in self.children:
            for part, times in child.counts.items():
                total[part] += times * count
        return total

    @cached_property
    def kinds(self) -> dict[Part, frozenset[str]]:
        """The modules that each part instantiates, for all parts from here down."""
        found = {self.part: frozenset(child.part.module for child, _ in self.children)}
        for child, _ in self.children:
            found |= child.kinds
        return found


def engine(config: EngineConfig, rtl: Path) -> Instance:
    """The instances of the engine of `config`, from the sources in `rtl`."""
    # The hash names the config to a tape; its value costs nothing, and so that results are found again it is always 0.
    return elaborate(ENGINE, parameters(config) | {"ConfigHash": "0"}, rtl)


def elaborate(top: str, values: Mapping[str, str], rtl: Path) -> Instance:
    """The instances of the module `top` with these parameters. Raises SternaError if the sources are not legal."""
    slang = driver.Driver()
    slang.addStandardArgs()
    options = [f'-G "{name}={value}"' for name, value in values.items()]
    command = " ".join(["slang", f"--top {top}", *options, *(f'"{path}"' for path in rtl_sources(rtl))])
    legal = slang.parseCommandLine(command) and slang.processOptions() and slang.parseAllSources()
    if not legal:
        raise SternaError("the sources cannot be read", where=str(rtl), remedy=_REMEDY)
    compilation = slang.createCompilation()
    errors = [each for each in compilation.getAllDiagnostics() if each.isError()]
    if errors:
        raise SternaError(f"{top} cannot be elaborated ({errors[0].code})", where=str(rtl), remedy=_REMEDY)
    return _instance(next(iter(compilation.getRoot().topInstances)))


def merged(instance: Instance, large: Collection[Part]) -> Instance:
    """The same instances, but those in which nothing is `large` are one with the module that holds them.

    Modules are known to synthesis by name, so within a module all instances of another one are treated alike.
    """
    apart = {part.module for part in instance.counts if part in large}
    inside = {part.module for part in instance.counts} - apart - {instance.part.module}
    return Instance(instance.part, tuple(_apart(instance, apart, large)), frozenset(inside))


def _apart(instance: Instance, apart: Collection[str], large: Collection[Part]) -> Iterator[tuple[str, Instance]]:
    for name, child in instance.named:
        if child.part.module in apart:
            yield name, merged(child, large)
        else:
            yield from ((f"{name}.{inner}", each) for inner, each in _apart(child, apart, large))


def _instance(symbol: ast.InstanceSymbol) -> Instance:
    values = ((each.name, each.value) for each in symbol.body.parameters if not each.isLocalParam)
    part = Part(symbol.definition.name, tuple((name, str(int(value.value))) for name, value in values))
    path = f"{symbol.hierarchicalPath}."
    return Instance(
        part,
        tuple((each.hierarchicalPath.removeprefix(path), _instance(each)) for each in _instances(symbol.body)),
    )


def _instances(scope: ast.InstanceBodySymbol | ast.GenerateBlockSymbol) -> Iterator[ast.InstanceSymbol]:
    """The instances directly in `scope`, including those in generate blocks."""
    for member in scope:
        if isinstance(member, ast.InstanceSymbol):
            yield member
        elif isinstance(member, ast.GenerateBlockSymbol) and not member.isUninstantiated:
            yield from _instances(member)
        elif isinstance(member, ast.GenerateBlockArraySymbol):
            for block in member.entries:
                yield from _instances(block)
