"""`sterna simulate`: the clock cycles of the simulated engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sterna.cli.backends import announce
from sterna.cli.progress import bar, of_steps
from sterna.cli.tables import print_wide
from sterna.compile.packages import load as load_package
from sterna.generate.rtl.sim import SimBackend
from sterna.package.counters import Counters
from sterna.package.package import Package
from sterna.report.costs import cost_table, layer_costs
from sterna.run.backend import Backend
from sterna.run.transports.sim import MemoryTiming
from sterna.spec.memory import load_memory
from sterna.vision import inputs as input_files


def simulate(
    path: Path,
    inputs: Sequence[Path],
    memory: str | None,
    latency: int | None,
    stall: float,
    engine: Path | None,
    recursive: bool,
) -> None:
    """Print the cycles of each image, frames queued but for the last, and a table of the last one's layers."""
    package = load_package(path)
    files = input_files.find(package.graph, inputs, recursive, print)
    timing = MemoryTiming(
        None if memory is None else load_memory(memory), None if latency is None else (latency, latency), stall
    )
    with SimBackend(engine, timing=timing, announce=announce) as backend, bar("simulate") as show:
        backend.load(package)
        # The last frame runs alone, as the compiler estimates the steps that the table compares.
        for some in filter(None, (files[:-1], files[-1:])):
            images = (input_files.read(package.graph, file) for file in some)
            progress = of_steps(show, len(package.schedule.steps), [file.name for file in some])
            for file, _ in zip(some, backend.stream(images, progress), strict=True):
                counters = _counted(backend)
                print(f"{file}: {counters.cycles:,} cycles")
    print_wide(cost_table(layer_costs(package, counters.steps)))
    print(_summary(package, counters))
    if package.schedule.timed:
        print(
            f"From one queued frame to the next the compiler expects {package.schedule.queued_cycles:,} cycles, "
            f"with memory {package.config.memory}."
        )
    print(backend.note())


def _counted(backend: Backend) -> Counters:
    counters = backend.counters()
    assert counters is not None, "an engine that has run an image has counters"
    return counters


def _summary(package: Package, counters: Counters) -> str:
    pes = package.config.all_pes
    waits = (
        ("adding", counters.busy),
        ("waiting for vectors", counters.wait_vectors),
        ("waiting for weights", counters.wait_weights),
        ("waiting for the drain", counters.wait_drain),
    )
    shares = ", ".join(f"{name} {cycles / (pes * counters.cycles):.1%}" for name, cycles in waits)
    return (
        f"{pes} PEs, {package.config.all_lanes:,} lanes: {shares}. "
        f"{counters.beats_read:,} beats read, {counters.beats_written:,} written."
    )
