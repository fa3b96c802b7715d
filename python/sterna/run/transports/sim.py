"""A generated engine in simulation as a transport: the Verilated RTL and a memory on its bus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.run import simulator
from sterna.spec.memory import DEFAULT, MOST_LATENCY, Memory, load_memory

MEMORY_BASE = libsterna.Simulation.MEMORY_BASE


@dataclass(frozen=True)
class MemoryTiming:
    """How the memory answers: as `memory` does, but where the rest says something else.

    `memory`: None for that of the engine's config; `latency`: cycles of a burst, drawn from first .. last; `stall`: a
    share of cycles (0 .. 0.95), at random, in which it stalls besides.
    """

    memory: Memory | None = None
    latency: tuple[int, int] | None = None
    stall: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        first, last = self.latency or (0, 0)
        if not 0 <= first <= last <= MOST_LATENCY:
            raise SternaError(
                "bad memory timing",
                attribute="latency",
                value=self.latency,
                allowed=f"0 .. {MOST_LATENCY}, rising",
                remedy="choose cycles in that range",
            )
        if not 0 <= self.stall <= 0.95:
            raise SternaError(
                "bad memory timing",
                attribute="stall",
                value=self.stall,
                allowed="0 .. 0.95",
                remedy="choose a share in that range",
            )
        if not 0 <= self.seed < 1 << 63:
            raise SternaError(
                "bad memory timing",
                attribute="seed",
                value=self.seed,
                allowed=f"0 .. {(1 << 63) - 1}",
                remedy="choose a number in that range",
            )


class SimTransport(libsterna.Simulation):
    """The engine in `folder` (made by `sterna generate`), simulated. Built on `open` if it has not been yet."""

    def __init__(
        self,
        folder: Path,
        *,
        timing: MemoryTiming | None = None,
        build_dir: Path | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._folder, self._build_dir, self._announce = folder, build_dir, announce
        self._memory_timing = timing or MemoryTiming()

    def open(self) -> None:
        """Build if needed, start, reset."""
        self.program = str(simulator.build(self._folder, self._build_dir, self._announce))
        self.timing = self._native_timing()
        super().open()

    def _native_timing(self) -> libsterna.SimulatedTiming:
        timing = self._memory_timing
        memory = timing.memory or load_memory(simulator.config_fields(self._folder).get("memory", DEFAULT))
        return libsterna.SimulatedTiming(
            *(timing.latency or (memory.latency, memory.latency)), round(timing.stall * 1000), timing.seed,
            memory.refresh_every, memory.refresh_cycles, memory.gap_every, memory.gap_cycles,
        )  # fmt: skip
