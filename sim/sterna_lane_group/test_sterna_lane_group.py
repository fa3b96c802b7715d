"""Bench of sterna_lane_group: random operations at the closest legal distance, against a plain array."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
import numpy as np
from sim.support.streams import Bench
from sim.support.words import pack, unpack_signed

PARAMETERS = [
    {"Lanes": 5, "Accumulators": 8, "ActW": 4, "AccW": 12},
    {"Lanes": 64, "Accumulators": 32},
]
#: Cycles from a drain's read to its data.
DRAIN_LATENCY = 3


class TB(Bench):
    """Chooses a legal operation each cycle, knows the accumulators, checks what the drain is shown."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.lanes, self.count = int(dut.Lanes.value), int(dut.Accumulators.value)
        self.act_w, self.acc_w = int(dut.ActW.value), int(dut.AccW.value)
        self.accumulators: dict[int, np.ndarray] = {}
        self.line: np.ndarray | None = None
        self.last = -1
        self.shown: deque[np.ndarray | None] = deque([None] * DRAIN_LATENCY)
        self.additions = self.doubles = self.drains = 0
        self.agents = [self]

    def drive(self) -> None:
        """One random operation."""
        inputs = {"read_i": 0, "add_i": 0, "drain_i": 0, "line_i": 0, "zero_i": random.getrandbits(1),
                  "double_i": random.getrandbits(1), "subtract_i": random.getrandbits(1),
                  "address_i": random.randrange(self.count)}
        values = [random.randrange(1 << self.act_w) for _ in range(self.lanes)]
        data = np.array(unpack_signed(pack(values, self.act_w), self.act_w, self.lanes))
        shown, last, address = None, -1, inputs["address_i"]
        kind = random.random()
        if kind < 0.15 and address != self.last:
            inputs["read_i"] = inputs["drain_i"] = 1
            inputs["zero_i"] = int(address not in self.accumulators)
            shown = self.accumulators.get(address, np.zeros(self.lanes, int))
            self.drains += 1
        elif kind < 0.85 and address != self.last:
            inputs["line_i"] = int(self.line is None or random.random() < 0.4)
            self.line = data if inputs["line_i"] else self.line
            old = self.accumulators.get(address, np.zeros(self.lanes, int))
            sums = old + (old if inputs["double_i"] else -self.line if inputs["subtract_i"] else self.line)
            if np.abs(sums).max() < 1 << self.acc_w - 1:
                inputs["read_i"] = inputs["add_i"] = 1
                inputs["zero_i"] = int(address not in self.accumulators)
                self.accumulators[address], last = sums, address
                self.additions += 1
                self.doubles += inputs["double_i"]
            elif random.random() < 0.5:
                del self.accumulators[address]
        self.last = last
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        self.dut.line_data_i.value = pack(values, self.act_w)
        self.shown.append(shown)

    def sample(self) -> None:
        """What the drain is shown was read three cycles ago; else it is zero."""
        want = self.shown.popleft()
        got = unpack_signed(int(self.dut.drain_data_o.value), self.acc_w, self.lanes)
        assert got == (want.tolist() if want is not None else [0] * self.lanes), f"cycle {self.cycle}"


@cocotb.test()
async def adds_and_shows(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(read_i=0, add_i=0, drain_i=0, line_i=0)
    await tb.step(6000)
    assert min(tb.additions, tb.doubles, tb.drains) > 100
