"""Bench of sterna_vector_queue: order and rate under random stalls, with as many vectors as it holds."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench

PARAMETERS = [{"Width": 11, "Depth": 1}, {"Width": 11, "Depth": 2}, {"Width": 40, "Depth": 3}]


class TB(Bench):
    """Pushes vectors as long as they fit, takes them when they have arrived."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.idle, self.stall, self.depth = idle, stall, int(dut.Depth.value)
        self.held: list[tuple[int, int]] = []  # the cycle in which a vector has arrived, the vector
        self.left = self.taken = 0
        self.agents = [self]

    def drive(self) -> None:
        """Take the oldest vector at random once it has arrived; push when there is, or will be, room."""
        self.take = bool(self.held) and self.held[0][0] <= self.cycle and random.random() >= self.stall
        room = len(self.held) - self.take < self.depth
        push = bool(self.left and room and random.random() >= self.idle)
        data = random.getrandbits(len(self.dut.data_i))
        self.dut.valid_i.value, self.dut.data_i.value, self.dut.take_i.value = push, data, self.take
        if push:
            self.held.append((self.cycle + self.depth, data))
            self.left -= 1

    def sample(self) -> None:
        """A vector that is taken is the oldest."""
        if self.take:
            assert int(self.dut.data_o.value) == self.held.pop(0)[1], f"vector {self.taken}"
            self.taken += 1


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def keeps_order(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(valid_i=0, take_i=0)
    tb.left = 300
    cycles = await tb.run_until(lambda: tb.taken == 300, 3000)
    if not idle and not stall:
        assert cycles <= 300 + tb.depth + 1


@cocotb.test()
async def clear_empties(dut: Any) -> None:
    tb = TB(dut, 0.0, 1.0)
    await tb.start(valid_i=0, take_i=0)
    tb.left = tb.depth
    await tb.step(tb.depth + 3)
    await tb.clear()
    tb.held.clear()
    tb.left, tb.stall = 50, 0.2
    await tb.run_until(lambda: tb.taken == 50, 500)
