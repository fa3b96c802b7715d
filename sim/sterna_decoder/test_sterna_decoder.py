"""Bench of sterna_decoder: random chunks against a plain reading of the entry format, with random stalls."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

from sterna.spec.tape import ENTRY_CONTROL, Command

PARAMETERS = [{}, {"ChunkBytes": 2, "Slots": 4, "BlockLines": 16}, {"ChunkBytes": 8, "Slots": 32, "BlockLines": 512}]


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
    """Chunks in, operations and requests out."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.size, self.slots = int(dut.ChunkBytes.value), int(dut.Slots.value)
        self.lines = int(dut.BlockLines.value)
        self.chunks = Source(
            Field(dut.chunk_valid_i), Field(dut.chunk_ready_o), {"data": Field(dut.chunk_data_i)}, idle
        )
        names = ("end", "double", "line", "subtract", "slot")
        self.ops = Queue(Field(dut.op_valid_o), Field(dut.op_ready_i),
                         {name: Field(getattr(dut, f"op_{name}_o")) for name in names}, stall)
        self.requests = Queue(Field(dut.request_valid_o), Field(dut.request_ready_i),
                              {"leave": Field(dut.request_leave_o), "line": Field(dut.request_line_o)}, stall)
        self.agents = [self.chunks, self.ops, self.requests]

    def expected(self, chunks: list[bytes]) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
        """Operations and requests of `chunks`; only the fields that mean something."""
        ops: list[dict[str, int]] = []
        requests: list[dict[str, int]] = []
        pointer = -1
        for chunk in chunks:
            for entry in chunk:
                skip, low = entry >> 6, entry & 63
                if skip != ENTRY_CONTROL:
                    pointer += skip
                    slot = (low >> 1) % self.slots
                    ops.append({"end": 0, "double": 0, "line": int(skip > 0), "subtract": low & 1, "slot": slot})
                    if skip:
                        requests.append({"leave": 0, "line": pointer % self.lines})
                elif low & Command.DOUBLE:
                    ops.append({"end": 0, "double": 1, "line": 0, "slot": low % self.slots})
                elif low & ~7 == Command.SKIP:
                    pointer += 1 << (low & 7)
                elif low == Command.REWIND:
                    pointer = -1
                elif low in (Command.END_BLOCK, Command.END_PASS):
                    pointer = -1
                    requests.append({"leave": 1})
                    if low == Command.END_PASS:
                        ops.append({"end": 1})
                    break
                elif low == Command.PAD:
                    break
        return ops, requests


def agrees(got: list[dict[str, int]], want: list[dict[str, int]]) -> bool:
    """Whether each item has the values that are wanted of it."""
    return len(got) == len(want) and all(g.items() >= w.items() for g, w in zip(got, want, strict=True))


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def equals_the_format(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start()
    chunks = [random.randbytes(tb.size) for _ in range(600)]
    ops, requests = tb.expected(chunks)
    tb.chunks.send({"data": int.from_bytes(chunk, "little")} for chunk in chunks)
    await tb.run_until(lambda: len(tb.ops.taken) >= len(ops) and len(tb.requests.taken) >= len(requests), 60000)
    await tb.step(20 * tb.size)
    assert agrees(tb.ops.taken, ops)
    assert agrees(tb.requests.taken, requests)


@cocotb.test()
async def decodes_an_entry_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start()
    tb.chunks.send({"data": random.getrandbits(8 * tb.size) & int("3f" * tb.size, 16)} for _ in range(100))
    assert await tb.run_until(lambda: len(tb.ops.taken) == 100 * tb.size, 10000) <= 100 * tb.size + 2
