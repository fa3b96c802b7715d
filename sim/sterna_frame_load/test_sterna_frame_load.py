"""Bench of sterna_frame_load: random frames of beats against the words they hold."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import pytest
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack, unpack

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "ActW": 8, "FmAddrW": 12, "DataW": 64},
    {"TileH": 3, "TileW": 3, "ActW": 5, "FmAddrW": 6, "DataW": 512},
    {"TileH": 13, "TileW": 7, "ActW": 6, "FmAddrW": 10, "DataW": 256},
]


class TB(Bench):
    """A source of beats, the write port, and a memory that collects what is written."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.lanes = int(dut.TileH.value) * int(dut.TileW.value)
        self.act_w, self.addr_w = int(dut.ActW.value), int(dut.FmAddrW.value)
        self.data_w = int(dut.DataW.value)
        self.word_beats = -(-self.lanes * 32 // self.data_w)
        self.inputs = Inputs(dut)
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), {"beat": Field(dut.beat_data_i)}, idle)
        self.writes = Sink(Field(dut.write_valid_o), Field(dut.write_ready_i), {
            "address": Field(dut.write_addr_o), "lanes": Field(dut.write_lanes_o),
            "word": Field(dut.write_data_o)}, stall)
        self.done = Sink(Field(dut.done_o), None, {})
        self.agents = [self.inputs, self.beats, self.writes, self.done]

    def begin(self, words: int) -> tuple[int, list[list[int]]]:
        """Start a move of random words; returns its base and its words, as pixels of four channels."""
        base = random.randrange((1 << self.addr_w) - words + 1)
        low, high = -(1 << (self.act_w - 1)), (1 << (self.act_w - 1)) - 1
        frame = [[[random.randint(low, high) for _ in range(4)] for _ in range(self.lanes)] for _ in range(words)]
        for word in frame:
            data = pack([value for pixel in word for value in pixel], 8)
            self.beats.send({"beat": data >> (self.data_w * b) & (1 << self.data_w) - 1}
                            for b in range(self.word_beats))
        self.inputs.pulse("start_i", base_i=base, words_i=words)
        return base, [[pack(pixel, self.act_w) for pixel in word] for word in frame]

    def check(self, base: int, frame: list[list[int]]) -> None:
        """Compare what was written; each pixel is written once."""
        memory: dict[tuple[int, int], int] = {}
        for write in self.writes.taken:
            for lane, pixel in enumerate(unpack(write["word"], 4 * self.act_w, self.lanes)):
                if write["lanes"] >> lane & 1:
                    place = write["address"], lane
                    assert place not in memory, f"written twice: word {place[0]} lane {lane}"
                    memory[place] = pixel
        want = {(base + i, lane): pixel for i, word in enumerate(frame) for lane, pixel in enumerate(word)}
        assert memory == want, "memory differs: " + str(sorted(memory.items() ^ want.items())[:4])
        self.writes.taken.clear()

    async def finish(self) -> int:
        """Run until done; returns the cycles that took, and checks that done comes once, after the last write."""
        self.done.taken.clear()
        cycles = await self.run_until(lambda: bool(self.done.taken), 20000)
        writes = len(self.writes.taken)
        await self.step(5)
        assert len(self.done.taken) == 1 and len(self.writes.taken) == writes and not self.beats.queue
        return cycles


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def loads_random_frames(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(start_i=0)
    for words in (1, 2, random.randint(3, 20)):
        base, frame = tb.begin(words)
        await tb.finish()
        tb.check(base, frame)


@cocotb.test()
async def takes_a_beat_every_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(start_i=0)
    base, frame = tb.begin(16)
    assert await tb.finish() <= 16 * tb.word_beats + 4
    tb.check(base, frame)


@cocotb.test()
async def takes_no_beat_without_a_move(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(start_i=0)
    tb.beats.send([{"beat": 1}])
    await tb.step(5)
    assert tb.beats.sent == 0
    tb.inputs.pulse("start_i", base_i=0, words_i=0)
    await tb.run_until(lambda: bool(tb.done.taken), 10)
    assert tb.beats.sent == 0 and tb.writes.taken == []


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.2, 0.2)
    await tb.start(start_i=0)
    for cycles in (2, 7, 30):
        tb.begin(20)
        await tb.step(cycles)
        await tb.clear()
        await tb.step(3)
        assert tb.writes.taken == [] and tb.done.taken == []
        base, frame = tb.begin(3)
        await tb.finish()
        tb.check(base, frame)


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(start_i=0)
    base, frame = tb.begin(3)
    await tb.finish()
    frame[1][random.randrange(tb.lanes)] ^= 1 << random.randrange(4 * tb.act_w)
    with pytest.raises(AssertionError, match="memory differs"):
        tb.check(base, frame)
