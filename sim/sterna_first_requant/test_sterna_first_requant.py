"""Bench of sterna_first_requant: groups of random sums of random layers against the formula."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.sterna_drain.model import requantise
from sim.support.words import pack, unpack_signed

from sterna.graph.layers import MAX_SHIFT
from sterna.spec.tape import REQUANT_BIAS_BITS, REQUANT_WORD

PARAMETERS = [
    {"Filters": 8, "Width": 4, "General": 1},
    {"Filters": 8, "Width": 8, "ActW": 5, "SumW": 17, "MulW": 12},
    {"Filters": 16, "Width": 4},
]
#: Cycles from a group to its results.
LATENCY = 9


class TB:
    """A layer's numbers, and what comes of sums."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.filters, self.width, self.act_w, self.sum_w, self.mul_w, self.general = (
            int(getattr(dut, name).value) for name in ("Filters", "Width", "ActW", "SumW", "MulW", "General")
        )
        most = 1 << self.act_w - 1
        self.range = -most, most - 1

    def new_layer(self) -> None:
        """Numbers with which results lie about the range."""
        self.shift = random.choice([0, 7, 8, random.randint(0, MAX_SHIFT)])
        self.activation, self.half_even = random.randrange(3), random.randrange(2)
        self.limits = sorted(random.sample(range(self.range[0], self.range[1] + 1), 2))
        self.entries = []
        for _ in range(self.filters):
            multiplier = random.getrandbits(random.randint(1, self.mul_w))
            most = min(1 << self.act_w + self.shift, 1 << REQUANT_BIAS_BITS - 1)
            self.entries.append(REQUANT_WORD.pack(bias=random.randrange(-most, most), multiplier=multiplier))

    async def fill(self) -> None:
        """Give the numbers in any order."""
        dut = self.dut
        dut.shift_i.value, dut.activation_i.value, dut.half_even_i.value = self.shift, self.activation, self.half_even
        dut.low_i.value, dut.high_i.value = self.limits
        for f in random.sample(range(self.filters), self.filters):
            await FallingEdge(dut.clk_i)
            dut.entry_valid_i.value, dut.entry_filter_i.value, dut.entry_i.value = 1, f, self.entries[f]
        for _ in range(3):
            await FallingEdge(dut.clk_i)
            dut.entry_valid_i.value, dut.entry_i.value = 0, random.getrandbits(64)

    def sums(self) -> list[int]:
        """Sums of a pixel, of any size."""
        bits = (random.randint(1, self.sum_w - 1) for _ in range(self.filters))
        return [random.randrange(-1 << each, 1 << each) for each in bits]

    def expected(self, group: int, sums: list[int]) -> list[int]:
        """The activations of a group."""
        own = (*self.limits, self.half_even) if self.general else (*self.range, 0)
        filters = range(group * self.width, (group + 1) * self.width)
        return [
            requantise(np.array([sums[f]]), self.entries[f], self.activation, self.shift, *own)[0] for f in filters
        ]


@cocotb.test()
async def equals_the_formula(dut: Any) -> None:
    tb = TB(dut)
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.valid_i.value = dut.entry_valid_i.value = 0
    for _ in range(12):
        tb.new_layer()
        await tb.fill()
        given: list[tuple[int, list[int]] | None] = []
        for cycle in range(100 + LATENCY):
            await FallingEdge(dut.clk_i)
            past = given[cycle - LATENCY] if cycle >= LATENCY else None
            if past is not None:
                got, want = unpack_signed(int(dut.data_o.value), tb.act_w, tb.width), tb.expected(*past)
                assert got == want, f"cycle {cycle}: {got} instead of {want}"
            group, sums = random.randrange(tb.filters // tb.width), tb.sums()
            given.append((group, sums) if cycle < 100 and random.random() < 0.8 else None)
            dut.valid_i.value, dut.group_i.value = given[-1] is not None, group
            dut.sums_i.value = pack(sums, tb.sum_w)
