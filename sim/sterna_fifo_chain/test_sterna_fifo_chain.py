"""Bench of sterna_fifo_chain: order, depth, pace and clear under random stalls."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"Width": 13, "Depth": 128}, {"Width": 70, "Depth": 16}]


class TB(Bench):
    """One source and one sink."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.source = Source(Field(dut.valid_i), Field(dut.ready_o), {"data": Field(dut.data_i)}, idle)
        self.sink = Sink(Field(dut.valid_o), Field(dut.ready_i), {"data": Field(dut.data_o)}, stall)
        self.agents = [self.source, self.sink]
        self.depth = int(dut.Depth.value)

    def items(self, count: int) -> list[dict[str, int]]:
        """Random items."""
        return [{"data": random.getrandbits(len(self.dut.data_i))} for _ in range(count)]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7], stall=[0.0, 0.7])
async def keeps_order_under_stalls(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start()
    items = tb.items(500)
    tb.source.send(items)
    await tb.run_until(lambda: len(tb.sink.taken) == 500, 5000)
    assert tb.sink.taken == items


@cocotb.test()
async def moves_one_item_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start()
    tb.source.send(tb.items(300))
    assert await tb.run_until(lambda: len(tb.sink.taken) == 300, 400) <= 302 + tb.depth // 32


@cocotb.test()
async def fills_to_its_depth_and_clears(dut: Any) -> None:
    tb = TB(dut, 0.0, 1.0)
    await tb.start()
    tb.source.send(tb.items(tb.depth + 1))
    await tb.step(tb.depth + 10)
    assert tb.source.sent == tb.depth
    await tb.clear()
    tb.sink.stall = 0.0
    await tb.step(8)
    assert tb.sink.taken == []
    items = tb.items(200)
    tb.source.send(items)
    await tb.run_until(lambda: len(tb.sink.taken) == 200, 300)
    assert tb.sink.taken == items
