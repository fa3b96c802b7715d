"""Bench of sterna_feature_row: writes by lane and channel, reads at a column's own address."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.support.words import pack, unpack

PARAMETERS = [{"TileW": 3, "FmWords": 70, "ActW": 5}]


@cocotb.test()
async def reads_what_was_written(dut: Any) -> None:
    lanes, words, act_w = int(dut.TileW.value), int(dut.FmWords.value), int(dut.ActW.value)
    addr_w = (words - 1).bit_length()
    memory = [[[0] * 4 for _ in range(words)] for _ in range(lanes)]
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.read_i.value = 0

    async def write(address: int, enabled: int, strobe: int) -> None:
        values = [[random.getrandbits(act_w) for _ in range(4)] for _ in range(lanes)]
        dut.write_addr_i.value, dut.write_lanes_i.value, dut.write_strobe_i.value = address, enabled, strobe
        dut.write_data_i.value = pack([value for pixel in values for value in pixel], act_w)
        await FallingEdge(dut.clk_i)
        dut.write_lanes_i.value = 0
        for lane in range(lanes):
            for c in range(4):
                if enabled >> lane & 1 and strobe >> c & 1:
                    memory[lane][address][c] = values[lane][c]

    async def read(row: int, cols: list[int]) -> None:
        dut.read_row_i.value, dut.read_col_i.value = row, pack(cols, addr_w)
        for stage in range(3):
            dut.read_i.value = 1 << stage
            await FallingEdge(dut.clk_i)
        dut.read_i.value = 0
        got = unpack(int(dut.read_data_o.value), act_w, 4 * lanes)
        assert got == [value for lane in range(lanes) for value in memory[lane][row + cols[lane]]]

    await FallingEdge(dut.clk_i)
    for address in range(words):
        await write(address, (1 << lanes) - 1, 15)
    for _ in range(300):
        await write(random.randrange(words), random.getrandbits(lanes), random.getrandbits(4))
        row = random.randrange(words)
        await read(row, [random.randrange(words - row) for _ in range(lanes)])
