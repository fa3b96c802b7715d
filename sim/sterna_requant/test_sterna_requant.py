"""Bench of sterna_requant: every activation and shift, at and around every limit, against the formula."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.sterna_drain.model import requantise
from sim.support.words import pack, unpack_signed

from sterna.graph.layers import MAX_SHIFT
from sterna.spec.tape import REQUANT_BIAS_BITS

PARAMETERS = [
    {"Lanes": 5},
    {"Lanes": 5, "General": 1},
    {"Lanes": 3, "ActW": 5, "AccW": 14, "MulW": 12, "General": 1},
    {"Lanes": 3, "ActW": 4, "AccW": 12, "MulW": 8},
    {"Lanes": 2, "ActW": 8, "AccW": 32, "MulW": 18},
]
#: Cycles from a group to its result.
LATENCY = 8


class TB:
    """Drives one group per cycle (or an idle cycle) and knows what must come out."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.lanes, self.act_w = int(dut.Lanes.value), int(dut.ActW.value)
        self.acc_w, self.mul_w = int(dut.AccW.value), int(dut.MulW.value)
        self.general = int(dut.General.value)
        self.range = -(1 << self.act_w - 1), (1 << self.act_w - 1) - 1

    def random_group(self) -> dict[str, Any]:
        """Numbers whose results lie inside, outside and at the ends of the range."""
        shift = random.choice([0, random.randint(0, MAX_SHIFT)])
        multiplier = random.choice([0, 1, (1 << self.mul_w) - 1, random.getrandbits(self.mul_w)])
        limit = 1 << self.acc_w - 1
        extremes = [-limit, limit - 1, 0]
        acc = [random.choice([*extremes, random.randrange(-limit, limit)]) for _ in range(self.lanes)]
        # A bias that brings lane 0 to a chosen multiple of half a result, give or take one.
        # Of an eighth as well, for a total whose slope makes it a tie.
        goal = random.randint(-3 << self.act_w - 1, 3 << self.act_w - 1) << shift + random.choice([0, 3]) >> 1
        bias = goal - acc[0] * multiplier + random.choice([-1, 0, 1])
        if abs(bias) >= 1 << REQUANT_BIAS_BITS - 1 or random.random() < 0.2:
            bias = random.randrange(-1 << REQUANT_BIAS_BITS - 1, 1 << REQUANT_BIAS_BITS - 1)
        limits = sorted(random.sample(range(self.range[0], self.range[1] + 1), 2))
        return {"acc": acc, "multiplier": multiplier, "bias": bias, "shift": shift,
                "activation": random.randrange(3), "limits": random.choice([self.range, limits]),
                "half_even": random.randrange(2)}

    def drive(self, group: dict[str, Any] | None) -> None:
        """Put a group, or noise without valid, on the inputs."""
        self.dut.valid_i.value = group is not None
        group = group or self.random_group()
        self.dut.acc_i.value = pack(group["acc"], self.acc_w)
        whole = max(1, -(-group["shift"] // 8))  # bytes
        missing = 8 * whole - group["shift"]
        self.dut.multiplier_i.value = group["multiplier"] << missing
        self.dut.bias_i.value = group["bias"] << missing
        self.dut.bytes_i.value = whole
        self.dut.round_i.value = group["shift"] > 0
        self.dut.activation_i.value = group["activation"]
        self.dut.half_even_i.value = group["half_even"]

    def limit(self, group: dict[str, Any] | None) -> None:
        """Put the limits of a group, or noise, on the inputs."""
        low, high = (group or self.random_group())["limits"]
        self.dut.low_i.value, self.dut.high_i.value = low, high

    def expected(self, group: dict[str, Any]) -> list[int]:
        """The activations of a group."""
        entry = (group["bias"] & (1 << REQUANT_BIAS_BITS) - 1) << 18 | group["multiplier"]
        own = (*group["limits"], group["half_even"]) if self.general else (*self.range, 0)
        return requantise(np.array(group["acc"]), entry, group["activation"], group["shift"], *own)


@cocotb.test()
async def equals_the_formula(dut: Any) -> None:
    tb = TB(dut)
    Clock(dut.clk_i, 10, unit="ns").start()
    groups = [tb.random_group() if random.random() < 0.8 else None for _ in range(6000)]
    for cycle in range(len(groups) + LATENCY):
        await FallingEdge(dut.clk_i)
        group = groups[cycle - LATENCY] if cycle >= LATENCY else None
        if group is not None:
            got, want = unpack_signed(int(dut.data_o.value), tb.act_w, tb.lanes), tb.expected(group)
            assert got == want, f"cycle {cycle}: {got} instead of {want} for {group}"
        tb.drive(groups[cycle] if cycle < len(groups) else None)
        early = cycle - LATENCY + 1
        tb.limit(groups[early] if 0 <= early < len(groups) else None)
