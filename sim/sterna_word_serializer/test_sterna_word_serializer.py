"""Bench of sterna_word_serializer: the first words of each beat come out in order."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"DataW": 64}, {"DataW": 256}]


class TB(Bench):
    """Beats in, words out."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.beat_words = len(dut.beat_data_i) // 64
        beat = {"data": Field(dut.beat_data_i), "words": Field(dut.beat_words_i)}
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), beat, idle)
        self.words = Sink(Field(dut.word_valid_o), Field(dut.word_ready_i), {"data": Field(dut.word_data_o)}, stall)
        self.agents = [self.beats, self.words]

    def send(self, words: int) -> list[dict[str, int]]:
        """Queue a random beat of which `words` count; returns them."""
        data = [random.getrandbits(64) for _ in range(self.beat_words)]
        self.beats.send([{"data": sum(word << 64 * i for i, word in enumerate(data)), "words": words}])
        return [{"data": word} for word in data[:words]]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def keeps_words_in_order(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start()
    wanted = [word for _ in range(60) for word in tb.send(random.randint(1, tb.beat_words))]
    cycles = await tb.run_until(lambda: len(tb.words.taken) == len(wanted), 3000)
    assert tb.words.taken == wanted
    if idle == stall == 0.0:
        assert cycles <= len(wanted) + 3
    await tb.step(2)
    assert int(dut.idle_o.value) == 1


@cocotb.test()
async def clear_drops_the_beat(dut: Any) -> None:
    tb = TB(dut, 0.0, 1.0)
    await tb.start()
    tb.send(tb.beat_words)
    await tb.step(4)
    assert int(dut.idle_o.value) == 0
    await tb.clear()
    tb.words.stall = 0.0
    await tb.step(3)
    assert int(dut.idle_o.value) == 1
    assert not tb.words.taken
