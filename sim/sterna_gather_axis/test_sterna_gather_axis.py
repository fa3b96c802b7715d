"""Bench of sterna_gather_axis: every step and offset, maps and windows of all kinds, by plain division."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

PARAMETERS = [{"Tile": 3}, {"Tile": 13}]
LATENCY = 3


async def compare(dut: Any, step: int, size: int, tile: int, offset: int) -> None:
    """Give one window to the axis and compare carries and lanes."""
    side = int(dut.Tile.value)
    dut.double_i.value = step == 2
    dut.full_i.value, dut.extra_i.value = size // side, size % side
    dut.tile_i.value, dut.offset_i.value = tile, offset
    for _ in range(LATENCY):
        await FallingEdge(dut.clk_i)
    pixels = [offset + step * lane for lane in range(side)]
    carries = {pixel % side: pixel // side for pixel in pixels}
    inside = [0 <= tile * side + pixel < size for pixel in pixels]
    window = f"step {step}, {size} pixels, tile {tile}, offset {offset}"
    got = int(dut.bank_carry_o.value)
    assert [got >> (2 * bank) & 3 for bank in range(side)] == [carries[bank] for bank in range(side)], window
    assert [bool(int(dut.lane_inside_o.value) >> lane & 1) for lane in range(side)] == inside, window


@cocotb.test()
async def places_every_window(dut: Any) -> None:
    side = int(dut.Tile.value)
    Clock(dut.clk_i, 10, unit="ns").start()
    await FallingEdge(dut.clk_i)
    for step in (1, 2):
        for offset in range(side):
            for _ in range(20):
                size = random.randint(1, 4 * side)
                await compare(dut, step, size, random.randint(-4, size // side + 1), offset)
    for size, tile in ((32767 * side, 32765), (32767 * side + 1, 32767), (65535, -32768), (1, 0)):
        await compare(dut, 2, size, tile, side - 1)
