"""Bench of sterna_write_adapter: bursts written over buses of other widths, to a memory with random pauses."""

from __future__ import annotations

from typing import Any

import cocotb
from sim.support.adapters import WIDTHS, AdapterBench
from sim.support.bursts import WriteMaster

PARAMETERS = WIDTHS


class TB(AdapterBench[WriteMaster]):
    """A master, and a memory that both know."""

    def __init__(self, dut: Any, pause: float) -> None:
        super().__init__(dut, WriteMaster, pause)


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.3, 0.7])
async def writes_bursts(dut: Any, pause: float) -> None:
    """And leaves all else as it was."""
    tb = TB(dut, pause)
    await tb.start()
    for number in range(60):
        tb.master.write(*tb.content.burst(tb.from_bytes, 64, bad=number % 7 == 6))
    await tb.run_until(tb.master.done, 60_000)
    assert tb.content.data == tb.master.wanted


@cocotb.test()
async def streams_without_gaps(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start()
    for number in range(16):
        tb.master.write(tb.content.base + number * 64 * tb.from_bytes % (4 * 4096), 63)
    beats = 16 * 64 * max(tb.from_bytes // tb.to_bytes, 1)
    assert await tb.run_until(tb.master.done, 20_000) < 1.1 * beats + 40
    assert tb.content.data == tb.master.wanted


@cocotb.test()
async def no_more_bursts_are_under_way_than_it_says(dut: Any) -> None:
    """Whether the memory takes no answer's turn or no address."""
    tb = TB(dut, 0.0)
    await tb.start()
    tb.master.answers.stall = 1.0
    for _ in range(30):
        tb.master.write(tb.content.base, 0)
    await tb.step(300)
    assert tb.memory.bursts <= int(dut.Outstanding.value) + 1
    tb.master.answers.stall = 0.0
    await tb.run_until(tb.master.done, 2000)


@cocotb.test()
async def a_memory_may_take_the_beats_of_a_burst_before_its_address(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start()
    address = tb.memory.agents[0]
    address.stall = 1.0
    tb.master.write(tb.content.base, 15)
    await tb.step(100)
    address.stall = 0.0
    await tb.run_until(tb.master.done, 500)
    assert tb.content.data == tb.master.wanted
