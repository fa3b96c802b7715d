"""Bench of sterna_beat_join: transfers of any beginning and length."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import unpack

PARAMETERS = [{"DataW": 64, "Parts": 2}, {"DataW": 128, "Parts": 4}]


class TB(Bench):
    """Beats in, wide beats out."""

    def __init__(self, dut: Any, idle: float = 0.3, stall: float = 0.3) -> None:
        super().__init__(dut)
        self.width, self.parts = int(dut.DataW.value), int(dut.Parts.value)
        beat = {name: Field(getattr(dut, f"{name}_i")) for name in ("data", "mark", "first", "place", "last")}
        self.beats = Source(Field(dut.valid_i), Field(dut.ready_o), beat, idle)
        wide = {"data": Field(dut.data_o), "mark": Field(dut.mark_o)}
        self.wide = Sink(Field(dut.valid_o), Field(dut.ready_i), wide, stall)
        self.agents = [self.beats, self.wide]

    def transfer(self, first: int, count: int) -> list[list[int | None]]:
        """Send a transfer that begins at `first`; the wide beats, with None where a part is not marked."""
        wide: list[list[int | None]] = []
        for beat in range(count):
            place = (first + beat) % self.parts
            data, mark = random.getrandbits(self.width), random.getrandbits(1)
            item = {"data": data, "mark": mark, "first": int(beat == 0), "last": int(beat == count - 1)}
            self.beats.send([item | {"place": first if beat == 0 else random.randrange(self.parts)}])
            if place == 0 or beat == 0:
                wide.append([None] * self.parts)
            wide[-1][place] = data if mark else None
        return wide

    def given(self) -> list[list[int | None]]:
        """What came out."""
        return [
            [part if item["mark"] >> place & 1 else None for place, part in enumerate(parts)]
            for item in self.wide.taken
            for parts in [unpack(item["data"], self.width, self.parts)]
        ]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def joins_transfers(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start()
    wanted = []
    for _ in range(60):
        wanted += tb.transfer(random.randrange(tb.parts), random.randint(1, 3 * tb.parts))
    await tb.run_until(lambda: len(tb.wide.taken) == len(wanted), 5000)
    assert tb.given() == wanted


@cocotb.test()
async def takes_a_beat_per_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start()
    wanted = tb.transfer(0, 20 * tb.parts)
    assert await tb.run_until(lambda: len(tb.wide.taken) == len(wanted), 500) <= 20 * tb.parts + 2
