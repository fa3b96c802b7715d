"""The size of a whole engine: its modules as the sources instantiate them, times the open synthesis of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sterna.estimate.extrapolate import points, stretched
from sterna.estimate.hierarchy import Instance, Part, engine
from sterna.estimate.resources import Resources, resources, total
from sterna.estimate.synthesis import Synthesis
from sterna.estimate.usage import DSP_BLOCKS, Usage
from sterna.spec.config import EngineConfig
from sterna.spec.fpga import Fpga
from sterna.spec.paths import RTL, build_cache

#: Modules that get a row of their own with all that they hold. Within a row registers and LUTs share ALMs.
OPEN = ("sterna_engine", "sterna_cluster")

#: Called with how many modules are done, of how many, and which one comes next.
Progress = Callable[[int, int, str], None]

#: The share of an FPGA that a design may take: with more it seldom meets its clock.
FULL = 0.85


@dataclass(frozen=True)
class Row:
    """A part of the engine with all that it holds."""

    part: Part
    count: int
    each: Resources

    @property
    def all(self) -> Resources:
        """The sum over its instances."""
        return self.each * self.count

    @property
    def alms(self) -> int:
        """ALMs of all its instances."""
        return self.each.alms * self.count


class Share(NamedTuple):
    """A kind of resource: how many the engine uses and the board's shell, of how many."""

    key: str
    name: str
    used: int
    shell: int
    there: int

    @property
    def both(self) -> int:
        """What engine and shell use."""
        return self.used + self.shell

    @property
    def share(self) -> float:
        """What both use / there."""
        return self.both / self.there


@dataclass(frozen=True)
class EngineEstimate:
    """The FPGA resources of an engine."""

    config: EngineConfig
    fpga: Fpga
    rows: tuple[Row, ...]
    #: Each module, its number of instances, and its resources without those of the modules that it instantiates.
    modules: tuple[tuple[Part, int, Usage], ...]

    @property
    def resources(self) -> Resources:
        """All rows together."""
        return total(row.all for row in self.rows)

    @property
    def alms(self) -> int:
        """ALMs of all rows."""
        return sum(row.alms for row in self.rows)

    @property
    def shares(self) -> tuple[Share, ...]:
        """The use of each kind of resource."""
        used, fpga = self.resources, self.fpga
        return (
            Share("alm", "ALMs", self.alms, fpga.shell_alms, fpga.alms),
            Share("mlab", "MLABs", used.mlabs, fpga.shell_mlabs, fpga.mlabs),
            Share("block_ram", "block RAM", used.block_rams, fpga.shell_block_rams, fpga.block_rams),
            Share("dsp", "DSP blocks", used.dsps, fpga.shell_dsps, fpga.dsps),
        )


def default_synthesis() -> Synthesis:
    """Synthesis of Sterna's sources; results are cached next to the built simulators."""
    return Synthesis(RTL, build_cache() / "synthesis")


def estimate_engine(
    config: EngineConfig, fpga: Fpga, synthesis: Synthesis | None = None, progress: Progress | None = None
) -> EngineEstimate:
    """The size of the engine of `config` on `fpga`. Raises SternaError if the sources are faulty or a tool fails."""
    synthesis = synthesis or default_synthesis()
    top = engine(config, synthesis.rtl)
    usages: dict[Part, Usage] = {}
    for done, (part, held) in enumerate(top.kinds.items()):
        if progress:
            progress(done, len(top.kinds), part.module)
        usages[part] = module_usage(synthesis, part, held)
    rows = tuple(
        Row(part, count, total(resources(usages[each], fpga) * times for each, times in parts.items()))
        for part, count, parts in _rows(top, 1)
    )
    return EngineEstimate(config, fpga, rows, tuple((part, top.counts[part], usages[part]) for part in usages))


def module_usage(synthesis: Synthesis, part: Part, held: frozenset[str] = frozenset()) -> Usage:
    """What a module takes without those that it holds."""
    wide = points(part)
    if wide is None:
        found = synthesis.usage(part, held)
        return found.in_blocks if part.module in DSP_BLOCKS else found
    name, small, large = wide
    ends = [synthesis.usage(part.changed(name, value), held) for value in (small, large)]
    return stretched(ends[0], ends[1], small, large, part.value(name))


def _rows(instance: Instance, count: int) -> Iterator[tuple[Part, int, Counter[Part]]]:
    """The parts of the table: how often each occurs, and the modules in one of it."""
    if instance.part.module not in OPEN:
        yield instance.part, count, instance.counts
        return
    yield instance.part, count, Counter({instance.part: 1})
    for child, times in instance.children:
        yield from _rows(child, count * times)
