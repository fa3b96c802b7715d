"""Bench of sterna_async_fifo: order, room and speed between two clocks."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.clocks import PERIODS, start
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"Width": 13, "Depth": 16}, {"Width": 70, "Depth": 4}, {"Width": 8, "Depth": 32}]


class TB:
    """A source in the writer's clock and a sink in the reader's."""

    def __init__(self, dut: Any, periods: tuple[int, int], idle: float, stall: float) -> None:
        self.writer = Bench(dut, clock="write_clk_i", reset="write_rst_ni", period=periods[0])
        self.reader = Bench(dut, clock="read_clk_i", reset="read_rst_ni", period=periods[1])
        self.source = Source(Field(dut.valid_i), Field(dut.ready_o), {"data": Field(dut.data_i)}, idle)
        self.sink = Sink(Field(dut.valid_o), Field(dut.ready_i), {"data": Field(dut.data_o)}, stall)
        self.inputs = Inputs(dut)
        self.writer.agents, self.reader.agents = [self.source], [self.inputs, self.sink]
        self.width, self.depth = int(dut.Width.value), int(dut.Depth.value)

    async def start(self) -> None:
        """The reader's cycles are those that are counted."""
        await start(self.reader, self.writer)

    def send(self, count: int) -> list[dict[str, int]]:
        """Random items."""
        items = [{"data": random.getrandbits(self.width)} for _ in range(count)]
        self.source.send(items)
        return items


@cocotb.test()
@cocotb.parametrize(periods=PERIODS, idle=[0.0, 0.6], stall=[0.0, 0.6])
async def keeps_order(dut: Any, periods: tuple[int, int], idle: float, stall: float) -> None:
    tb = TB(dut, periods, idle, stall)
    await tb.start()
    items = tb.send(300)
    await tb.reader.run_until(lambda: len(tb.sink.taken) == 300, 50_000)
    assert tb.sink.taken == items


@cocotb.test()
@cocotb.parametrize(periods=PERIODS)
async def moves_an_item_per_cycle_of_the_slower_clock(dut: Any, periods: tuple[int, int]) -> None:
    tb = TB(dut, periods, 0.0, 0.0)
    await tb.start()
    if tb.depth < 16:
        return
    tb.send(200)
    cycles = await tb.reader.run_until(lambda: len(tb.sink.taken) == 200, 5000)
    # Ten cycles from the first offer to the first item, however slow the clocks are.
    assert cycles * periods[1] <= 200 * max(periods) + 10 * (periods[0] + periods[1])


@cocotb.test()
@cocotb.parametrize(periods=PERIODS)
async def holds_its_depth_and_one_more(dut: Any, periods: tuple[int, int]) -> None:
    tb = TB(dut, periods, 0.0, 1.0)
    await tb.start()
    items = tb.send(2 * tb.depth + 5)
    await tb.reader.step(1 + (tb.depth + 20) * max(periods) // periods[1])
    assert tb.source.sent == tb.depth + 1
    tb.sink.stall = 0.0
    await tb.reader.run_until(lambda: len(tb.sink.taken) == len(items), 5000)
    assert tb.sink.taken == items


@cocotb.test()
async def a_reset_forgets_what_it_holds(dut: Any) -> None:
    tb = TB(dut, (10_000, 7_310), 0.0, 1.0)
    await tb.start()
    tb.send(3)
    await tb.reader.step(20)
    tb.source.clear()
    for first, second in (("write_rst_ni", "read_rst_ni"), ("read_rst_ni", "write_rst_ni")):
        tb.inputs.set(write_rst_ni=0, read_rst_ni=0)
        tb.sink.clear()
        await tb.reader.step(3)
        assert int(dut.valid_o.value) == 0 and int(dut.ready_o.value) == 0
        # Either side may leave its reset first.
        tb.inputs.set(**{first: 1})
        await tb.reader.step(5)
        tb.inputs.set(**{second: 1})
        await tb.reader.step(5)
        tb.sink.stall = 0.0
        items = tb.send(40)
        await tb.reader.run_until(lambda items=items: len(tb.sink.taken) >= len(items), 500)
        assert tb.sink.taken == items
