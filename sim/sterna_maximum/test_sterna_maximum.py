"""Bench of sterna_maximum: channels come in turn, in rows of random length, against a dictionary."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.support.words import pack, unpack_signed

PARAMETERS = [
    {"Lanes": 3, "Width": 7, "Channels": 2},
    {"Lanes": 64, "Width": 20, "Channels": 16},
    {"Lanes": 5, "Width": 8, "Channels": 1},
]
#: Cycles from the announcement of a value to its maximum.
LATENCY = 2


def steps(channels: int, rows: int) -> list[tuple[int, bool] | None]:
    """Channel and whether it begins, or None for an idle cycle.

    Of several channels, one never comes twice running but to begin.
    """
    result: list[tuple[int, bool] | None] = []
    for _ in range(rows):
        length = random.randint(1, channels)
        for phase in range(random.randint(1, 4)):
            for channel in range(length):
                while random.random() < 0.2:
                    result.append(None)
                result.append((channel, phase == 0))
            if length == 1 < channels:
                result.append(None)
    return result


@cocotb.test()
async def keeps_the_maximum(dut: Any) -> None:
    lanes, width, channels = (int(getattr(dut, name).value) for name in ("Lanes", "Width", "Channels"))
    limit = 1 << width - 1
    dut.clk_i.value = 0
    dut.rst_ni.value = 1
    dut.valid_i.value = 0
    Clock(dut.clk_i, 10, unit="ns").start()
    await FallingEdge(dut.clk_i)
    maxima: dict[int, list[int]] = {}
    under_way: list[list[int] | None] = [None] * LATENCY
    values: list[int] | None = None
    for step in steps(channels, 400):
        await FallingEdge(dut.clk_i)
        want = under_way.pop(0)
        if want is not None:
            assert unpack_signed(int(dut.maximum_o.value), width, lanes) == want
        # The value of the step before.
        dut.value_i.value = random.getrandbits(lanes * width) if values is None else pack(values, width)
        values = None
        dut.valid_i.value = step is not None
        dut.channel_i.value = random.randrange(channels)
        dut.first_i.value = random.getrandbits(1)
        under_way.append(None)
        if step is not None:
            channel, first = step
            dut.channel_i.value, dut.first_i.value = channel, first
            values = [random.choice([-limit, limit - 1, random.randrange(-limit, limit)]) for _ in range(lanes)]
            before = values if first else maxima[channel]
            maxima[channel] = [max(pair) for pair in zip(values, before, strict=True)]
            under_way[-1] = maxima[channel]
