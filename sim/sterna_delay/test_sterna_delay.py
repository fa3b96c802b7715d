"""Bench of sterna_delay: every item comes out after so many cycles."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from sim.support.streams import Bench

PARAMETERS = [{}, {"Width": 70, "Cycles": 17}, {"Width": 1, "Cycles": 2}]


class TB(Bench):
    """A new item in each cycle, and those that are on their way."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.coming: deque[int | None] = deque([None] * int(dut.Cycles.value))
        self.compared = 0
        self.agents = [self]

    def drive(self) -> None:
        """Give a random item."""
        self.coming.append(random.getrandbits(len(self.dut.data_i)))
        self.dut.data_i.value = self.coming[-1]

    def sample(self) -> None:
        """Compare the item that is due."""
        due = self.coming.popleft()
        if due is not None:
            assert int(self.dut.data_o.value) == due, f"cycle {self.cycle}"
            self.compared += 1


@cocotb.test()
async def shows_every_item_after_its_time(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(data_i=0)
    await tb.step(500)
    assert tb.compared == 500 - int(dut.Cycles.value)
