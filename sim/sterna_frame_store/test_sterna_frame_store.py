"""Bench of sterna_frame_store: random words against the beats that must come out."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import pytest
from sim.support.inputs import Inputs
from sim.support.readers import WordReader
from sim.support.streams import Bench, Field, Sink
from sim.support.words import as_vectors, gather_word, pack

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "ActW": 8, "FmAddrW": 12, "DataW": 64},
    {"TileH": 3, "TileW": 3, "ActW": 5, "FmAddrW": 6, "DataW": 512},
    {"TileH": 13, "TileW": 7, "ActW": 6, "FmAddrW": 10, "DataW": 256},
]
GATHER_LATENCY = 15
MOST_AHEAD = 32


class TB(Bench):
    """The word reader, the beats, and what they must be."""

    def __init__(self, dut: Any, stall: float) -> None:
        super().__init__(dut)
        self.tile_h, self.tile_w = int(dut.TileH.value), int(dut.TileW.value)
        self.lanes = self.tile_h * self.tile_w
        self.act_w, self.addr_w = int(dut.ActW.value), int(dut.FmAddrW.value)
        self.data_w = int(dut.DataW.value)
        self.word_beats = -(-self.lanes * 32 // self.data_w)
        self.inputs = Inputs(dut)
        self.reader = WordReader(dut, "read_o", GATHER_LATENCY)
        self.beats = Sink(Field(dut.beat_valid_o), Field(dut.beat_ready_i), {"beat": Field(dut.beat_data_o)}, stall)
        self.done = Sink(Field(dut.done_o), None, {})
        self.agents = [self.inputs, self.reader, self.beats, self.done]

    def begin(self, words: int) -> list[dict[str, int]]:
        """Start a move of random words; returns the beats that it must give."""
        base = random.randrange((1 << self.addr_w) - words + 1)
        low, high = -(1 << (self.act_w - 1)), (1 << (self.act_w - 1)) - 1
        beats = []
        for i in range(words):
            values = [random.randint(low, high) for _ in range(4 * self.lanes)]
            pixels = [pack(values[lane : lane + 4], self.act_w) for lane in range(0, len(values), 4)]
            self._answer(base + i, pixels)
            data = pack(values, 8)
            beats += [{"beat": data >> (self.data_w * b) & (1 << self.data_w) - 1} for b in range(self.word_beats)]
        self.inputs.pulse("start_i", base_i=base, words_i=words)
        return beats

    def _answer(self, plane: int, pixels: list[int]) -> None:
        """What the gather gives for this word, by its rotation."""
        for beat in range(self.word_beats):
            row, col = divmod(beat * self.data_w // 32, self.tile_w)
            turned = [pixels[(row + y) % self.tile_h * self.tile_w + (col + x) % self.tile_w]
                      for y in range(self.tile_h) for x in range(self.tile_w)]
            self.reader.answers[gather_word(plane=plane, row=row, col=col)] = as_vectors(turned, self.act_w)

    async def expect(self, beats: list[dict[str, int]]) -> int:
        """Run until done, compare, return the cycles it took. Done comes once, after the last beat."""
        self.done.taken.clear()
        cycles = await self.run_until(lambda: bool(self.done.taken), 20000)
        assert len(self.beats.taken) == len(beats)
        await self.step(5)
        assert len(self.done.taken) == 1
        assert self.beats.taken == beats, "beats differ"
        self.beats.taken.clear()
        return cycles


@cocotb.test()
@cocotb.parametrize(stall=[0.0, 0.3, 0.9])
async def stores_random_frames(dut: Any, stall: float) -> None:
    tb = TB(dut, stall)
    await tb.start(start_i=0, word_valid_i=0)
    for words in (1, 2, random.randint(3, 20)):
        await tb.expect(tb.begin(words))


@cocotb.test()
async def gives_a_beat_every_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(start_i=0, word_valid_i=0)
    assert await tb.expect(tb.begin(40)) <= 40 * tb.word_beats + GATHER_LATENCY + 6


@cocotb.test()
async def waits_for_the_bus(dut: Any) -> None:
    tb = TB(dut, 1.0)
    await tb.start(start_i=0, word_valid_i=0)
    beats = tb.begin(50)
    await tb.step(100)
    assert tb.reader.asked == min(MOST_AHEAD, len(beats)), "beats in flight are bounded"
    tb.beats.stall = 0.0
    await tb.expect(beats)


@cocotb.test()
async def stores_nothing(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(start_i=0, word_valid_i=0)
    assert await tb.expect(tb.begin(0)) <= 3
    assert tb.reader.asked == 0


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.3)
    await tb.start(start_i=0, word_valid_i=0)
    for cycles in (2, 7, 40):
        tb.begin(50)
        await tb.step(cycles)
        await tb.clear()
        tb.reader.clear()
        await tb.step(GATHER_LATENCY + 3)
        assert tb.beats.taken == [] and tb.done.taken == []
        await tb.expect(tb.begin(3))


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(start_i=0, word_valid_i=0)
    beats = tb.begin(3)
    wrong = random.randrange(len(beats))
    beats[wrong] = {"beat": beats[wrong]["beat"] ^ 1 << random.randrange(tb.data_w)}
    with pytest.raises(AssertionError, match="beats differ"):
        await tb.expect(beats)
