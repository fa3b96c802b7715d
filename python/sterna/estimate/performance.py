"""What a compiled graph needs of an engine: cycles and bytes per frame."""

from __future__ import annotations

from dataclasses import dataclass

from sterna.estimate.bandwidth import bus_bandwidth
from sterna.package.package import Package
from sterna.spec import tape
from sterna.spec.config import EngineConfig


@dataclass(frozen=True)
class Performance:
    """A graph on an engine at a clock."""

    config: EngineConfig
    mhz: int
    #: Clock cycles from one frame to the next if frames are queued, and of a frame by itself.
    cycles: int
    cycles_alone: int
    #: Bytes between memory and engine for one frame.
    tape_bytes: int
    frame_bytes: int
    result_bytes: int
    #: Those of maps that spill, both ways.
    spilled_bytes: int

    @property
    def frames(self) -> float:
        """Frames per second, queued."""
        return self.mhz * 1e6 / self.cycles

    @property
    def frames_alone(self) -> float:
        """Frames per second if each one starts when the one before it has ended."""
        return self.mhz * 1e6 / self.cycles_alone

    @property
    def frame_traffic(self) -> int:
        """Bytes per frame in both directions."""
        return self.tape_bytes + self.frame_bytes + self.result_bytes + self.spilled_bytes

    @property
    def bandwidth(self) -> float:
        """Bytes per second that queued frames need."""
        return self.frame_traffic * self.frames

    @property
    def bus_bandwidth(self) -> float:
        """Maximum bytes per second of the bus in one direction."""
        return bus_bandwidth(self.config, self.mhz) * 1e9

    @property
    def sustained_bandwidth(self) -> float:
        """Bytes per second that the config's memory sustains on that bus."""
        return self.config.memory_timing.share * self.bus_bandwidth


def performance(package: Package, mhz: int) -> Performance:
    """The needs of the compiled graph at a clock of `mhz`. Raises SternaError if it was compiled without cycles."""
    package.schedule.check_timed("performance")
    steps = tape.read(package.tape).steps
    loads = [step for step in steps if step["op"] == tape.Op.LOAD and not step["next"]]
    stores = [step for step in steps if step["op"] == tape.Op.STORE]
    # The tape is read once, the weights of a step once for each of its tile groups.
    again = sum(step["weights_bytes"] * (step["tile_groups"] - 1) for step in steps if step["op"] == tape.Op.CONV)
    return Performance(
        config=package.config,
        mhz=mhz,
        cycles=package.schedule.queued_cycles,
        cycles_alone=package.schedule.alone_cycles,
        tape_bytes=len(package.tape) + again,
        # Rows of an image that is loaded by bands are read again for several of them.
        frame_bytes=sum(step["dram_bytes"] for step in loads if not step["scratch"]),
        result_bytes=package.schedule.result_bytes,
        spilled_bytes=sum(step["dram_bytes"] for step in loads + stores if step["scratch"]),
    )
