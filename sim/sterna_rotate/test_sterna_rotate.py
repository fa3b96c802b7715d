"""Bench of sterna_rotate: every amount, one rotation a cycle."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

PARAMETERS = [{"N": 5, "Width": 9}, {"N": 15, "Width": 4}]


@cocotb.test()
async def rotates_by_every_amount(dut: Any) -> None:
    count, width = int(dut.N.value), int(dut.Width.value)
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.enable_i.value = 3
    amounts = [*range(count), *(random.randrange(count) for _ in range(100))]
    rows = [[random.getrandbits(width) for _ in range(count)] for _ in amounts]
    for i in range(len(amounts) + 2):
        await FallingEdge(dut.clk_i)
        if i >= 2:
            want = rows[i - 2][amounts[i - 2] :] + rows[i - 2][: amounts[i - 2]]
            assert [int(dut.data_o[k].value) for k in range(count)] == want, f"amount {amounts[i - 2]}"
        if i < len(amounts):
            dut.amount_low_i.value = amounts[i] % 4
            for k in range(count):
                dut.data_i[k].value = rows[i][k]
        if 1 <= i <= len(amounts):
            dut.amount_high_i.value = amounts[i - 1] // 4


@cocotb.test()
async def holds_without_enable(dut: Any) -> None:
    count, width = int(dut.N.value), int(dut.Width.value)
    Clock(dut.clk_i, 10, unit="ns").start()
    row = [random.getrandbits(width) for _ in range(count)]
    dut.amount_low_i.value = dut.amount_high_i.value = 0
    for enable in (3, 3, 0, 0, 0):
        await FallingEdge(dut.clk_i)
        dut.enable_i.value = enable
        for k in range(count):
            dut.data_i[k].value = row[k] if enable else random.getrandbits(width)
    await FallingEdge(dut.clk_i)
    assert [int(dut.data_o[k].value) for k in range(count)] == row
