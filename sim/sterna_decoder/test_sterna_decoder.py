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
    {"ChunkEntries": 2, "Slots": 4, "BufferLines": 32},
    {"ChunkEntries": 8, "Slots": 32, "BufferLines": 1024},
    {"ChunkEntries": 9, "Slots": 16, "BufferLines": 512},
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
    """Chunks in, operations and requests out; lines are written behind, at and ahead of the line pointer."""

    def __init__(self, dut: Any, idle: float, stall: float, follow: float = 1.0) -> None:
        super().__init__(dut)
        self.entries, self.slots = int(dut.ChunkEntries.value), int(dut.Slots.value)
        self.lines = int(dut.BufferLines.value)
        self.slot_bits = max(4, (self.slots - 1).bit_length())
        self.follow, self.written = follow, 0
        self.blocked = 0
        self.chunks = Source(
            Field(dut.chunk_valid_i), Field(dut.chunk_ready_o), {"data": Field(dut.chunk_data_i)}, idle
        )
        names = ("end", "double", "line", "subtract", "slot")
        self.ops = Queue(Field(dut.op_valid_o), Field(dut.op_ready_i),
                         {name: Field(getattr(dut, f"op_{name}_o")) for name in names}, stall)
        self.requests = Queue(Field(dut.request_valid_o), Field(dut.request_ready_i),
                              {"line": Field(dut.request_line_o)}, stall)
        self.agents = [self.chunks, self, self.ops, self.requests]

    def drive(self) -> None:
        """Write lines until the one of the pointer is there, and sometimes some more."""
        pointer = int(self.dut.pointer_o.value)
        lacking = (pointer + 1 - self.written) % (2 * self.lines)
        if 0 < lacking <= self.lines and random.random() < self.follow:
            self.written += lacking + random.choice([0, 0, random.randrange(self.lines // 2)])
        self.dut.written_i.value = self.written % (2 * self.lines)
        self.pointer = pointer

    def sample(self) -> None:
        """The pointer never moves away from a line that is not written."""
        unwritten = 0 < (self.pointer + 1 - self.written) % (2 * self.lines) <= self.lines
        blocked = bool(int(self.dut.blocked_o.value))
        assert unwritten or not blocked
        assert not (unwritten and int(self.dut.request_valid_o.value)), "a request moves the pointer"
        self.blocked += blocked

    def random_chunk(self) -> list[int]:
        """Any entries, with no step as wide as the ring."""
        chunk = [random.getrandbits(self.slot_bits + 3) for _ in range(self.entries)]
        return [entry for entry in chunk if self.advance(entry) < self.lines // 2] or [0]

    def advance(self, entry: int) -> int:
        """Lines by which `entry` moves the pointer."""
        skip, code = divmod(entry, 2 << self.slot_bits)
        if skip != ENTRY_CONTROL:
            return skip
        if code < 1 << self.slot_bits and code & ~7 == Command.SKIP:
            return 1 << (code & 7)
        return code & 3 if code & ~3 == Command.END_PASS else 0

    def pack(self, chunk: list[int]) -> int:
        """A chunk as it comes in; entries that lack are PAD."""
        pad = ENTRY_CONTROL << self.slot_bits + 1 | Command.PAD
        return pack(chunk + [pad] * (self.entries - len(chunk)), self.slot_bits + 3)

    def expected(self, chunks: list[list[int]]) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
        """Operations and requests of `chunks`; only the fields that mean something."""
        ops: list[dict[str, int]] = []
        requests: list[dict[str, int]] = []
        pointer = -1
        for chunk in chunks:
            for entry in chunk:
                skip, code = divmod(entry, 2 << self.slot_bits)
                pointer += self.advance(entry)
                if skip != ENTRY_CONTROL:
                    slot = (code >> 1) % self.slots
                    ops.append({"end": 0, "double": 0, "line": int(skip > 0), "subtract": code & 1, "slot": slot})
                    if skip:
                        requests.append({"line": pointer % (2 * self.lines)})
                elif code >> self.slot_bits:
                    ops.append({"end": 0, "double": 1, "line": 0, "slot": code % self.slots})
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
    additions = (1 << tb.slot_bits + 1) - 1
    chunks = [[random.getrandbits(tb.slot_bits + 3) & additions for _ in range(tb.entries)] for _ in range(100)]
    tb.chunks.send({"data": tb.pack(chunk)} for chunk in chunks)
    assert await tb.run_until(lambda: len(tb.ops.taken) == 100 * tb.entries, 10000) <= 100 * tb.entries + 2


@cocotb.test()
async def a_skip_costs_no_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(written_i=0)
    pair = [ENTRY_CONTROL << tb.slot_bits + 1 | Command.SKIP, 2 << tb.slot_bits]
    additions = tb.entries // 2
    tb.chunks.send({"data": tb.pack(pair * additions)} for _ in range(100))
    # An odd number of entries leaves one PAD a chunk.
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
        assert int(dut.pointer_o.value) == 2 * tb.lines - 1
