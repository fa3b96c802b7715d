"""Bench of sterna_vector_writer: announced words against the vectors of their masks."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from sim.support.streams import Bench, Field, Sink

PARAMETERS = [{"VectorW": 27, "Depth": 16}, {"VectorW": 5, "Depth": 32}]
FULL = 0b1111


class TB(Bench):
    """Announcements, each followed by its word `latency` cycles later, and the vectors."""

    def __init__(self, dut: Any, idle: float = 0.0, stall: float = 0.0, latency: int = 15) -> None:
        super().__init__(dut)
        self.vector_w, self.depth = int(dut.VectorW.value), int(dut.Depth.value)
        self.idle, self.latency = idle, latency
        self.ready = Field(dut.announce_ready_o)
        self.vectors = Sink(Field(dut.vector_valid_o), Field(dut.vector_ready_i), {
            "vector": Field(dut.vector_data_o)}, stall)
        self.agents = [self.vectors, self]
        self.queue: deque[tuple[int, int]] = deque()
        self.under_way: deque[tuple[int, int, int]] = deque()
        self.announced = 0

    def send(self, masks: list[int]) -> list[dict[str, int]]:
        """Queue words with these masks; returns their vectors."""
        vectors = []
        for mask in masks:
            word = random.getrandbits(4 * self.vector_w)
            self.queue.append((mask, word))
            vectors += [
                {"vector": word >> (c * self.vector_w) & (1 << self.vector_w) - 1} for c in range(4) if mask >> c & 1
            ]
        return vectors

    def drive(self) -> None:
        """Announce a word if it may be; give the one that is due."""
        announce = bool(self.queue) and bool(self.ready.read()) and random.random() >= self.idle
        self.dut.announce_valid_i.value = announce
        self.dut.announce_vectors_i.value = self.queue[0][0].bit_count() if announce else random.getrandbits(3)
        due = bool(self.under_way) and self.under_way[0][0] == self.cycle
        self.dut.word_data_i.value = self.under_way.popleft()[2] if due else random.getrandbits(4 * self.vector_w)
        if announce:
            self.under_way.append((self.cycle + self.latency, *self.queue.popleft()))
            self.announced += 1
        # A word is told in the cycle before.
        told = bool(self.under_way) and self.under_way[0][0] == self.cycle + 1
        self.dut.word_next_i.value = told
        self.dut.word_mask_i.value = self.under_way[0][1] if told else random.getrandbits(4)

    def sample(self) -> None:
        """Nothing to read."""

    async def reset(self) -> None:
        """Start with all inputs quiet."""
        await self.start(announce_valid_i=0, word_next_i=0)

    async def clear(self) -> None:
        """Forget what is under way as well."""
        self.queue.clear()
        self.under_way.clear()
        await FallingEdge(self.dut.clk_i)
        self.dut.announce_valid_i.value = self.dut.word_next_i.value = 0
        await super().clear()


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6], latency=[1, 15])
async def gives_the_vectors_of_each_mask(dut: Any, idle: float, stall: float, latency: int) -> None:
    tb = TB(dut, idle, stall, latency)
    await tb.reset()
    vectors = tb.send([random.randint(1, 15) for _ in range(150)])
    await tb.run_until(lambda: len(tb.vectors.taken) == len(vectors), 10000)
    await tb.step(5)
    assert tb.vectors.taken == vectors


@cocotb.test()
@cocotb.parametrize(mask=[FULL, 0b0100, 0b1010])
async def gives_a_vector_a_cycle(dut: Any, mask: int) -> None:
    """If words come soon enough for the room that there is."""
    tb = TB(dut, latency=int(dut.Depth.value) - 12)
    await tb.reset()
    vectors = tb.send([mask] * 60)
    cycles = await tb.run_until(lambda: len(tb.vectors.taken) == len(vectors), 1000)
    assert cycles <= len(vectors) + tb.latency + 4


@cocotb.test()
async def announces_as_many_vectors_as_fit(dut: Any) -> None:
    tb = TB(dut, stall=1.0, latency=3)
    await tb.reset()
    vectors = tb.send([FULL] * 3 * tb.depth)
    await tb.step(10 * tb.depth)
    # The vector that stands at the port has left its room.
    assert tb.depth - 8 < 4 * tb.announced <= tb.depth + 1
    tb.vectors.stall = 0.0
    await tb.run_until(lambda: len(tb.vectors.taken) == len(vectors), 10 * len(vectors))
    assert tb.vectors.taken == vectors


@cocotb.test()
async def gives_no_vectors_of_an_empty_mask(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    vectors = tb.send([0, FULL, 0, 0, 1])
    await tb.run_until(lambda: not tb.queue and not tb.under_way, 200)
    await tb.step(10)
    assert tb.vectors.taken == vectors


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = TB(dut, stall=0.5)
    await tb.reset()
    for cycles in (3, 17, 40):
        tb.send([FULL] * 30)
        await tb.step(cycles)
        await tb.clear()
        vectors = tb.send([random.randint(1, 15) for _ in range(20)])
        await tb.run_until(lambda vectors=vectors: len(tb.vectors.taken) == len(vectors), 1000)
        assert tb.vectors.taken == vectors
        tb.vectors.clear()
