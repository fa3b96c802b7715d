"""Bench of sterna_pe: random passes against the model, with vectors that come slowly at random and a drain that
reads every accumulator at random times and shifts rows in between."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from sim.sterna_cluster.stimulus import Pass, Shape, random_pass
from sim.support.streams import Bench, Field, Source
from sim.support.words import pack, unpack_signed

PARAMETERS = [
    {"Lanes": 4},
    {"Lanes": 66, "Accumulators": 4, "BufferVectors": 32, "ActW": 5, "AccW": 14, "ChunkBytes": 2, "FifoChunks": 2},
    {"Lanes": 3, "Accumulators": 32, "BufferVectors": 256, "ChunkBytes": 8},
]
#: Cycles from a request to its vector, and from a read or a shift to the cycle in which the row register takes it.
VECTOR_LATENCY = 3
ROW_CYCLE = 4
#: Vectors that the cluster leaves between the PE and the vectors it writes.
MARGIN = 8


class VectorBuffer:
    """A ring: is written while the PE leaves room, answers reads."""

    def __init__(self, dut: Any, slow: float) -> None:
        self.dut, self.slow = dut, slow
        self.depth = int(dut.BufferVectors.value)
        self.vectors: list[int] = []  # of all passes
        self.written = 0
        self.answers: deque[int | None] = deque([None] * VECTOR_LATENCY)
        self.read = -1  # last vector read

    def absolute(self, vector: int) -> int:
        """The number from the start of a vector less than a ring from those written."""
        ring = 2 * self.depth
        return self.written + (vector - self.written + self.depth) % ring - self.depth

    def drive(self) -> None:
        """Write a vector, answer the read that is due."""
        tail = self.absolute(int(self.dut.tail_o.value))
        room = self.written - tail <= self.depth - MARGIN
        if room and self.written < len(self.vectors) and random.random() >= self.slow:
            self.written += 1
        self.tail = tail
        self.dut.written_i.value = self.written % (2 * self.depth)
        self.ready = random.random() >= self.slow
        self.dut.read_ready_i.value = self.ready
        answer = self.answers.popleft()
        self.dut.vector_valid_i.value = answer is not None
        self.dut.vector_data_i.value = random.getrandbits(len(self.dut.vector_data_i)) if answer is None else answer

    def sample(self) -> None:
        """Accept a read of a vector that is there."""
        answer = None
        if self.dut.read_valid_o.value and self.ready:
            vector = self.absolute(int(self.dut.read_vector_o.value))
            assert self.written - self.depth <= vector < self.written, "a vector is read that is not there"
            assert vector >= self.tail, "a vector is read that was given up"
            assert vector > self.read
            self.read = vector
            answer = self.vectors[vector]
        self.answers.append(answer)


class Drain:
    """Reads the accumulators of ended passes in random order, shifts rows in, and compares the row register."""

    def __init__(self, dut: Any, slow: float) -> None:
        self.dut, self.slow = dut, slow
        self.accumulators, self.lanes = int(dut.Accumulators.value), int(dut.Lanes.value)
        self.acc_w = int(dut.AccW.value)
        self.passes: list[Pass] = []
        self.drained = 0
        self.half = 0
        self.order: list[int] = []
        self.operations: deque[list[int] | str | None] = deque([None] * ROW_CYCLE)
        self.row: list[int] | None = None
        self.next_row: list[int] | None = None
        self.ended = False

    def drive(self) -> None:
        """Read an accumulator of a pass that has ended, or free its half after the last; or shift."""
        read = free = acc_index = shift = 0
        operation: list[int] | str | None = None
        half = self.half
        if self.ended and not self.order:
            self.order = random.sample(range(self.accumulators), self.accumulators)
        if self.order and random.random() >= self.slow:
            read, acc_index = 1, self.order.pop()
            operation = self.passes[self.drained].pes[0].accumulator(acc_index).tolist()
            if not self.order:
                free = 1 << half
                self.drained += 1
                self.half ^= 1
                self.ended = False
        elif random.random() < 0.3:
            shift, operation = 1, "shift"
        self.dut.drain_read_i.value = read
        self.dut.drain_address_i.value = half * self.accumulators + acc_index
        self.dut.row_shift_i.value = shift
        self.dut.free_i.value = free
        self.drive_row(operation)

    def drive_row(self, operation: list[int] | str | None) -> None:
        """Queue `operation`; the one that is due takes its value, or this cycle's `row_i`."""
        neighbour = random.getrandbits(self.lanes * self.acc_w)
        self.dut.row_i.value = neighbour
        self.operations.append(operation)
        due = self.operations.popleft()
        if due is None:
            self.next_row = self.row
        else:
            self.next_row = unpack_signed(neighbour, self.acc_w, self.lanes) if isinstance(due, str) else due

    def sample(self) -> None:
        """The row register holds what was loaded or shifted in last."""
        if self.row is not None:
            got = unpack_signed(int(self.dut.row_o.value), self.acc_w, self.lanes)
            assert got == self.row, f"pass {self.drained}: {got} instead of {self.row}"
        self.row = self.next_row
        if not self.order and not int(self.dut.free_i.value):
            self.ended = bool(int(self.dut.ended_o.value) >> self.half & 1)


class TB(Bench):
    """A PE between chunks, vector buffer and drain."""

    def __init__(self, dut: Any, idle: float, slow: float) -> None:
        super().__init__(dut)
        self.shape = Shape(
            lanes=int(dut.Lanes.value), pes=1, accumulators=int(dut.Accumulators.value),
            buffer_vectors=int(dut.BufferVectors.value), act_w=int(dut.ActW.value), acc_w=int(dut.AccW.value),
            chunk_bytes=int(dut.ChunkBytes.value),
        )
        self.chunks = Source(
            Field(dut.chunk_valid_i), Field(dut.chunk_ready_o), {"data": Field(dut.chunk_data_i)}, idle
        )
        self.memory = VectorBuffer(dut, slow)
        self.drain = Drain(dut, slow)
        self.counts = {"busy": 0, "wait_vectors": 0, "wait_weights": 0, "wait_drain": 0}
        self.agents = [self.chunks, self.memory, self.drain, self]

    def drive(self) -> None:
        """Nothing of its own to drive."""

    def sample(self) -> None:
        """A cycle counts for one thing at most."""
        counts = {name: int(getattr(self.dut, f"{name}_o").value) for name in self.counts}
        assert sum(counts.values()) <= 1, counts
        for name, count in counts.items():
            self.counts[name] += count


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7], slow=[0.0, 0.7, 0.95])
async def equals_the_model(dut: Any, idle: float, slow: float) -> None:
    tb = TB(dut, idle, slow)
    await tb.start(drain_read_i=0, row_shift_i=0, free_i=0, written_i=0, vector_valid_i=0)
    passes = [random_pass(tb.shape, 60) for _ in range(10)]
    tb.drain.passes = passes
    tb.memory.vectors = [pack(vector, tb.shape.act_w) for item in passes for vector in item.vectors]
    tb.chunks.send({"data": part.chunks[0]} for item in passes for part in item.rounds)
    await tb.run_until(lambda: tb.drain.drained == len(passes), 120000)
    await tb.step(ROW_CYCLE + 2)
    assert tb.counts["busy"] == sum(item.additions for item in passes)
    assert tb.memory.written == len(tb.memory.vectors)
    if slow == 0.95:
        assert min(tb.counts.values()) > 10
