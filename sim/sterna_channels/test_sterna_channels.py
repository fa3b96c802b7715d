"""Bench of sterna_channels: bursts to two memories that pause by themselves, each with half of every beat."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.bursts import OKAY, PAGE, SLVERR, BurstMemory, Bytes, sink, source
from sim.support.streams import Bench, Field

PARAMETERS = [
    {"DataW": 512, "IdW": 4, "Outstanding": 16, "Ahead": 32},
    {"DataW": 64, "IdW": 1, "Outstanding": 2, "Ahead": 2},
]
#: Pages of the whole, and the bytes of a memory that it refuses.
PAGES = 6
BAD = (range(5000, 5400), range(9000, 9001))


class Part:
    """A memory's part of a port."""

    def __init__(self, handle: Any, channel: int) -> None:
        width = len(handle) // 2
        self._field, self._path = Field(handle, channel * width, width), f"{handle._path}.{channel}"

    def __len__(self) -> int:
        return self._field.width

    @property
    def value(self) -> int:
        """Its bits."""
        return self._field.read()

    @value.setter
    def value(self, value: int) -> None:
        self._field.write(value)


class Ports:
    """The ports of one memory."""

    def __init__(self, dut: Any, channel: int) -> None:
        self._dut, self._channel = dut, channel

    def __getattr__(self, name: str) -> Part:
        return Part(getattr(self._dut, name), self._channel)


class Half(Bytes):
    """A memory, which refuses bytes of its own."""

    def __init__(self, base: int, bad: range) -> None:
        super().__init__(PAGES // 2, base)
        self.bad = bad

    def response(self, address: int, size: int) -> int:
        """What an access to `size` bytes is answered with."""
        first = address - self.base
        return SLVERR if first < self.bad.stop and first + size > self.bad.start else OKAY


class TB(Bench):
    """A master, two memories, and what is to come of each burst."""

    def __init__(self, dut: Any, pause: float, pauses: tuple[float, float]) -> None:
        super().__init__(dut)
        self.half_bytes = int(dut.DataW.value) // 8
        self.ids = 1 << int(dut.IdW.value)
        self.base = random.randrange(1 << 47) * 2 * PAGE
        self.halves = [Half(self.base // 2, bad) for bad in BAD]
        self._ar = source(dut, "s", "ar", ("id", "addr", "len"), pause)
        self.r = sink(dut, "s", "r", ("id", "data", "resp", "last"), pause)
        self._aw = source(dut, "s", "aw", ("id", "addr", "len"), pause)
        self._w = source(dut, "s", "w", ("data", "strb", "last"), pause)
        self.b = sink(dut, "s", "b", ("id", "resp"), pause)
        self.memories = [
            BurstMemory(Ports(dut, channel), half, self.half_bytes, 64, pause=pauses[channel])
            for channel, half in enumerate(self.halves)
        ]
        self.agents = [self._ar, self.r, self._aw, self._w, self.b]
        self.agents += [agent for memory in self.memories for agent in memory.agents]
        self.beats: list[dict[str, int]] = []
        self.answers: list[dict[str, int]] = []
        self.wanted = [bytearray(half.data) for half in self.halves]

    def burst(self, first_page: int, last_page: int) -> tuple[int, int]:
        """Place of a random burst's first beat, and its beats."""
        size = 2 * self.half_bytes
        page, first = random.randrange(first_page, last_page + 1), random.randrange(PAGE // size)
        return page * PAGE // size + first, min(
            random.choice((1, 2, 64, random.randrange(64) + 1)), PAGE // size - first
        )

    def _bytes(self, beat: int) -> slice:
        return slice(beat * self.half_bytes, (beat + 1) * self.half_bytes)

    def _response(self, place: int, beats: int) -> int:
        address, size = self.base // 2 + place * self.half_bytes, beats * self.half_bytes
        return max(half.response(address, size) for half in self.halves)

    def _asked(self, place: int, beats: int) -> dict[str, int]:
        address = self.base + 2 * place * self.half_bytes
        return {"id": random.randrange(self.ids), "addr": address, "len": beats - 1}

    def read(self, place: int, beats: int) -> None:
        """Ask for a burst."""
        asked = self._asked(place, beats)
        self._ar.send([asked])
        for beat in range(place, place + beats):
            data = b"".join(bytes(half.data[self._bytes(beat)]) for half in self.halves)
            self.beats.append({
                "id": asked["id"], "data": int.from_bytes(data, "little"), "resp": self._response(beat, 1),
                "last": int(beat == place + beats - 1),
            })  # fmt: skip

    def write(self, place: int, beats: int) -> None:
        """Write some bytes of random beats."""
        asked = self._asked(place, beats)
        self._aw.send([asked])
        self.answers.append({"id": asked["id"], "resp": self._response(place, beats)})
        for beat in range(place, place + beats):
            data, strobes = random.randbytes(2 * self.half_bytes), random.getrandbits(2 * self.half_bytes)
            last = int(beat == place + beats - 1)
            self._w.send([{"data": int.from_bytes(data, "little"), "strb": strobes, "last": last}])
            for lane, value in enumerate(data):
                channel, byte = divmod(lane, self.half_bytes)
                if strobes >> lane & 1:
                    self.wanted[channel][self._bytes(beat).start + byte] = value

    def done(self) -> bool:
        """Whether all is answered; fails if something is wrong."""
        if len(self.r.taken) < len(self.beats) or len(self.b.taken) < len(self.answers):
            return False
        assert self.r.taken == self.beats
        assert self.b.taken == self.answers
        assert [half.data for half in self.halves] == self.wanted
        return True


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.4], pauses=[(0.0, 0.0), (0.3, 0.3), (0.8, 0.0), (0.0, 0.8)])
async def moves_halves_of_beats(dut: Any, pause: float, pauses: tuple[float, float]) -> None:
    """Reads of the first pages while the others are written; either memory may be the slower one."""
    tb = TB(dut, pause, pauses)
    await tb.start()
    for _ in range(12):
        tb.read(*tb.burst(0, 2))
        tb.write(*tb.burst(3, 5))
    await tb.run_until(tb.done, 60_000)


@cocotb.test()
async def either_memory_may_refuse(dut: Any) -> None:
    tb = TB(dut, 0.2, (0.2, 0.2))
    await tb.start()
    for bad in BAD:
        place = bad.start // tb.half_bytes
        tb.read(place - 1, 3)
        tb.write(place, 1)
        tb.write(place - 1, 1)
    assert sorted(answer["resp"] for answer in tb.answers) == [OKAY, OKAY, SLVERR, SLVERR]
    await tb.run_until(tb.done, 5_000)


@cocotb.test()
async def streams_without_gaps(dut: Any) -> None:
    tb = TB(dut, 0.0, (0.0, 0.0))
    await tb.start()
    beats = min(32, PAGE // 2 // tb.half_bytes)
    for number in range(16):
        tb.read(number % 3 * beats, beats)
        tb.write(PAGE * 3 // (2 * tb.half_bytes) + number % 3 * beats, beats)
    assert await tb.run_until(tb.done, 5_000) < 1.1 * 16 * beats + 40


@cocotb.test()
async def one_memory_may_be_ahead(dut: Any) -> None:
    """By the beats that its queue holds, and the one that is offered in front of it."""
    tb = TB(dut, 0.0, (0.0, 1.0))
    await tb.start()
    tb.read(0, 64 if tb.half_bytes < 64 else 32)
    await tb.step(200)
    assert len(tb.r.taken) == 0
    assert tb.memories[0].agents[1].sent == min(int(dut.Ahead.value), 32)
    tb.memories[1].pause(0.0)
    await tb.run_until(tb.done, 2_000)
