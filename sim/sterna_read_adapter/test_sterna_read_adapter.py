"""Bench of sterna_read_adapter: bursts read over buses of other widths, against a memory with random pauses."""

from __future__ import annotations

from typing import Any

import cocotb
from sim.support.adapters import WIDTHS, AdapterBench
from sim.support.bursts import ReadMaster

PARAMETERS = WIDTHS


class TB(AdapterBench[ReadMaster]):
    """A master, and a memory that both know."""

    def __init__(self, dut: Any, pause: float) -> None:
        super().__init__(dut, ReadMaster, pause)


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.3, 0.7])
async def reads_bursts(dut: Any, pause: float) -> None:
    """The memory holds the other way round what the master does not ask for: none of it comes."""
    tb = TB(dut, pause)
    await tb.start()
    for number in range(60):
        tb.master.read(*tb.content.burst(tb.from_bytes, 64, bad=number % 7 == 6))
    await tb.run_until(tb.master.done, 60_000)


@cocotb.test()
async def streams_without_gaps(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start()
    for number in range(16):
        tb.master.read(tb.content.base + number * 64 * tb.from_bytes % (4 * 4096), 63)
    beats = 16 * 64 * max(tb.from_bytes // tb.to_bytes, 1)
    assert await tb.run_until(tb.master.done, 20_000) < 1.1 * beats + 40


@cocotb.test()
async def no_more_bursts_are_under_way_than_it_says(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start()
    tb.master.beats.stall = 1.0
    for _ in range(20):
        tb.master.read(tb.content.base, min(64, 4096 // tb.from_bytes) - 1)
    await tb.step(300)
    assert tb.memory.bursts == int(dut.Outstanding.value)
    tb.master.beats.stall = 0.0
    await tb.run_until(tb.master.done, 20_000)
