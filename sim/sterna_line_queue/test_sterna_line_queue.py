"""Bench of sterna_line_queue: order and rate under random stalls, never more lines than it holds."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink

PARAMETERS = [{"Width": 11, "Depth": 2}, {"Width": 40, "Depth": 3}]


class TB(Bench):
    """Pushes lines as long as they fit, takes them with random stalls."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.idle, self.depth = idle, int(dut.Depth.value)
        self.pushed: list[dict[str, int]] = []
        self.left = 0
        self.sink = Sink(Field(dut.valid_o), Field(dut.ready_i), {"data": Field(dut.data_o)}, stall)
        self.agents = [self, self.sink]

    def drive(self) -> None:
        """Push when there is room."""
        room = len(self.pushed) - len(self.sink.taken) < self.depth
        push = bool(self.left and room and random.random() >= self.idle)
        data = random.getrandbits(len(self.dut.data_i))
        self.dut.valid_i.value, self.dut.data_i.value = push, data
        if push:
            self.pushed.append({"data": data})
            self.left -= 1

    def sample(self) -> None:
        """The sink watches."""


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def keeps_order(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(valid_i=0, ready_i=0)
    tb.left = 300
    await tb.run_until(lambda: len(tb.sink.taken) == 300, 3000)
    assert tb.sink.taken == tb.pushed
    await tb.step(5)
    await tb.clear()
    assert not int(dut.valid_o.value)


@cocotb.test()
async def clear_empties(dut: Any) -> None:
    tb = TB(dut, 0.0, 1.0)
    await tb.start(valid_i=0, ready_i=0)
    tb.left = tb.depth
    await tb.step(tb.depth + 3)
    assert int(dut.valid_o.value)
    tb.pushed.clear()
    await tb.clear()
    tb.sink.stall = 0.0
    await tb.step(5)
    assert tb.sink.taken == []
