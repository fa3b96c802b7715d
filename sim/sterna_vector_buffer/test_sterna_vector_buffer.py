"""Bench of sterna_vector_buffer: two readers walk a ring while it is written, against a dictionary of vectors."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field

PARAMETERS = [{"Lanes": 9, "ActW": 5, "BufferVectors": 16}, {"Lanes": 2, "ActW": 8, "BufferVectors": 128}]
#: Cycles from an accepted request to its vector.
LATENCY = 3


class TB(Bench):
    """A writer that stays less than a ring ahead of two readers, which skip vectors at random."""

    def __init__(self, dut: Any, idle: float, skip: float) -> None:
        super().__init__(dut)
        self.depth = int(dut.BufferVectors.value)
        self.idle, self.skip = idle, skip
        width = (2 * self.depth - 1).bit_length()
        self.vectors = [Field(dut.read_vector_i, pe * width, width) for pe in range(2)]
        self.written: list[int] = []  # all vectors, oldest first
        self.next = [0, 0]  # the vector that each reader asks for next, as a count from the start
        self.asks = [False, False]
        self.due: list[list[int | None]] = [[None] * LATENCY for _ in range(2)]
        self.counts = {"alone": 0, "shared": 0, "behind": 0}
        self.agents = [self]

    def drive(self) -> None:
        """Write when the slower reader has left room; begin or keep requests for written vectors."""
        readable = len(self.written)
        for pe in range(2):
            self.asks[pe] |= self.next[pe] < readable and random.random() >= self.idle
            number = self.next[pe] if self.asks[pe] else random.getrandbits(10)
            self.vectors[pe].write(number % (2 * self.depth))
        self.dut.read_valid_i.value = self.asks[0] | self.asks[1] << 1
        room = len(self.written) - min(self.next) < self.depth - 2
        data = random.getrandbits(len(self.dut.write_data_i))
        write = room and random.random() < 0.8
        self.dut.write_valid_i.value = write
        self.dut.write_address_i.value = len(self.written) % self.depth
        self.dut.write_data_i.value = data
        if write:
            self.written.append(data)

    def sample(self) -> None:
        """Vectors come when they are due, requests are accepted by the rule."""
        valid, ready = int(self.dut.vector_valid_o.value), int(self.dut.read_ready_o.value)
        for pe in range(2):
            vector = self.due[pe].pop(0)
            assert bool(valid >> pe & 1) == (vector is not None)
            assert vector is None or int(self.dut.vector_data_o.value) == self.written[vector], f"vector {vector}"
        assert ready == self.expected(), (self.asks, self.next)
        for pe in range(2):
            accepted = bool(ready >> pe & 1)
            self.due[pe].append(self.next[pe] if accepted else None)
            if accepted:
                self.asks[pe] = False
                self.next[pe] += 1 + (random.random() < self.skip) * random.randint(0, 3)

    def expected(self) -> int:
        """Both for the same vector, else the one behind."""
        if not all(self.asks):
            self.counts["alone"] += any(self.asks)
            return self.asks[0] | self.asks[1] << 1
        if self.next[0] == self.next[1]:
            self.counts["shared"] += 1
            return 3
        self.counts["behind"] += 1
        return 1 if self.next[0] < self.next[1] else 2


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5, 0.9], skip=[0.0, 0.4])
async def reads_what_was_written(dut: Any, idle: float, skip: float) -> None:
    tb = TB(dut, idle, skip)
    await tb.start(write_valid_i=0, read_valid_i=0)
    await tb.run_until(lambda: min(tb.next) >= 20 * tb.depth, 800 * tb.depth)
    if not idle and not skip:
        assert not tb.counts["behind"], "readers in step share every read"
    elif skip and idle == 0.5:
        assert min(tb.counts["shared"], tb.counts["behind"]) > 10


@cocotb.test()
async def clear_drops_reads(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(write_valid_i=0, read_valid_i=0)
    await tb.run_until(lambda: min(tb.next) > 4, 50)
    tb.idle = 1.0
    await tb.step()
    assert any(tb.due[0] + tb.due[1])
    await tb.clear()
    tb.agents = []
    await tb.step()  # It takes effect a cycle later.
    for _ in range(LATENCY + 1):
        assert not int(dut.vector_valid_o.value)
        await tb.step()
