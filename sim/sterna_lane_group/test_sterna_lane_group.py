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
#: Cycles from an operation to the one in which the row register takes its new value.
ROW_CYCLE = 2


class TB(Bench):
    """Chooses a legal operation each cycle, knows the accumulators, checks the row register."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.lanes, self.count = int(dut.Lanes.value), int(dut.Accumulators.value)
        self.act_w, self.acc_w = int(dut.ActW.value), int(dut.AccW.value)
        self.accumulators: dict[int, np.ndarray] = {}
        self.vector: np.ndarray | None = None
        self.next_vector: np.ndarray | None = None
        self.last = -1
        # What to load, or to shift, for the operations on their way.
        self.row_operations: deque[list[int] | str | None] = deque([None] * ROW_CYCLE)
        self.row: list[int] | str | None = None
        self.next_row: list[int] | str | None = None
        self.additions = self.doubles = self.loads = self.row_shifts = 0
        self.agents = [self]

    def drive(self) -> None:
        """One random operation, with at times a shift of the row."""
        inputs = {"add_i": 0, "row_load_i": 0, "row_shift_i": 0, "vector_i": 0, "zero_i": random.getrandbits(1),
                  "double_i": random.getrandbits(1), "subtract_i": random.getrandbits(1),
                  "address_i": random.randrange(self.count)}
        data = self.random_vector() if self.next_vector is None else self.next_vector
        self.dut.vector_data_i.value = pack(data, self.act_w)
        self.next_vector = None
        last, address, row_operation = -1, inputs["address_i"], None
        kind = random.random()
        if kind < 0.15 and address != self.last:
            inputs["row_load_i"] = 1
            inputs["zero_i"] = int(address not in self.accumulators)
            row_operation = self.accumulators.get(address, np.zeros(self.lanes, int)).tolist()
            self.loads += 1
        elif kind < 0.85 and address != self.last and self.add(inputs, address):
            last = address
        if not inputs["row_load_i"] and random.random() < 0.2:
            inputs["row_shift_i"], row_operation = 1, "shift"
            self.row_shifts += 1
        self.last = last
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        self.drive_row(row_operation)

    def drive_row(self, operation: list[int] | str | None) -> None:
        """Queue `operation`; the one that is due takes its value, or this cycle's `row_i`."""
        neighbour = random.getrandbits(self.lanes * self.acc_w)
        self.dut.row_i.value = neighbour
        self.row_operations.append(operation)
        due = self.row_operations.popleft()
        self.next_row = self.row if due is None else due
        if due == "shift":
            self.next_row = unpack_signed(neighbour, self.acc_w, self.lanes)

    def random_vector(self) -> np.ndarray:
        """Activations of all lanes."""
        limit = 1 << self.act_w - 1
        return np.array([random.randrange(-limit, limit) for _ in range(self.lanes)])

    def add(self, inputs: dict[str, int], address: int) -> bool:
        """Make `inputs` an addition if no accumulator overflows; whether it is one."""
        new_vector = self.vector is None or random.random() < 0.4
        vector = self.random_vector() if new_vector else self.vector
        old = self.accumulators.get(address, np.zeros(self.lanes, int))
        sums = old + (old if inputs["double_i"] else -vector if inputs["subtract_i"] else vector)
        if np.abs(sums).max() >= 1 << self.acc_w - 1:
            if random.random() < 0.5:
                del self.accumulators[address]
            return False
        inputs |= {"add_i": 1, "vector_i": int(new_vector), "zero_i": int(address not in self.accumulators)}
        self.vector = vector
        self.next_vector = vector if new_vector else None
        self.accumulators[address] = sums
        self.additions += 1
        self.doubles += inputs["double_i"]
        return True

    def sample(self) -> None:
        """The row register holds what was loaded or shifted in last."""
        if self.row is not None:
            assert unpack_signed(int(self.dut.row_o.value), self.acc_w, self.lanes) == self.row, f"cycle {self.cycle}"
        self.row = self.next_row


@cocotb.test()
async def adds_and_shows(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(add_i=0, row_load_i=0, row_shift_i=0, vector_i=0)
    await tb.step(6000)
    assert min(tb.additions, tb.doubles, tb.loads, tb.row_shifts) > 100
