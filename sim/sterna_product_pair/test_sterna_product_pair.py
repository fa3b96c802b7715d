"""Bench of sterna_product_pair: sums of random products against Python's."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.support.words import pack

PARAMETERS = [{}, {"ValueW": 5, "SumW": 17}, {"ValueW": 18, "FactorW": 18, "SumW": 40}]
#: Cycles from values and factors, and from the sum before, to the sum.
LATENCY, SUM_LATENCY = 3, 1


def signed(width: int) -> int:
    """A random number, often an end of its range."""
    most = 1 << width - 1
    return random.choice([-most, most - 1, random.randrange(-most, most), random.randrange(-most, most)])


@cocotb.test()
async def adds_both_products(dut: Any) -> None:
    value_w, factor_w, sum_w = (int(getattr(dut, name).value) for name in ("ValueW", "FactorW", "SumW"))
    Clock(dut.clk_i, 10, unit="ns").start()
    values, factors, sums = [], [], []
    for cycle in range(1000):
        await FallingEdge(dut.clk_i)
        if cycle >= LATENCY:
            products = zip(values[-LATENCY], factors[-LATENCY], strict=True)
            want = sums[-SUM_LATENCY] + sum(value * factor for value, factor in products)
            assert int(dut.sum_o.value) == want % (1 << sum_w), f"cycle {cycle}"
        given = [signed(factor_w) for _ in range(2)]
        load = cycle == 0 or random.random() < 0.3
        values.append([signed(value_w) for _ in range(2)])
        factors.append(given if load else factors[-1])
        sums.append(random.randrange(-1 << sum_w - 2, 1 << sum_w - 2))
        dut.load_i.value, dut.sum_i.value = load, sums[-1]
        dut.factor_i.value, dut.value_i.value = pack(given, factor_w), pack(values[-1], value_w)
