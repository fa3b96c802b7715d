"""Bench of sterna_decoder: random chunks against a plain reading of the entry format, with random stalls."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack

from sterna.spec.tape import ENTRY_CONTROL, Command

PARAMETERS = [
    {},
    {"ChunkEntries": 2, "Accumulators": 4, "BufferVectors": 32},
    {"ChunkEntries": 8, "Accumulators": 32, "EntryW": 8, "BufferVectors": 1024},
    {"ChunkEntries": 9, "Accumulators": 16, "BufferVectors": 512},
]


class Queue(Sink):
    """A sink whose ready stays until it is used, as a FIFO's does."""

    def drive(self) -> None:
        """Room that is there stays."""
        if not self._ready or self._took:
            super().drive()

    def sample(self) -> None:
        """Note whether the room was used."""
        before = len(self.taken)
        super().sample()
        self._took = len(self.taken) > before

    _took = True


class TB(Bench):
    """Chunks in, operations and requests out; vectors are written behind, at and ahead of the vector pointer."""

    def __init__(self, dut: Any, idle: float, stall: float, follow: float = 1.0) -> None:
        super().__init__(dut)
        self.entries, self.accumulators = int(dut.ChunkEntries.value), int(dut.Accumulators.value)
        self.vectors = int(dut.BufferVectors.value)
        self.acc_index_w = max(4, (self.accumulators - 1).bit_length())
        self.follow, self.written = follow, 0
        self.blocked = 0
        self.chunks = Source(
            Field(dut.chunk_valid_i), Field(dut.chunk_ready_o), {"data": Field(dut.chunk_data_i)}, idle
        )
        names = ("end", "double", "vector", "subtract", "acc_index")
        self.ops = Queue(Field(dut.op_valid_o), Field(dut.op_ready_i),
                         {name: Field(getattr(dut, f"op_{name}_o")) for name in names}, stall)
        self.requests = Queue(Field(dut.request_valid_o), Field(dut.request_ready_i),
                              {"vector": Field(dut.request_vector_o)}, stall)
        self.agents = [self.chunks, self, self.ops, self.requests]

    def drive(self) -> None:
        """Write vectors until the one of the pointer is there, and sometimes some more."""
        pointer = int(self.dut.pointer_o.value)
        lacking = (pointer + 1 - self.written) % (2 * self.vectors)
        if 0 < lacking <= self.vectors and random.random() < self.follow:
            self.written += lacking + random.choice([0, 0, random.randrange(self.vectors // 2)])
        self.dut.written_i.value = self.written % (2 * self.vectors)
        self.pointer = pointer

    def sample(self) -> None:
        """The pointer never moves away from a vector that is not written."""
        unwritten = 0 < (self.pointer + 1 - self.written) % (2 * self.vectors) <= self.vectors
        blocked = bool(int(self.dut.blocked_o.value))
        assert unwritten or not blocked
        assert not (unwritten and int(self.dut.request_valid_o.value)), "a request moves the pointer"
        self.blocked += blocked

    def random_chunk(self) -> list[int]:
        """Any entries, with no step as wide as the ring."""
        chunk = [random.getrandbits(self.acc_index_w + 3) for _ in range(self.entries)]
        return [entry for entry in chunk if self.advance(entry) < self.vectors // 2] or [0]

    def advance(self, entry: int) -> int:
        """Vectors by which `entry` moves the pointer."""
        skip, code = divmod(entry, 2 << self.acc_index_w)
        if skip != ENTRY_CONTROL:
            return skip
        if code < 1 << self.acc_index_w and code & ~7 == Command.SKIP:
            return 1 << (code & 7)
        return code & 3 if code & ~3 == Command.END_PASS else 0

    def pack(self, chunk: list[int]) -> int:
        """A chunk as it comes in; entries that lack are PAD."""
        pad = ENTRY_CONTROL << self.acc_index_w + 1 | Command.PAD
        return pack(chunk + [pad] * (self.entries - len(chunk)), self.acc_index_w + 3)

    def expected(self, chunks: list[list[int]]) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
        """Operations and requests of `chunks`; only the fields that mean something."""
        ops: list[dict[str, int]] = []
        requests: list[dict[str, int]] = []
        pointer = -1
        for chunk in chunks:
            for entry in chunk:
                skip, code = divmod(entry, 2 << self.acc_index_w)
                pointer += self.advance(entry)
                if skip != ENTRY_CONTROL:
                    acc_index = (code >> 1) % self.accumulators
                    op = {"end": 0, "double": 0, "vector": int(skip > 0), "subtract": code & 1, "acc_index": acc_index}
                    ops.append(op)
                    if skip:
                        requests.append({"vector": pointer % (2 * self.vectors)})
                elif code >> self.acc_index_w:
                    ops.append({"end": 0, "double": 1, "vector": 0, "acc_index": code % self.accumulators})
                elif code & ~3 == Command.END_PASS:
                    ops.append({"end": 1})
                    break
                elif code == Command.PAD:
                    break
        return ops, requests


def agrees(got: list[dict[str, int]], want: list[dict[str, int]]) -> bool:
    """Whether each item has the values that are wanted of it."""
    return len(got) == len(want) and all(g.items() >= w.items() for g, w in zip(got, want, strict=True))


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6], follow=[1.0, 0.1])
async def equals_the_format(dut: Any, idle: float, stall: float, follow: float) -> None:
    tb = TB(dut, idle, stall, follow)
    await tb.start(written_i=0)
    chunks = [tb.random_chunk() for _ in range(500)]
    ops, requests = tb.expected(chunks)
    tb.chunks.send({"data": tb.pack(chunk)} for chunk in chunks)
    await tb.run_until(lambda: len(tb.ops.taken) >= len(ops) and len(tb.requests.taken) >= len(requests), 90000)
    await tb.step(20 * tb.entries)
    assert agrees(tb.ops.taken, ops)
    assert agrees(tb.requests.taken, requests)
    assert tb.blocked or follow == 1.0


@cocotb.test()
async def decodes_an_entry_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(written_i=0)
    additions = (1 << tb.acc_index_w + 1) - 1
    chunks = [[random.getrandbits(tb.acc_index_w + 3) & additions for _ in range(tb.entries)] for _ in range(100)]
    tb.chunks.send({"data": tb.pack(chunk)} for chunk in chunks)
    assert await tb.run_until(lambda: len(tb.ops.taken) == 100 * tb.entries, 10000) <= 100 * tb.entries + 2


@cocotb.test()
async def a_skip_costs_no_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(written_i=0)
    pair = [ENTRY_CONTROL << tb.acc_index_w + 1 | Command.SKIP, 2 << tb.acc_index_w]
    additions = tb.entries // 2
    tb.chunks.send({"data": tb.pack(pair * additions)} for _ in range(100))
    # An odd number of entries leaves one PAD per chunk.
    most = 100 * (additions + tb.entries % 2) + 2
    assert await tb.run_until(lambda: len(tb.ops.taken) == 100 * additions, 10000) <= most


@cocotb.test()
async def clear_starts_over(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.3)
    await tb.start(written_i=0)
    for _ in range(3):
        tb.written = 0
        chunks = [tb.random_chunk() for _ in range(40)]
        ops, requests = tb.expected(chunks)
        tb.chunks.send({"data": tb.pack(chunk)} for chunk in chunks)
        await tb.step(random.randint(5, 40))
        assert agrees(tb.ops.taken, ops[: len(tb.ops.taken)])
        assert agrees(tb.requests.taken, requests[: len(tb.requests.taken)])
        await tb.clear()
        assert int(dut.pointer_o.value) == 2 * tb.vectors - 1
