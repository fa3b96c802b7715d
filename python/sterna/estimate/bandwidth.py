"""The speed of a graph on an engine with other memories: frames against sustained bandwidth and latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sterna.compile.clock import Clock
from sterna.package.package import Package
from sterna.spec.config import EngineConfig
from sterna.spec.memory import Memory

#: Shares of what the bus can take, and cycles.
SHARES = (0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
LATENCIES = (20, 60, 200, 400)
#: Longest period of the gaps that stand for a bandwidth, in cycles.
_LONGEST_PERIOD = 100


@dataclass(frozen=True)
class MemoryPoint:
    """A memory, and the cycles from one queued frame to the next."""

    #: GB/s that it can sustain, and cycles until it answers.
    bandwidth: float
    latency: int
    cycles: int


def bus_bandwidth(config: EngineConfig, mhz: int) -> float:
    """GB/s that the bus of `config` can take in one direction."""
    return config.beat_bytes * mhz / 1e3


def memory_of(config: EngineConfig, mhz: int, bandwidth: float, latency: int) -> Memory:
    """A memory that sustains `bandwidth` GB/s, or all that the bus of `config` can take, and answers after `latency`.

    It has gaps for all that it does not move, and no refresh besides.
    """
    share = bandwidth / bus_bandwidth(config, mhz)
    moved = Fraction(min(1.0, max(1 / _LONGEST_PERIOD, share))).limit_denominator(_LONGEST_PERIOD)
    return Memory(
        name=f"{bandwidth:g} GB/s", latency=latency, refresh_every=1, refresh_cycles=0, gap_every=moved.denominator,
        gap_cycles=moved.denominator - moved.numerator,
    )  # fmt: skip


def sweep(
    clock: Clock,
    package: Package,
    mhz: int,
    bandwidths: Sequence[float] | None = None,
    latencies: Sequence[int] = LATENCIES,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> list[MemoryPoint]:
    """A point per latency and bandwidth (by default SHARES of the bus), by the cycle model.

    `clock` is that of the compiled `package`.
    """
    bandwidths = bandwidths or [share * bus_bandwidth(package.config, mhz) for share in SHARES]
    cycles: dict[tuple[int, int, int], int] = {}
    points: list[MemoryPoint] = []
    for latency in latencies:
        for bandwidth in bandwidths:
            memory = memory_of(package.config, mhz, bandwidth, latency)
            key = memory.latency, memory.gap_every, memory.gap_cycles
            if key not in cycles:
                progress(len(points), len(latencies) * len(bandwidths), f"{memory.name}, {latency} cycles")
                cycles[key] = clock.frame(len(package.tape), queued=True, memory=memory).cycles
            points.append(MemoryPoint(bandwidth, latency, cycles[key]))
    return points
