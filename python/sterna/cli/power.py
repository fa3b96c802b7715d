"""The part of `sterna estimate` that tells the power of an engine, by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from sterna.estimate.band import Band, total
from sterna.estimate.performance import Performance
from sterna.estimate.power import ModulePower, Power

#: Modules with less of the sum share a row.
SMALL = 0.002

POWER_RULE = (
    "Power: nothing was measured. How often signals change is counted in simulated frames, module by module, and "
    "scaled by size; energies are published ones of this and neighbouring generations. The two ends of each band are "
    "those of its sources. hw/configs/energies.yaml names them, docs/explanation/numbers.md says what is not known."
)


def power_table(power: Power) -> Table:
    """From and to how many watts each part takes."""
    table = Table(
        title=f"Power at {power.mhz} MHz, in W (estimate)", box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False
    )
    table.add_column("part", no_wrap=True)
    for name in ("logic", "clock", "block RAM", "DSP", "all"):
        table.add_column(name, justify="right", no_wrap=True)
    small = [each for each in power.modules if each.all.high < SMALL * power.all.high]
    for module in power.modules:
        if module not in small:
            table.add_row(module.module.removeprefix("sterna_"), *_kinds([module]))
    if small:
        table.add_row(f"{len(small)} others", *_kinds(small))
    table.add_section()
    for name, watts in (("leakage", power.static), ("memory", power.memory), ("rest of board", power.board)):
        table.add_row(name, "", "", "", "", _shown(watts))
    table.add_section()
    table.add_row("sum", "", "", "", "", _shown(power.all))
    return table


def power_lines(power: Power, found: Performance | None) -> Iterator[str]:
    """The sum with its band, and frames per joule if a graph runs on the engine."""
    watts = power.all
    yield (
        f"Power: {watts.middle:.0f} W at {power.mhz} MHz, within a factor of {watts.factor:.1f} "
        f"({watts.low:.0f} .. {watts.high:.0f} W); of this the FPGA takes {power.fpga.low:.0f} .. "
        f"{power.fpga.high:.0f} W (estimate)"
    )
    if found is None:
        yield "Power: as if the memory never paused; give a graph for its traffic and for frames per joule"
    else:
        joule = power.frames_per_joule(found.frames)
        yield (
            f"Power: {joule.middle:.1f} frames/J, queued ({joule.low:.1f} .. {joule.high:.1f}) at "
            f"{found.frames:,.0f} frames/s (estimate)"
        )


def _kinds(modules: Sequence[ModulePower]) -> Iterator[str]:
    """The cells of a row."""
    for name in ("logic", "clock", "block_ram", "dsp", "all"):
        yield _shown(total(getattr(each, name) for each in modules))


def _shown(watts: Band) -> str:
    return f"{watts.low:.1f} .. {watts.high:.1f}" if watts.high >= 0.05 else ""
