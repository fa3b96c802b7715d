"""Bench of sterna_input_table: random reads against tables that are written anew in between."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.support.words import pack, unpack

PARAMETERS = [{"Pixels": 3, "Channels": 3, "ActW": 5}, {"Pixels": 13, "Channels": 3, "ActW": 8}]
LEVELS = 256


@cocotb.test()
async def looks_each_pixel_up(dut: Any) -> None:
    """What was read stays while nothing is."""
    pixels, channels, act_w = (int(each.value) for each in (dut.Pixels, dut.Channels, dut.ActW))
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.read_i.value = 0
    for _ in range(2):
        tables = [[random.getrandbits(8) for _ in range(LEVELS)] for _ in range(channels)]
        for level in random.sample(range(LEVELS), LEVELS):
            await FallingEdge(dut.clk_i)
            dut.write_i.value, dut.write_level_i.value = 1, level
            dut.write_data_i.value = pack([table[level] for table in tables], 8)
        await FallingEdge(dut.clk_i)
        dut.write_i.value, expected = 0, None
        for _ in range(400):
            levels = [random.randrange(LEVELS) for _ in range(pixels * channels)]
            read = random.random() < 0.7
            dut.level_i.value, dut.read_i.value = pack(levels, 8), read
            await FallingEdge(dut.clk_i)
            if read:
                expected = [tables[i % channels][level] & (1 << act_w) - 1 for i, level in enumerate(levels)]
            assert expected is None or unpack(int(dut.value_o.value), act_w, pixels * channels) == expected
        dut.read_i.value = 0
