"""What the driver of engines, which is in libsterna, has to know of a package."""

from __future__ import annotations

from sterna.native import libsterna
from sterna.package import layout
from sterna.package.package import Package


def program_of(package: Package) -> libsterna.Program:
    """The tape of `package`, and where its images and maps lie in an engine's memory. The tape is not checked."""
    schedule, config = package.schedule, package.config
    return libsterna.Program(
        config.name, config.hash, package.tape,
        (schedule.frame_bytes, schedule.result_bytes, schedule.scratch_bytes),
        schedule.input.dram_offset, layout.is_interleaved(schedule.input.channels), most_cycles(package),
        [(step.op, (step.part, ", ".join(step.layers))) for step in schedule.steps],
        layout.memory_word(config), [layout.native_store(store) for store in schedule.stores],
    )  # fmt: skip


def cycle_limit(package: Package, watchdog: int) -> int:
    """Clock cycles that a frame of `package` may take, on a slow memory too."""
    return libsterna.cycle_limit(most_cycles(package), watchdog)


def most_cycles(package: Package) -> int:
    """Those of a frame on a fast memory.

    Untimed it takes, at most, a cycle for each addition as if there were one PE, and for each byte that moves.
    """
    schedule = package.schedule
    if schedule.timed:
        return schedule.alone_cycles
    moved = len(package.tape) + schedule.frame_bytes + schedule.result_bytes
    return sum(step.nonzeros for step in schedule.steps) + moved
