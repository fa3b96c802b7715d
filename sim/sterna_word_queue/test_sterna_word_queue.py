"""Bench of sterna_word_queue: words of one to four channels and empty ones, written when it is the queue's turn."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink
from sim.support.turns import Turns
from sim.support.words import unpack

from sterna.spec.config import WORD_CHANNELS

PARAMETERS = [{"Lanes": 3, "ActW": 5, "Depth": 16}, {"Lanes": 9, "ActW": 8, "FmAddrW": 7}]


class TB(Bench):
    """Gives channels of words while there is room, watches the words that are written."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.lanes, self.act_w, self.depth = (int(getattr(dut, name).value) for name in ("Lanes", "ActW", "Depth"))
        self.idle = idle
        self.channels = 0  # that were given, or empty words
        self.room = self.depth
        self.left = 0
        self.word: list[dict[str, int]] = []  # channels of the word that still have to come
        self.expected: list[dict[str, Any]] = []
        self.ends: list[int] = []  # words before the end of each pass
        self.done = 0
        self.writes = Sink(
            Field(dut.write_valid_o), None,
            {"address": Field(dut.write_addr_o), "strobe": Field(dut.write_strobe_o)},
            late={"data": Field(dut.write_data_o)},
        )
        self.agents = [self, Turns(dut, stall), self.writes]

    def begin(self) -> None:
        """A new word: its first channels, or none."""
        count = random.randint(1, WORD_CHANNELS)
        empty = random.random() < 0.1
        strobe = 0 if empty else (1 << count) - 1
        address, end = random.getrandbits(len(self.dut.address_i)), int(random.random() < 0.3)
        channels = range(1 if empty else count)
        width = self.lanes * self.act_w
        self.word = [{"valid_i": 1, "data_i": random.getrandbits(width), "word_i": 0} for _ in channels]
        self.channels += len(self.word)
        self.word[-1] |= {"valid_i": int(strobe > 0), "word_i": 1}
        self.word[-1] |= {"strobe_i": strobe, "address_i": address, "last_i": end}
        if strobe:
            data = {c: unpack(item["data_i"], self.act_w, self.lanes)
                    for c, item in zip(channels, self.word, strict=True)}
            self.expected.append({"address": address, "strobe": strobe, "data": data})
        if end:
            self.ends.append(len(self.expected))
        self.room -= 1
        self.left -= 1

    def drive(self) -> None:
        """One channel, or none; noise on what means nothing."""
        if not self.word and self.left and self.room:
            self.begin()
        inputs = {name: random.getrandbits(len(getattr(self.dut, name)))
                  for name in ("data_i", "strobe_i", "address_i", "last_i")}
        inputs |= {"valid_i": 0, "word_i": 0}
        inputs |= self.word.pop(0) if self.word and random.random() >= self.idle else {}
        for name, value in inputs.items():
            getattr(self.dut, name).value = value

    def sample(self) -> None:
        """Room comes back; a pass is done when all its words are written."""
        self.room += int(self.dut.release_o.value)
        if int(self.dut.done_o.value):
            assert len(self.writes.taken) >= self.ends[self.done], "done before the last word was written"
            self.done += 1

    def check(self) -> None:
        """Compare the words that were written."""
        assert len(self.writes.taken) == len(self.expected)
        for got, want in zip(self.writes.taken, self.expected, strict=True):
            assert (got["address"], got["strobe"]) == (want["address"], want["strobe"])
            values = unpack(got["data"], self.act_w, self.lanes * WORD_CHANNELS)
            for place, data in want["data"].items():
                assert values[place::WORD_CHANNELS] == data


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.9])
async def writes_words(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(valid_i=0, word_i=0)
    tb.left = 300
    cycles = await tb.run_until(lambda: not tb.left and not tb.word and tb.room == tb.depth, 20000)
    if not idle and not stall:
        assert cycles < tb.channels + 20, "not a channel a cycle"
    await tb.run_until(lambda: tb.done == len(tb.ends) and len(tb.writes.taken) == len(tb.expected), 400)
    await tb.step(20)
    tb.check()
    assert tb.done == len(tb.ends)


@cocotb.test()
async def works_again_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.5)
    await tb.start(valid_i=0, word_i=0)
    tb.left = 1000
    for _ in range(5):
        tb.idle = 0.0
        await tb.step(random.randint(1, 60))
        tb.idle = 1.0
        await tb.step()
        await tb.clear()
        tb.word, tb.expected, tb.ends, tb.done, tb.room = [], [], [], 0, tb.depth
    tb.idle = 0.0
    tb.left = 50
    await tb.run_until(lambda: not tb.left and not tb.word and tb.room == tb.depth, 4000)
    await tb.run_until(lambda: len(tb.writes.taken) == len(tb.expected), 400)
    await tb.step(20)
    tb.check()
