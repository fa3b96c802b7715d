"""Bench of sterna_beat_split: transfers of any beginning and length."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack

PARAMETERS = [{"DataW": 64, "Parts": 2}, {"DataW": 128, "Parts": 4}]


class TB(Bench):
    """Wide beats in, beats out, of which the bench says which are first and last."""

    def __init__(self, dut: Any, idle: float = 0.3, stall: float = 0.3) -> None:
        super().__init__(dut)
        self.width, self.parts = int(dut.DataW.value), int(dut.Parts.value)
        self.wide = Source(Field(dut.valid_i), Field(dut.ready_o), {"data": Field(dut.data_i)}, idle)
        self.beats = Sink(Field(dut.valid_o), Field(dut.ready_i), {"data": Field(dut.data_o)}, stall)
        self.agents = [self, self.wide, self.beats]
        self.marks: list[tuple[int, int, int]] = []

    def drive(self) -> None:
        """Say what the next beat is."""
        done = len(self.beats.taken)
        first, place, last = self.marks[done] if done < len(self.marks) else (0, 0, 0)
        self.dut.first_i.value, self.dut.place_i.value, self.dut.last_i.value = first, place, last

    def sample(self) -> None:
        """Nothing to read."""

    def transfer(self, first: int, count: int) -> list[dict[str, int]]:
        """Send a transfer that begins at `first`; the beats that it must give."""
        parts = [random.getrandbits(self.width) for _ in range(-(-(first + count) // self.parts) * self.parts)]
        wides = range(0, len(parts), self.parts)
        self.wide.send({"data": pack(parts[at : at + self.parts], self.width)} for at in wides)
        self.marks += [
            (int(beat == 0), first if beat == 0 else random.randrange(self.parts), int(beat == count - 1))
            for beat in range(count)
        ]
        return [{"data": part} for part in parts[first : first + count]]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def splits_transfers(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(first_i=0, last_i=0)
    wanted = []
    for _ in range(60):
        wanted += tb.transfer(random.randrange(tb.parts), random.randint(1, 3 * tb.parts))
    await tb.run_until(lambda: len(tb.beats.taken) == len(wanted), 5000)
    assert tb.beats.taken == wanted
    assert not tb.wide.queue


@cocotb.test()
async def gives_a_beat_per_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(first_i=0, last_i=0)
    wanted = tb.transfer(0, 20 * tb.parts)
    assert await tb.run_until(lambda: len(tb.beats.taken) == len(wanted), 500) <= 20 * tb.parts + 1
