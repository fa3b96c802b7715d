"""Bench of sterna_unit: random passes against the model, with a line memory that is slow at random and a drain
that reads every accumulator at random times."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from sim.sterna_cluster.stimulus import Pass, Shape, random_pass
from sim.support.streams import Bench, Field, Source
from sim.support.words import pack, unpack_signed

PARAMETERS = [
    {"Lanes": 4},
    {"Lanes": 66, "Slots": 4, "BlockLines": 16, "ActW": 5, "AccW": 14, "ChunkBytes": 2, "FifoChunks": 2},
]
#: Cycles from a drain's read to its data.
DRAIN_LATENCY = 3


class LineMemory:
    """Holds two blocks, gives each half to the unit when it is full, answers reads in the next cycle."""

    def __init__(self, dut: Any, slow: float) -> None:
        self.dut, self.slow = dut, slow
        self.depth = int(dut.BlockLines.value)
        self.blocks: list[list[np.ndarray]] = []
        self.halves: list[list[np.ndarray] | None] = [None, None]
        self.fill = 0
        self.answer: np.ndarray | None = None

    def drive(self) -> None:
        """Fill a free half, answer the read of the cycle before."""
        if self.blocks and self.halves[self.fill] is None and random.random() >= self.slow:
            self.halves[self.fill] = self.blocks.pop(0)
            self.fill ^= 1
        self.dut.block_valid_i.value = sum((self.halves[i] is not None) << i for i in range(2))
        self.ready = random.random() >= self.slow
        self.dut.read_ready_i.value = self.ready
        self.dut.line_valid_i.value = self.answer is not None
        line = random.getrandbits(len(self.dut.line_data_i))
        self.dut.line_data_i.value = line if self.answer is None else pack(self.answer, int(self.dut.ActW.value))

    def sample(self) -> None:
        """Accept a read, note a half that is left."""
        self.answer = None
        if self.dut.read_valid_o.value and self.ready:
            half, line = divmod(int(self.dut.read_address_o.value), self.depth)
            block = self.halves[half]
            assert block is not None, "a line is read from a half that holds no block"
            self.answer = block[line]
        leave = int(self.dut.block_leave_o.value)
        for half in range(2):
            if leave >> half & 1:
                assert self.halves[half] is not None, "a half is left that holds no block"
                self.halves[half] = None


class Drain:
    """Reads the accumulators of ended passes in random order and compares them."""

    def __init__(self, dut: Any, slow: float) -> None:
        self.dut, self.slow = dut, slow
        self.slots, self.lanes = int(dut.Slots.value), int(dut.Lanes.value)
        self.acc_w = int(dut.AccW.value)
        self.passes: list[Pass] = []
        self.drained = 0
        self.half = 0
        self.order: list[int] = []
        self.shown: list[list[int] | None] = [None] * DRAIN_LATENCY
        self.ended = False

    def drive(self) -> None:
        """Read a slot of a pass that has ended, or free its half after the last."""
        read = free = slot = 0
        shown = None
        if self.ended and not self.order:
            self.order = random.sample(range(self.slots), self.slots)
        if self.order and random.random() >= self.slow:
            read, slot = 1, self.order.pop()
            shown = self.passes[self.drained].units[0].slot(slot).tolist()
            if not self.order:
                free = 1 << self.half
                self.drained += 1
                self.half ^= 1
                self.ended = False
        self.shown.append(shown)
        self.dut.drain_read_i.value = read
        self.dut.drain_address_i.value = self.half_of_read(free) * self.slots + slot
        self.dut.free_i.value = free

    def half_of_read(self, free: int) -> int:
        """The half that is read: with the last read it has just been given back."""
        return self.half ^ 1 if free else self.half

    def sample(self) -> None:
        """Compare what was read three cycles ago; else it is zero."""
        want = self.shown.pop(0) or [0] * self.lanes
        got = unpack_signed(int(self.dut.drain_data_o.value), self.acc_w, self.lanes)
        assert got == want, f"pass {self.drained}: {got} instead of {want}"
        if not self.order and not int(self.dut.free_i.value):
            self.ended = bool(int(self.dut.ended_o.value) >> self.half & 1)


class TB(Bench):
    """A unit between chunks, line memory and drain."""

    def __init__(self, dut: Any, idle: float, slow: float) -> None:
        super().__init__(dut)
        self.shape = Shape(
            lanes=int(dut.Lanes.value), units=1, slots=int(dut.Slots.value),
            block_lines=int(dut.BlockLines.value), act_w=int(dut.ActW.value), acc_w=int(dut.AccW.value),
            mul_w=18, address_w=12, chunk_bytes=int(dut.ChunkBytes.value),
        )
        self.chunks = Source(
            Field(dut.chunk_valid_i), Field(dut.chunk_ready_o), {"data": Field(dut.chunk_data_i)}, idle
        )
        self.memory = LineMemory(dut, slow)
        self.drain = Drain(dut, slow)
        self.busy = 0
        self.agents = [self.chunks, self.memory, self.drain, self]

    def drive(self) -> None:
        """Nothing of its own to drive."""

    def sample(self) -> None:
        """A cycle counts for one thing at most."""
        names = ("busy_o", "wait_lines_o", "wait_weights_o", "wait_drain_o")
        counts = [int(getattr(self.dut, name).value) for name in names]
        assert sum(counts) <= 1, dict(zip(names, counts, strict=True))
        self.busy += counts[0]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7], slow=[0.0, 0.7])
async def equals_the_model(dut: Any, idle: float, slow: float) -> None:
    tb = TB(dut, idle, slow)
    await tb.start(drain_read_i=0, free_i=0, block_valid_i=0, line_valid_i=0)
    passes = [random_pass(tb.shape, 60, 0) for _ in range(10)]
    tb.drain.passes = passes
    tb.memory.blocks = [block for item in passes for block in item.blocks]
    tb.chunks.send({"data": int.from_bytes(c, "little")} for item in passes for c in item.chunks[0])
    await tb.run_until(lambda: tb.drain.drained == len(passes), 60000)
    await tb.step(DRAIN_LATENCY + 2)
    assert tb.busy == sum(item.additions for item in passes)
    assert not tb.memory.blocks and tb.memory.halves == [None, None]
