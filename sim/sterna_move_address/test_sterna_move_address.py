"""Bench of sterna_move_address: sums with carries over every half, two cycles late, one transfer per cycle."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

PARAMETERS: list[dict[str, int]] = [{}]
LATENCY = 2


def random_move() -> tuple[int, int]:
    """Base and offset; often the sum just passes 4 GB."""
    base, offset = random.getrandbits(64), random.getrandbits(32)
    if random.random() < 0.5:
        base = base >> 32 << 32 | (1 << 32) - offset & 0xFFFFFFFF
        base = max(base + random.randint(-1, 1), 0)
    return base & (1 << 64) - 1, offset


@cocotb.test()
async def sums(dut: Any) -> None:
    Clock(dut.clk_i, 10, unit="ns").start()
    moves = [random_move() for _ in range(300)]
    for number in range(len(moves) + LATENCY):
        await FallingEdge(dut.clk_i)
        if number >= LATENCY:
            base, offset = moves[number - LATENCY]
            assert int(dut.addr_o.value) == base + offset & (1 << 64) - 1
        if number < len(moves):
            dut.base_i.value, dut.offset_i.value = moves[number]
