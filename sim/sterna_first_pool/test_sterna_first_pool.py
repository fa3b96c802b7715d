"""Bench of sterna_first_pool: rows of columns whose sums come after as long as in the engine."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink
from sim.support.words import pack, unpack_signed

PARAMETERS = [{"Filters": 3}, {"Filters": 2, "SumW": 17, "Depth": 16}]
#: Cycles from a column to its sums.
LATENCY = 17


class Columns:
    """An agent that lets columns in when it may, and gives their sums later."""

    def __init__(self, dut: Any, idle: float, sums: Any) -> None:
        self.dut, self.idle, self.sums = dut, idle, sums
        self.queue: deque[dict[str, int]] = deque()
        self.coming: deque[dict[str, int] | None] = deque([None] * LATENCY)
        self.item: dict[str, int] | None = None
        self.ready = False

    def drive(self) -> None:
        """`ready_o` is a register, so it is known at the start of the cycle."""
        self.ready = bool(int(self.dut.ready_o.value))
        self.item = self.queue.popleft() if self.queue and self.ready and random.random() >= self.idle else None
        given = self.item or {name: random.randrange(2) for name in ("output", "odd", "second")}
        self.dut.column_i.value = self.item is not None
        self.dut.output_i.value, self.dut.odd_i.value = given["output"], given["odd"]
        self.dut.second_i.value = given["second"]
        old = self.coming.popleft()
        self.coming.append(self.item if self.item and self.item["output"] else None)
        self.dut.valid_i.value = old is not None
        old = old or {"odd": 0, "second": 0, "sums": self.sums()}
        self.dut.sums_odd_i.value, self.dut.sums_second_i.value = old["odd"], old["second"]
        self.dut.sums_i.value = old["sums"]

    def sample(self) -> None:
        """Nothing to read."""


class TB(Bench):
    """The columns and the pixels."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.filters, self.sum_w = int(dut.Filters.value), int(dut.SumW.value)
        self.inputs = Inputs(dut)
        self.columns = Columns(dut, idle, lambda: pack(self.random_sums(), self.sum_w))
        self.pixels = Sink(Field(dut.valid_o), Field(dut.ready_i), {"sums": Field(dut.sums_o)}, stall)
        self.agents = [self.inputs, self.columns, self.pixels]

    def random_sums(self) -> list[int]:
        """Of two pixels."""
        most = 1 << random.randint(1, self.sum_w - 1)
        return [random.randrange(-most, most) for _ in range(2 * self.filters)]

    def send(self, width: int, pooled: bool, second: bool) -> list[list[int]]:
        """Queue a row of columns; returns the pixels that must come."""
        want, before = [], [0] * self.filters
        for x in range(-1, width + 1):
            sums, odd = self.random_sums(), (x - 1) % 2
            self.columns.queue.append(
                {"output": x > 0, "odd": odd, "second": second, "sums": pack(sums, self.sum_w)})  # fmt: skip
            upper, lower = sums[: self.filters], sums[self.filters :]
            most = [*map(max, upper, lower)]
            if x > 0 and pooled and odd:
                want.append([*map(max, before, most)])
            elif x > 0 and not pooled:
                want += [upper, lower] if second else [upper]
            before = most
        return want


async def map_comes(dut: Any, pooled: bool, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(pooled_i=pooled, column_i=0, valid_i=0)
    await tb.step(2)
    want = []
    for _ in range(8):
        want += tb.send(random.choice([1, 2, random.randint(1, 40)]), pooled, pooled or random.random() < 0.7)
    await tb.run_until(lambda: not tb.columns.queue and len(tb.pixels.taken) >= len(want), 20000)
    await tb.step(LATENCY + 5)
    assert [unpack_signed(pixel["sums"], tb.sum_w, tb.filters) for pixel in tb.pixels.taken] == want


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.8])
async def gives_maxima(dut: Any, idle: float, stall: float) -> None:
    await map_comes(dut, True, idle, stall)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.8])
async def gives_all_pixels(dut: Any, idle: float, stall: float) -> None:
    await map_comes(dut, False, idle, stall)


@cocotb.test()
async def forgets_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.0, 1.0)
    await tb.start(pooled_i=0, column_i=0, valid_i=0)
    tb.send(40, False, True)
    await tb.step(60)
    assert tb.columns.queue, "it has room for all"
    tb.columns.queue.clear()
    tb.columns.coming = deque([None] * LATENCY)
    await tb.clear()
    tb.pixels.stall = 0.0
    await tb.step(5)
    assert tb.pixels.taken == []
    want = tb.send(6, False, True)
    await tb.step(60)
    assert [unpack_signed(pixel["sums"], tb.sum_w, tb.filters) for pixel in tb.pixels.taken] == want
