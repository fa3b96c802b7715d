"""The counters of an engine for a frame: clock cycles, waits, beats on the bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from sterna.package.package import StepInfo


@dataclass(frozen=True)
class StepCounters:
    """Clock cycles of one step; the last four are sums over all PEs."""

    cycles: int
    busy: int
    wait_vectors: int
    wait_weights: int
    wait_drain: int

    @classmethod
    def expected(cls, step: StepInfo) -> Self:
        """What the compiler expects of `step`."""
        return cls(step.cycles, step.busy, step.wait_vectors, step.wait_weights, step.wait_drain)


#: What a step has that was compiled without the cycle model.
UNTIMED = StepCounters(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Counters:
    """What one frame cost: clock cycles, sums of cycles over all PEs, beats on the bus."""

    cycles: int
    busy: int
    wait_vectors: int
    wait_weights: int
    wait_drain: int
    beats_read: int
    beats_written: int
    #: By step of the tape, for as many steps as the engine records.
    steps: tuple[StepCounters, ...]
