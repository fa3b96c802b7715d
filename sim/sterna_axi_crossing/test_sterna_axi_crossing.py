"""Bench of sterna_axi_crossing: reads and writes at once, between clocks of odd ratios."""

from __future__ import annotations

from typing import Any

import cocotb
from sim.support.bursts import BurstMemory, Bytes, ReadMaster, WriteMaster
from sim.support.clocks import PERIODS, start
from sim.support.streams import Bench

PARAMETERS = [{"DataW": 64}]


class TB:
    """Masters in one clock, a memory for each of them in the other."""

    def __init__(self, dut: Any, periods: tuple[int, int], pause: float) -> None:
        beat_bytes = int(dut.DataW.value) // 8
        self.content, self.beat_bytes = Bytes(), beat_bytes
        self.reads = ReadMaster(dut, "s", self.content, beat_bytes, pause=pause)
        self.writes = WriteMaster(dut, "s", Bytes(base=self.content.base), beat_bytes, pause=pause)
        self.engine = Bench(dut, period=periods[0])
        self.engine.agents = [*self.reads.agents, *self.writes.agents]
        self.memory = Bench(dut, clock="m_clk_i", reset="m_rst_ni", period=periods[1])
        memory = BurstMemory(dut, self.content, beat_bytes, 64, pause=pause)
        written = BurstMemory(dut, self.writes.memory, beat_bytes, 64, pause=pause)
        self.memory.agents = [*memory.agents[:3], *written.agents[3:]]

    def done(self) -> bool:
        """All reads and writes are answered."""
        return self.reads.done() and self.writes.done()


@cocotb.test()
@cocotb.parametrize(periods=PERIODS, pause=[0.0, 0.5])
async def moves_all_channels(dut: Any, periods: tuple[int, int], pause: float) -> None:
    tb = TB(dut, periods, pause)
    await start(tb.engine, tb.memory)
    for _ in range(15):
        tb.reads.read(*tb.content.burst(tb.beat_bytes, 64))
        tb.writes.write(*tb.content.burst(tb.beat_bytes, 64))
    await tb.engine.run_until(tb.done, 100_000)
    assert tb.writes.memory.data == tb.writes.wanted
