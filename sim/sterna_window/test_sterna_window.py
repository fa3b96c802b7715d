"""Bench of sterna_window: random vectors in random slots, in either kind of memory."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench
from sim.support.words import pack

from sterna.spec.tape import ABSENT_SLOT

PARAMETERS = [
    {"Lanes": 5, "ActW": 4},
    {"Lanes": 64, "BlockRam": 1},
    {"Lanes": 64},
    {"Lanes": 1, "ActW": 5, "BlockRam": 1},
]


class TB(Bench):
    """Writes and reads in each cycle, of slots that are not the same; knows what each slot holds."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.lanes, self.act_w = int(dut.Lanes.value), int(dut.ActW.value)
        self.slots: dict[int, list[int]] = {ABSENT_SLOT: [0] * self.lanes}
        self.wanted: list[int] | None = None  # what the port shows, if it is known
        self.reads = {"zero": 0, "just written": 0, "other": 0}
        self.written = ABSENT_SLOT
        self.agents = [self]

    def drive(self) -> None:
        """Write a slot, or not; read one that was written, or not. Noise on what means nothing."""
        dut = self.dut
        write, slot = random.random() < 0.7, random.randrange(ABSENT_SLOT)
        vector = [random.getrandbits(self.act_w) for _ in range(self.lanes)]
        dut.write_i.value, dut.write_slot_i.value, dut.data_i.value = write, slot, pack(vector, self.act_w)
        read = random.choice([self.written, ABSENT_SLOT, *self.slots, *self.slots])
        self.read = random.random() < 0.7 and not (write and read == slot)
        dut.read_i.value, dut.slot_i.value = self.read, read if self.read else random.getrandbits(5)
        self.coming = self.slots[read]
        if self.read:
            self.reads["zero" if read == ABSENT_SLOT else "just written" if read == self.written else "other"] += 1
        if write:
            self.slots = self.slots | {slot: vector}
            self.written = slot

    def sample(self) -> None:
        """The port shows what was read last."""
        shown = [int(self.dut.vector_o[lane].value) for lane in range(self.lanes)]
        assert self.wanted in (None, shown)
        if self.read:
            self.wanted = self.coming


@cocotb.test()
async def holds_the_last_vector_of_each_slot(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(write_i=0, read_i=0)
    await tb.step(1500)
    assert min(tb.reads.values()) > 20, tb.reads
