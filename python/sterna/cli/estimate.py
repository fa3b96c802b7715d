"""`sterna estimate`: the FPGA resources of an engine, and how fast a graph runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sterna.cli.power import POWER_RULE, power_lines, power_table
from sterna.cli.progress import bar
from sterna.compile.clock import Clock
from sterna.compile.compiler import compile_timed
from sterna.errors import SternaError
from sterna.estimate.activity import load_activity
from sterna.estimate.bandwidth import bus_bandwidth, sweep
from sterna.estimate.energies import Energies, load_energies
from sterna.estimate.engine import FULL, EngineEstimate, estimate_engine
from sterna.estimate.model import MANY
from sterna.estimate.paths import End
from sterna.estimate.performance import Performance, performance
from sterna.estimate.plot import check_image, draw_memories
from sterna.estimate.power import estimate_power
from sterna.estimate.resources import MLAB_ALMS
from sterna.estimate.supported_clock import SupportedClock, estimate_clock
from sterna.package.graphs import read_graph
from sterna.package.package import Package
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import Fpga, load_fpga
from sterna.spec.memory import load_memory

RULES = (
    "ALMs: open synthesis (Yosys, Cyclone V) of each module by itself, times its instances. A LUT of six inputs takes "
    "an ALM; two smaller ones with at most eight inputs in all share one, as do two adder bits. LUTs in front of an "
    "adder that fit its ALM cost nothing. An ALM holds four registers besides LUTs of the same row. Wide modules are "
    "extrapolated from two narrow ones. Memories and multipliers are counted by their shapes.",
    "Paths: through all modules that they cross, from register to register. Delays of cells are those that Yosys has "
    "(arria10: Cyclone 10 GX, the same core), by the speed grade of the FPGA. A wire takes longer with the square root "
    "of its loads and with that of the ALMs of the parts that it connects, on a chip that is 80 % full. There was no "
    "place and route: all this is an estimate.",
)


def estimate(
    graph: Path | None, config: str, fpga: str, memory: str | None, plot: Path | None, power: bool = False
) -> None:
    """Print the size of the named config on the named FPGA and, if there is a graph, its frames per second.

    `memory` is on the bus instead of the config's; `plot` is where to draw the frames per second on others; `power`
    adds watts by part.
    """
    engine, target = load_config(config), load_fpga(fpga)
    if memory is not None:
        load_memory(memory)
        engine = engine.model_copy(update={"memory": memory})
    source = None if graph is None else read_graph(graph)
    if plot is not None:
        _check_plot(plot, graph)
    energies = load_energies(target.family) if power else None
    console = Console()
    size = measure(engine, target)
    console.print(size_table(size))
    for line in shares(size):
        print(line)
    supported = measure_clock(size)
    console.print(wide_table(supported))
    for line in slow_paths(supported, target):
        print(line)
    found = None
    if source is not None:
        with bar("compile") as show:
            package, clock = compile_timed(source, engine, progress=show)
        found = performance(package, target.mhz)
        for line in speed(found):
            print(line)
        if plot is not None:
            _plot(found, clock, package, plot)
    if energies is not None:
        _show_power(console, size, energies, supported.mhz, found)
    for rule in RULES if energies is None else (*RULES, POWER_RULE):
        console.print(rule, style="dim")


def _show_power(
    console: Console, size: EngineEstimate, energies: Energies, supported: int, found: Performance | None
) -> None:
    """Watts at the clock that the engine supports, by part, and at the FPGA's target."""
    activity = load_activity()
    for mhz in dict.fromkeys((supported, size.fpga.mhz)):
        at_clock = None if found is None else replace(found, mhz=mhz)
        traffic = bus_bandwidth(size.config, mhz) * 1e9 if at_clock is None else at_clock.bandwidth
        watts = estimate_power(size, activity, energies, mhz, traffic)
        if mhz == supported:
            console.print(power_table(watts))
        for line in power_lines(watts, at_clock):
            print(line)


def _check_plot(plot: Path, graph: Path | None) -> None:
    """Raise SternaError, before any work is done, if there is nothing to plot or the plot could not be written."""
    if graph is None:
        raise SternaError(
            "there is no graph whose frames per second could be drawn", where="--plot", value=str(plot),
            remedy="give a graph as well",
        )  # fmt: skip
    check_image(plot, graph)


def _plot(found: Performance, clock: Clock, package: Package, plot: Path) -> None:
    with bar("memories") as show:
        points = sweep(clock, package, found.mhz, progress=show)
    draw_memories(points, found, plot)
    print(f"Plot: {plot}")


def measure(config: EngineConfig, fpga: Fpga) -> EngineEstimate:
    """The size of the engine, with a bar while modules are synthesised for the first time."""
    with bar("synthesise") as show:
        return estimate_engine(config, fpga, progress=show)


def measure_clock(size: EngineEstimate) -> SupportedClock:
    """The clock of the engine, with a bar."""
    with bar("time paths") as show:
        return estimate_clock(size, progress=show)


def size_table(size: EngineEstimate) -> Table:
    """Instances times what one takes, for each part of the engine."""
    table = Table(
        title=f"Engine '{size.config.name}' on {size.fpga.name} (estimate)",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("part", no_wrap=True)
    for name in ("no.", "LUT", "adder", "reg", "MLAB", "each", "ALMs", "RAM", "DSP"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in size.rows:
        each, everything = row.each, row.all
        luts = each.lut_alms + each.mux_alms
        cells = (row.count, luts, each.logic_alms - luts, each.register_alms, each.mlabs, each.alms)
        name = row.part.module.removeprefix("sterna_")
        table.add_row(name, *map(_shown, (*cells, row.alms, everything.block_rams, everything.dsps)))
    used = size.resources
    table.add_section()
    table.add_row("all", *map(_shown, ("", "", "", "", used.mlabs, "", size.alms, used.block_rams, used.dsps)))
    alm, mlab, block_ram, dsp = size.shares
    for name, counts in (
        ("shell", (mlab.shell, "", alm.shell, block_ram.shell, dsp.shell)),
        ("sum", [mlab.both, "", alm.both, block_ram.both, dsp.both]),
    ):
        table.add_row(name, *map(_shown, ("", "", "", "", *counts)))
    table.caption = (
        "each: ALMs of one = ALMs of LUTs + of adders + of registers that find no room there + "
        f"{MLAB_ALMS} per MLAB; RAM: block RAM of all; shell: what the board needs beside the engine"
    )
    return table


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def shares(size: EngineEstimate) -> Iterator[str]:
    """The share of the FPGA that each resource takes, and whether it stays below the limit."""
    for each in size.shares:
        verdict = "fits" if each.share <= FULL else "over the limit" if each.share <= 1 else "does not fit"
        yield (
            f"{each.name}: {each.used:,} + {each.shell:,} = {each.both:,} of {each.there:,}, {each.share:.1%} "
            f"({verdict}; the limit is {FULL:.0%})"
        )
    yield f"Registers: {size.resources.flip_flops:,} without the shell's"
    yield f"Shell: {size.fpga.shell_source}"


def slow_paths(clock: SupportedClock, fpga: Fpga) -> Iterator[str]:
    """The slowest paths by instances and places in the sources, and the clock that they support."""
    yield f"Slowest paths; a period of {fpga.mhz} MHz is {_ns(fpga.period)} (estimate)"
    for path in clock.slowest:
        yield f"{_ns(path.delay):>9}, {path.levels} levels: {shown_end(path.start)}"
        yield f"{'to':>20} {shown_end(path.end)}"
    slowest = clock.slowest[0].delay
    yield f"Clock: {clock.mhz} MHz; the slowest path takes {slowest / fpga.period:.1%} of the period (estimate)"


def shown_end(end: End) -> str:
    """Instance, place in the sources and, if it has kept one, name of a register."""
    name, source = end.register
    return " ".join(filter(None, (str(end.place), source, f"({name})" if name else "")))


def wide_table(clock: SupportedClock) -> Table:
    """Nets with many loads."""
    table = Table(title=f"Nets with more than {MANY} loads (estimate)", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("net")
    for name in ("loads", "wire"):
        table.add_column(name, justify="right", no_wrap=True)
    for net in clock.wide:
        table.add_row(f"{net.place}: {net.name}", f"{net.loads:,}", _ns(net.wire))
    return table


def _ns(picoseconds: float) -> str:
    return f"{picoseconds / 1000:.2f} ns"


def speed(found: Performance) -> Iterator[str]:
    """Frames per second, and the memory bandwidth that they need."""
    yield f"Queued: {found.cycles:,} cycles per frame at {found.mhz} MHz: {found.frames:,.0f} frames/s"
    yield f"Alone: {found.cycles_alone:,} cycles per frame at {found.mhz} MHz: {found.frames_alone:,.0f} frames/s"
    spilled = f", spilled maps {found.spilled_bytes:,}" if found.spilled_bytes else ""
    yield (
        f"Memory: {found.frame_traffic:,} bytes per frame (tape {found.tape_bytes:,}, frame {found.frame_bytes:,}, "
        f"result {found.result_bytes:,}{spilled}): queued frames need {found.bandwidth / 1e9:.2f} GB/s of the "
        f"{found.sustained_bandwidth / 1e9:.2f} GB/s that {found.config.memory} sustains "
        f"({found.bus_bandwidth / 1e9:.2f} GB/s on the bus)"
    )
