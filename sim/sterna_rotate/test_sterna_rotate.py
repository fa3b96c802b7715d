"""Bench of sterna_rotate: every amount, one rotation per cycle."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

PARAMETERS = [{"N": 5, "Width": 9}, {"N": 13, "Width": 3}, {"N": 15, "Width": 4}]
STAGES = 3


@cocotb.test()
async def rotates_by_every_amount(dut: Any) -> None:
    count, width = int(dut.N.value), int(dut.Width.value)
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.enable_i.value = 7
    amounts = [*range(count), *(random.randrange(count) for _ in range(100))]
    rows = [[random.getrandbits(width) for _ in range(count)] for _ in amounts]
    for i in range(len(amounts) + STAGES):
        await FallingEdge(dut.clk_i)
        if i >= STAGES:
            row, amount = rows[i - STAGES], amounts[i - STAGES]
            want = row[amount:] + row[:amount]
            assert [int(dut.data_o[k].value) for k in range(count)] == want, f"amount {amount}"
        if i < len(amounts):
            for k in range(count):
                dut.data_i[k].value = rows[i][k]
        # Each digit comes with the data of its stage.
        ones, threes, nines = (amounts[min(max(i - stage, 0), len(amounts) - 1)] for stage in range(STAGES))
        dut.ones_i.value, dut.threes_i.value, dut.nines_i.value = ones % 3, threes // 3 % 3, nines // 9


@cocotb.test()
async def holds_without_enable(dut: Any) -> None:
    count, width = int(dut.N.value), int(dut.Width.value)
    Clock(dut.clk_i, 10, unit="ns").start()
    row = [random.getrandbits(width) for _ in range(count)]
    dut.ones_i.value = dut.threes_i.value = dut.nines_i.value = 0
    for enable in (7, 7, 7, 0, 0, 0):
        await FallingEdge(dut.clk_i)
        dut.enable_i.value = enable
        for k in range(count):
            dut.data_i[k].value = row[k] if enable else random.getrandbits(width)
    await FallingEdge(dut.clk_i)
    assert [int(dut.data_o[k].value) for k in range(count)] == row
