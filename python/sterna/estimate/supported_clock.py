"""The clock that an engine supports on an FPGA, and the paths that limit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sterna.estimate.engine import EngineEstimate, Progress, default_synthesis
from sterna.estimate.extrapolate import points
from sterna.estimate.hierarchy import Instance, Part, engine, merged
from sterna.estimate.model import Model
from sterna.estimate.paths import Path, Paths, WideNet
from sterna.estimate.resources import resources
from sterna.estimate.synthesis import Narrow, Synthesis
from sterna.estimate.timing import Delays, delays_of
from sterna.estimate.usage import DSP_BLOCKS
from sterna.spec.fpga import Fpga

#: ALMs of a part that is timed by itself. Quartus improves paths across the joints of smaller ones as well.
TOGETHER = 2000
#: Paths that are shown.
SLOWEST = 10


@dataclass(frozen=True)
class SupportedClock:
    """The slowest paths of an engine, slowest first, its nets with many loads, largest first, and the slowest path that
    ends in each module."""

    slowest: tuple[Path, ...]
    wide: tuple[WideNet, ...]
    into_modules: Mapping[str, Path]

    @property
    def mhz(self) -> int:
        """The clock that all paths support."""
        return 1_000_000 // self.slowest[0].delay


def estimate_clock(
    size: EngineEstimate, synthesis: Synthesis | None = None, progress: Progress | None = None,
    together: int = TOGETHER,
) -> SupportedClock:  # fmt: skip
    """The clock of the engine whose size is `size`, on that FPGA, 80 % full.

    together: parts of fewer ALMs are synthesised as one with what holds them, as place and route would. Raises
    SternaError if a tool fails, or if signals go round in a cycle.
    """
    synthesis = synthesis or default_synthesis()
    alms = {part: resources(usage, size.fpga).alms for part, _, usage in size.modules}
    return time_paths(engine(size.config, synthesis.rtl), alms, size.fpga, synthesis, progress, together)


def time_paths(
    whole: Instance, alms: Mapping[Part, int], fpga: Fpga, synthesis: Synthesis, progress: Progress | None = None,
    together: int = TOGETHER,
) -> SupportedClock:  # fmt: skip
    """The clock of the instance `whole`, whose modules take so many ALMs each without those in them.

    All registers are taken for those of one clock. `together` and errors: as for `estimate_clock`.
    """
    areas = {each.part: sum(alms[part] * count for part, count in each.counts.items()) for each in whole.all()}
    apart = {part for part, area in areas.items() if area >= together or part.module in DSP_BLOCKS}
    top = merged(whole, apart)
    delays = delays_of(fpga.family, fpga.speed_grade, full=True)
    models: dict[Part, Model] = {}
    kinds = {each.part: each for each in top.all()}
    for done, (part, each) in enumerate(kinds.items()):
        if progress:
            progress(done, len(kinds), part.module)
        models[part] = _model(synthesis, each, delays)
    paths = Paths(top, models, areas, delays)
    return SupportedClock(tuple(paths.slowest(SLOWEST)), tuple(paths.wide()), paths.into_modules())


def _model(synthesis: Synthesis, instance: Instance, delays: Delays) -> Model:
    part = instance.part
    outside = {child.part.module for _, child in instance.named}
    wide = points(part)
    if wide is None:
        return synthesis.model(part, delays, outside, instance.merged)
    name, small, large = wide
    narrow = Narrow(part.changed(name, small), part.changed(name, large), large, part.value(name) / large)
    return synthesis.model(part, delays, outside, instance.merged, narrow)
