"""Bench of sterna_ram_fifo: order, rate, capacity, empty and clear under random stalls."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"Width": 21, "Depth": 8}]


class TB(Bench):
    """One source and one sink."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.source = Source(Field(dut.valid_i), Field(dut.ready_o), {"data": Field(dut.data_i)}, idle)
        self.sink = Sink(Field(dut.valid_o), Field(dut.ready_i), {"data": Field(dut.data_o)}, stall)
        self.agents = [self.source, self.sink]

    def items(self, count: int) -> list[dict[str, int]]:
        """Random items."""
        return [{"data": random.getrandbits(len(self.dut.data_i))} for _ in range(count)]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7], stall=[0.0, 0.7])
async def keeps_order_under_stalls(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start()
    items = tb.items(300)
    tb.source.send(items)
    await tb.run_until(lambda: len(tb.sink.taken) == 300, 3000)
    assert tb.sink.taken == items
    await tb.step()
    assert dut.empty_o.value == 1


@cocotb.test()
async def moves_one_item_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start()
    tb.source.send(tb.items(100))
    assert await tb.run_until(lambda: len(tb.sink.taken) == 100, 200) <= 104


@cocotb.test()
async def fills_to_its_depth_and_clears(dut: Any) -> None:
    depth = int(dut.Depth.value)
    tb = TB(dut, 0.0, 1.0)
    await tb.start()
    tb.source.send(tb.items(2 * depth))
    await tb.step(2 * depth)
    assert tb.source.sent == depth + 2
    assert dut.empty_o.value == 0
    await tb.clear()
    tb.sink.stall = 0.0
    await tb.step(3)
    assert tb.sink.taken == []
    assert dut.empty_o.value == 1
    items = tb.items(20)
    tb.source.send(items)
    await tb.run_until(lambda: len(tb.sink.taken) == 20, 100)
    assert tb.sink.taken == items
