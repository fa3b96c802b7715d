"""A bench for FIFOs with valid and ready on both sides."""

from __future__ import annotations

import random
from typing import Any

from sim.support.streams import Bench, Field, Sink, Source


class FifoBench(Bench):
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

    async def pass_through(self, count: int) -> int:
        """Send so many items and compare what comes out; returns the cycles it took."""
        items = self.items(count)
        self.source.send(items)
        cycles = await self.run_until(lambda: len(self.sink.taken) == count, 10 * count + 100)
        assert self.sink.taken == items
        return cycles

    async def fill_and_clear(self, capacity: int) -> None:
        """It takes as many items as it says, forgets them when cleared, and works again."""
        before = self.source.sent
        self.source.send(self.items(capacity + 1))
        await self.step(capacity + 10)
        assert self.source.sent - before == capacity
        await self.clear()
        self.sink.stall = 0.0
        await self.step(8)
        assert self.sink.taken == []
        await self.pass_through(20)
