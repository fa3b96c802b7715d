"""Bench of sterna_sync: bits of another clock."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import Timer
from sim.support.inputs import Inputs
from sim.support.streams import Bench

PARAMETERS = [{"Width": 5}]


class TB(Bench):
    """Keeps what the design shows in each cycle."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.seen: list[int] = []
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self]

    def drive(self) -> None:
        """Nothing to drive."""

    def sample(self) -> None:
        """Another cycle."""
        self.seen.append(int(self.dut.bits_o.value))


@cocotb.test()
async def a_bit_comes_after_three_or_four_cycles(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(bits_i=0)
    width, cycles = int(dut.Width.value), set[int]()
    value = 0
    for _ in range(60):
        bit = random.randrange(width)
        tb.seen.clear()
        value ^= 1 << bit
        tb.inputs.set(bits_i=value)
        await tb.step(6)
        assert set(tb.seen) == {value, value ^ 1 << bit}
        change = tb.seen.index(value)
        assert tb.seen[change:] == [value] * (6 - change)
        cycles.add(change)
    assert cycles == ({3, 4} if hasattr(dut, "late_q") else {3})


@cocotb.test()
async def a_gray_code_goes_only_forward(dut: Any) -> None:
    """Counted by another clock, slower or faster; what is seen is a count of a short while ago."""
    tb = TB(dut)
    await tb.start(bits_i=0)
    cocotb.start_soon(tb.run())
    for period in (3_700, 9_970, 23_000):
        for count in range(32):
            dut.bits_i.value = count ^ count >> 1
            await Timer(period, unit="ps")
    await Timer(100_000, unit="ps")
    counts = [next(count for count in range(32) if count ^ count >> 1 == code) for code in tb.seen]
    rises = [(after - before) % 32 for before, after in pairwise(counts)]
    assert sum(rises) == 3 * 31 + 2
    assert max(rises) < 6


@cocotb.test()
async def is_0_in_reset(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(bits_i=0)
    tb.inputs.set(bits_i=3)
    await tb.step(6)
    tb.inputs.set(rst_ni=0)
    await tb.step(2)
    tb.inputs.set(rst_ni=1)
    await tb.step(6)
    assert tb.seen[5:8] == [3, 0, 0] and tb.seen[-1] == 3
