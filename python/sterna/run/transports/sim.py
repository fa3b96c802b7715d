"""A generated engine in simulation as a transport: the Verilated RTL and a memory on its bus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sterna.errors import SternaError
from sterna.run import simulator
from sterna.run.simulation import Simulation
from sterna.spec.memory import DEFAULT, MOST_LATENCY, Memory, load_memory

#: Above 4 GB, so that all address bits matter.
MEMORY_BASE = 0x1_2340_0000
MEMORY_BYTES = 1 << 32
#: Real time between checks for Ctrl-C. The simulation's process does not see it, and finishes the current call.
LOOK_MILLISECONDS = 200

_IRQ = 0  # sim/harness/sterna_sim.h


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


class SimTransport:
    """The engine in `folder` (made by `sterna generate`), simulated. Built on `open` if it has not been yet."""

    memory_base = MEMORY_BASE
    memory_bytes = MEMORY_BYTES

    def __init__(
        self,
        folder: Path,
        *,
        timing: MemoryTiming | None = None,
        build_dir: Path | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self._folder, self._build_dir, self._announce = folder, build_dir, announce
        self._timing = timing or MemoryTiming()
        self._simulation: Simulation | None = None

    @property
    def memory_latency(self) -> int:
        """Cycles until a burst's first beat at the latest, if nothing stalls."""
        memory = self._memory
        return self._latency[1] + memory.refresh_cycles + memory.gap_cycles

    @cached_property
    def _memory(self) -> Memory:
        return self._timing.memory or load_memory(simulator.config_fields(self._folder).get("memory", DEFAULT))

    @property
    def _latency(self) -> tuple[int, int]:
        return self._timing.latency or (self._memory.latency, self._memory.latency)

    def open(self) -> None:
        """Build if needed, start, reset."""
        self.close()
        library = simulator.build(self._folder, self._build_dir, self._announce)
        self._simulation = Simulation(library, self._timing.seed)
        timing, memory = self._timing, self._memory
        self._simulation.call("set_timing", *self._latency, round(timing.stall * 1000), timing.seed)
        self._simulation.call(
            "set_pauses", memory.refresh_every, memory.refresh_cycles, memory.gap_every, memory.gap_cycles
        )

    def close(self) -> None:
        """End the simulation."""
        if self._simulation is not None:
            self._simulation.close()
        self._simulation = None

    def read32(self, register: int) -> int:
        """The 32-bit register at byte address `register`."""
        _, value = self._running().call("read32", register)
        return value

    def write32(self, register: int, value: int) -> None:
        """Write the 32-bit register at byte address `register`."""
        self._running().call("write32", register, value)

    def read_memory(self, address: int, size: int) -> bytes:
        """`size` bytes of the memory at bus address `address`."""
        return self._running().read(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write `data` to the memory at bus address `address`."""
        self._running().write(address, data)

    def wait(self, cycles: int) -> bool:
        """Clock the engine until its interrupt is high, at most `cycles`; True if it is."""
        end = self.cycles + cycles
        while (left := end - self.cycles) > 0:
            why, _ = self._running().call("run", left, LOOK_MILLISECONDS)
            if why == _IRQ:
                return True
        return False

    @property
    def cycles(self) -> int:
        """Clock cycles since `open`."""
        return self._running().cycles

    def reset(self) -> None:
        """Reset the engine in the middle of whatever it does; the memory keeps its contents."""
        self._running().call("reset")

    def set_fault(self, address: int, size: int) -> None:
        """Let the memory refuse (SLVERR) what touches `size` bytes at `address`; size 0 ends that."""
        self._running().call("set_fault", address, size)

    def _running(self) -> Simulation:
        if self._simulation is None:
            raise SternaError("the simulation is not open", where="simulated engine", remedy="open it first")
        return self._simulation
