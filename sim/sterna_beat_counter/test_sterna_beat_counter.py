"""Bench of sterna_beat_counter: bursts of any length, one after the other."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"Width": 6}, {"Width": 1}]


class TB(Bench):
    """Bursts in, and their beats, which the bench moves when it likes."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        burst = {"len": Field(dut.len_i), "data": Field(dut.data_i)}
        self.bursts = Source(Field(dut.valid_i), Field(dut.ready_o), burst, idle)
        beat = {"data": Field(dut.data_o), "first": Field(dut.first_o), "last": Field(dut.last_o)}
        self.beats = Sink(Field(dut.valid_o), Field(dut.next_i), beat, stall)
        self.agents = [self.bursts, self.beats, self]

    def drive(self) -> None:
        """No beat moves outside of a burst."""
        if not int(self.dut.valid_o.value):
            self.dut.next_i.value = 0

    def sample(self) -> None:
        """Nothing to read."""

    def ask(self, lengths: list[int]) -> list[dict[str, int]]:
        """Send bursts of so many beats less one; the beats that they must give."""
        data = [random.getrandbits(int(self.dut.Width.value)) for _ in lengths]
        self.bursts.send({"len": length, "data": each} for length, each in zip(lengths, data, strict=True))
        return [
            {"data": each, "first": int(beat == 0), "last": int(beat == length)}
            for length, each in zip(lengths, data, strict=True)
            for beat in range(length + 1)
        ]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def counts_beats(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(next_i=0)
    wanted = tb.ask([255, *(random.choice([0, 1, 2, 15]) for _ in range(60)), 0])
    await tb.run_until(lambda: len(tb.beats.taken) == len(wanted), 5000)
    assert tb.beats.taken == wanted
    await tb.step(10)
    assert not int(dut.valid_o.value)


@cocotb.test()
async def loses_no_cycle_between_bursts(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(next_i=0)
    wanted = tb.ask([0] * 20 + [1] * 20)
    assert await tb.run_until(lambda: len(tb.beats.taken) == len(wanted), 500) <= len(wanted) + 3
