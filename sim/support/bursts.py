"""Bursts without what is the same in each of them: masters that ask for them, and a memory that checks and answers.

Channels are found by their ports, `PREFIX_ar_valid_i` or `PREFIX_arvalid`, and so on. Each class is an agent of a bench
that has the clock of its ports.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sim.support.streams import Agent, Field, Sink, Source

PAGE = 4096
OKAY, SLVERR = 0, 2
#: Bytes of the last page.
BAD = range(31 * 64, 39 * 64)


def port(dut: Any, prefix: str, channel: str, name: str) -> Field:
    """The port `name` of a channel."""
    names = (f"{prefix}_{channel}_{name}_i", f"{prefix}_{channel}_{name}_o", f"{prefix}_{channel}{name}")
    return Field(next(getattr(dut, each) for each in names if hasattr(dut, each)))


def source(dut: Any, prefix: str, channel: str, names: tuple[str, ...], idle: float) -> Source:
    """A driver of a channel."""
    return Source(*_handshake(dut, prefix, channel), {name: port(dut, prefix, channel, name) for name in names}, idle)


def sink(dut: Any, prefix: str, channel: str, names: tuple[str, ...], stall: float) -> Sink:
    """A monitor of a channel."""
    return Sink(*_handshake(dut, prefix, channel), {name: port(dut, prefix, channel, name) for name in names}, stall)


def _handshake(dut: Any, prefix: str, channel: str) -> tuple[Field, Field]:
    return port(dut, prefix, channel, "valid"), port(dut, prefix, channel, "ready")


@dataclass
class Bytes:
    """A few pages anywhere in 64 bits of address; accesses to a part of the last one are answered with SLVERR."""

    pages: int = 5
    base: int = field(default_factory=lambda: random.randrange(1 << 48) * PAGE)

    def __post_init__(self) -> None:
        self.data = bytearray(random.randbytes(self.pages * PAGE))

    def response(self, address: int, size: int) -> int:
        """What an access to `size` bytes is answered with."""
        first = address - self.base - (self.pages - 1) * PAGE
        return SLVERR if first < BAD.stop and first + size > BAD.start else OKAY

    def at(self, address: int, size: int) -> slice:
        """The place of `size` bytes at `address`."""
        first = address - self.base
        assert 0 <= first <= len(self.data) - size, f"no memory at {address:#x}"
        return slice(first, first + size)

    def burst(self, beat_bytes: int, longest: int, *, bad: bool = False) -> tuple[int, int]:
        """First byte and length, less one, of a random burst inside a page."""
        page = self.pages - 1 if bad else random.randrange(self.pages - 1)
        first = random.randrange(PAGE // beat_bytes)
        beats = min(random.choice((1, 2, longest, random.randrange(longest) + 1)), PAGE // beat_bytes - first)
        return self.base + page * PAGE + first * beat_bytes, beats - 1


class BurstMemory:
    """Answers bursts at ports `m_*` in order, and checks that none is longer than `longest` or leaves its page."""

    def __init__(self, dut: Any, memory: Bytes, beat_bytes: int, longest: int, *, pause: float = 0.3) -> None:
        self.memory, self.beat_bytes, self.longest, self.bursts = memory, beat_bytes, longest, 0
        self.agents: list[Agent] = []
        #: Of writes: the address of each beat, and whether it is the last of its burst; the answer of each burst.
        self._beats: deque[tuple[int, bool]] = deque()
        self._responses: deque[int] = deque()
        if hasattr(dut, "m_ar_valid_o") or hasattr(dut, "m_axi_arvalid"):
            prefix = "m_axi" if hasattr(dut, "m_axi_arvalid") else "m"
            self._ar = sink(dut, prefix, "ar", ("addr", "len"), pause)
            self._r = source(dut, prefix, "r", ("data", "resp", "last"), pause)
            self.agents += [self._ar, self._r, Rule(self._read)]
        if hasattr(dut, "m_aw_valid_o") or hasattr(dut, "m_axi_awvalid"):
            prefix = "m_axi" if hasattr(dut, "m_axi_awvalid") else "m"
            self._aw = sink(dut, prefix, "aw", ("addr", "len"), pause)
            strobes = ("strobe",) if hasattr(dut, "m_w_strobe_o") else ("strb",)
            self._w = sink(dut, prefix, "w", ("data", *strobes, "last"), pause)
            self._b = source(dut, prefix, "b", ("resp",), pause)
            self.agents += [self._aw, self._w, self._b, Rule(self._write)]

    def pause(self, chance: float) -> None:
        """Pause each channel in a cycle with this chance."""
        for agent in self.agents:
            if isinstance(agent, Source):
                agent.idle = chance
            elif isinstance(agent, Sink):
                agent.stall = chance

    def _check(self, burst: dict[str, int]) -> tuple[int, int]:
        address, beats = burst["addr"], burst["len"] + 1
        assert beats <= self.longest
        assert address % self.beat_bytes == 0
        assert address % PAGE + beats * self.beat_bytes <= PAGE
        self.bursts += 1
        return address, beats

    def _read(self) -> None:
        for burst in self._ar.taken:
            address, beats = self._check(burst)
            for beat in range(beats):
                at = address + beat * self.beat_bytes
                data = int.from_bytes(self.memory.data[self.memory.at(at, self.beat_bytes)], "little")
                resp = self.memory.response(at, self.beat_bytes)
                self._r.send([{"data": data, "resp": resp, "last": int(beat == beats - 1)}])
        self._ar.taken.clear()

    def _write(self) -> None:
        for burst in self._aw.taken:
            address, beats = self._check(burst)
            self._beats.extend((address + i * self.beat_bytes, i == beats - 1) for i in range(beats))
            self._responses.append(self.memory.response(address, beats * self.beat_bytes))
        self._aw.taken.clear()
        while self._w.taken and self._beats:
            (address, last), beat = self._beats.popleft(), self._w.taken.pop(0)
            assert beat["last"] == last
            strobes = beat.get("strb", (1 << self.beat_bytes) - 1 if beat.get("strobe") else 0)
            for lane, value in enumerate(beat["data"].to_bytes(self.beat_bytes, "little")):
                if strobes >> lane & 1:
                    self.memory.data[self.memory.at(address + lane, 1)] = bytes([value])
            if last:
                self._b.send([{"resp": self._responses.popleft()}])


class Rule:
    """An agent that does something after the agents before it have looked at a cycle."""

    def __init__(self, rule: Any) -> None:
        self.sample = rule

    def drive(self) -> None:
        """Nothing to drive."""


class ReadMaster:
    """Reads bursts at ports `prefix`, and compares what comes with what `memory` holds when they are asked for."""

    def __init__(self, dut: Any, prefix: str, memory: Bytes, beat_bytes: int, *, pause: float = 0.3) -> None:
        self.memory, self.beat_bytes = memory, beat_bytes
        self._ar = source(dut, prefix, "ar", ("addr", "len"), pause)
        self.beats = sink(dut, prefix, "r", ("data", "resp", "last"), pause)
        self.agents: list[Agent] = [self._ar, self.beats]
        self.wanted: list[dict[str, int]] = []

    def read(self, address: int, length: int) -> None:
        """Ask for a burst."""
        self._ar.send([{"addr": address, "len": length}])
        for beat in range(length + 1):
            at = address + beat * self.beat_bytes
            data = int.from_bytes(self.memory.data[self.memory.at(at, self.beat_bytes)], "little")
            resp = self.memory.response(at, self.beat_bytes)
            self.wanted.append({"data": data, "resp": resp, "last": int(beat == length)})

    def done(self) -> bool:
        """Whether all beats have come; fails if one is wrong."""
        if len(self.beats.taken) < len(self.wanted):
            return False
        assert self.beats.taken == self.wanted
        return True


class WriteMaster:
    """Writes bursts at ports `prefix`; `wanted` is what the memory is to hold in the end."""

    def __init__(self, dut: Any, prefix: str, memory: Bytes, beat_bytes: int, *, pause: float = 0.3) -> None:
        self.memory, self.beat_bytes = memory, beat_bytes
        self._aw = source(dut, prefix, "aw", ("addr", "len"), pause)
        self._strobe = "strobe" if hasattr(dut, f"{prefix}_w_strobe_i") else "strb"
        self._w = source(dut, prefix, "w", ("data", self._strobe, "last"), pause)
        self.answers = sink(dut, prefix, "b", ("resp",), pause)
        self.agents: list[Agent] = [self._aw, self._w, self.answers]
        self.wanted, self.responses = bytearray(memory.data), list[int]()

    def write(self, address: int, length: int) -> None:
        """Write random beats, of which some are marked as not to be written."""
        self._aw.send([{"addr": address, "len": length}])
        self.responses.append(self.memory.response(address, (length + 1) * self.beat_bytes))
        for beat in range(length + 1):
            data, written = random.randbytes(self.beat_bytes), random.random() < 0.8
            strobes = ((1 << self.beat_bytes) - 1 if self._strobe == "strb" else 1) if written else 0
            self._w.send([{"data": int.from_bytes(data, "little"), self._strobe: strobes, "last": int(beat == length)}])
            if written:
                self.wanted[self.memory.at(address + beat * self.beat_bytes, self.beat_bytes)] = data

    def done(self) -> bool:
        """Whether all bursts are answered; fails if an answer is wrong."""
        if len(self.answers.taken) < len(self.responses):
            return False
        assert [answer["resp"] for answer in self.answers.taken] == self.responses
        return True
