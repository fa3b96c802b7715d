"""Bench of sterna_first_filter: sums of random values with random weights against Python's."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.sterna_product_pair.test_sterna_product_pair import signed
from sim.support.words import pack, unpack_signed

PARAMETERS = [{}, {"Taps": 12, "ActW": 4, "SumW": 16}]
PIXELS = 2


@cocotb.test()
async def sums_the_products(dut: Any) -> None:
    taps, act_w, sum_w = (int(getattr(dut, name).value) for name in ("Taps", "ActW", "SumW"))
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.weights_valid_i.value = 0
    for _ in range(2):
        weights = [signed(8) for _ in range(taps)] + [0] * (-taps % 8)
        for place in random.sample(range(len(weights) // 8), len(weights) // 8):
            await FallingEdge(dut.clk_i)
            dut.weights_valid_i.value = 1 << place
            dut.weights_i.value = pack(weights[8 * place : 8 * place + 8], 8)
        await FallingEdge(dut.clk_i)
        dut.weights_valid_i.value = 0
        await sums_with(dut, weights[:taps], act_w, sum_w)


async def sums_with(dut: Any, weights: list[int], act_w: int, sum_w: int) -> None:
    """Pixels one after the other, every pair of whose values comes a cycle later."""
    taps = len(weights)
    pixels = [[[signed(act_w) for _ in range(taps)] for _ in range(PIXELS)] for _ in range(200)]
    latency = (taps + 1) // 2 + 2
    for cycle in range(len(pixels) + latency):
        await FallingEdge(dut.clk_i)
        if cycle >= latency:
            want = [sum(w * v for w, v in zip(weights, pixel, strict=True)) for pixel in pixels[cycle - latency]]
            assert unpack_signed(int(dut.sums_o.value), sum_w, PIXELS) == want, f"cycle {cycle}"
        dut.values_i.value = pack(
            [pixels[min(max(cycle - t // 2, 0), len(pixels) - 1)][p][t] for p in range(PIXELS) for t in range(taps)],
            act_w,
        )
