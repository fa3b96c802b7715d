"""Bench of sterna_fifo: order, full, empty and clear under random stalls."""

from __future__ import annotations

from typing import Any

import cocotb
from sim.support.fifos import FifoBench

PARAMETERS = [{"Width": 13, "Depth": 4}, {"Width": 70, "Depth": 2, "Registered": 1}, {"Depth": 8, "Registered": 1}]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7], stall=[0.0, 0.7])
async def keeps_order_under_stalls(dut: Any, idle: float, stall: float) -> None:
    tb = FifoBench(dut, idle, stall)
    await tb.start()
    await tb.pass_through(500)


@cocotb.test()
async def moves_one_item_a_cycle(dut: Any) -> None:
    tb = FifoBench(dut, 0.0, 0.0)
    await tb.start()
    assert await tb.pass_through(300) <= 300 + 2


@cocotb.test()
async def fills_to_its_depth_and_clears(dut: Any) -> None:
    tb = FifoBench(dut, 0.0, 1.0)
    await tb.start()
    tb.source.send(tb.items(tb.depth + 1))
    await tb.step(tb.depth + 3)
    assert int(dut.count_o.value) == tb.depth
    await tb.clear()
    await tb.fill_and_clear(tb.depth)
