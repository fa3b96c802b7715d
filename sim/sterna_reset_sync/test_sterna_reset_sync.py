"""Bench of sterna_reset_sync: resets that begin and end anywhere in a clock cycle."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge, Timer

PARAMETERS: list[dict[str, int]] = [{}]


@cocotb.test()
async def begins_at_once_and_ends_with_the_second_edge(dut: Any) -> None:
    dut.rst_ni.value = 0
    Clock(dut.clk_i, 10, unit="ns").start()
    await RisingEdge(dut.clk_i)
    for _ in range(50):
        await Timer(random.choice((1, 3, 7, 9, 14)), unit="ns")
        dut.rst_ni.value = 1
        for edge in (1, 2):
            await Timer(1, unit="ps")
            assert int(dut.rst_no.value) == 0, f"ended before edge {edge}"
            await RisingEdge(dut.clk_i)
        await ReadOnly()
        assert int(dut.rst_no.value) == 1
        await Timer(random.choice((1, 4, 13)), unit="ns")
        assert int(dut.rst_no.value) == 1
        dut.rst_ni.value = 0
        await Timer(1, unit="ps")
        assert int(dut.rst_no.value) == 0
