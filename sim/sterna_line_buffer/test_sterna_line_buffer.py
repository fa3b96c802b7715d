"""Bench of sterna_line_buffer: random reads of one half while the other is written, fair service."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Source

PARAMETERS = [{"Lanes": 9, "ActW": 5, "BlockLines": 16}]


class TB(Bench):
    """Two readers of one half, a writer of the other, halves changing now and then."""

    def __init__(self, dut: Any, idle: float) -> None:
        super().__init__(dut)
        self.depth = int(dut.BlockLines.value)
        address_w = (2 * self.depth - 1).bit_length()
        self.readers = [
            Source(
                Field(dut.read_valid_i, i, 1), Field(dut.read_ready_o, i, 1),
                {"address": Field(dut.read_address_i, i * address_w, address_w)}, idle,
            )
            for i in range(2)
        ]
        self.writer = Source(
            Field(dut.write_valid_i), None,
            {"address": Field(dut.write_address_i), "data": Field(dut.write_data_i)}, 0.3,
        )
        self.memory: dict[int, int] = {}
        self.expected: list[int | None] = [None, None]
        self.served: list[int] = []
        self.agents = [*self.readers, self.writer, self]

    def write(self, half: int, count: int) -> None:
        """Queue random lines for `half`."""
        width = len(self.dut.write_data_i)
        items = [{"address": half * self.depth + i % self.depth, "data": random.getrandbits(width)}
                 for i in range(count)]
        self.writer.send(items)
        self.memory |= {item["address"]: item["data"] for item in items}

    def read(self, half: int, count: int) -> None:
        """Queue random reads of `half` for both readers."""
        for reader in self.readers:
            reader.send({"address": half * self.depth + random.randrange(self.depth)} for _ in range(count))

    def drive(self) -> None:
        """What each reader asks for in this cycle."""
        self.asked = [reader.queue[0]["address"] if reader.queue else None for reader in self.readers]
        self.sent = [reader.sent for reader in self.readers]

    def sample(self) -> None:
        """A line comes in the cycle after its request was accepted, and only then."""
        for i, expected in enumerate(self.expected):
            assert bool(int(self.dut.line_valid_o.value) >> i & 1) == (expected is not None)
            if expected is not None:
                assert int(self.dut.line_data_o.value) == expected
        accepted = [reader.sent > sent for reader, sent in zip(self.readers, self.sent, strict=True)]
        assert sum(accepted) <= 1
        self.expected = [self.memory[asked] if taken else None
                         for asked, taken in zip(self.asked, accepted, strict=True)]
        self.served += [i for i in range(2) if accepted[i]]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5])
async def reads_what_was_written(dut: Any, idle: float) -> None:
    tb = TB(dut, idle)
    # The bench looks at requests before its readers forget them.
    tb.agents = [*tb.readers, tb.writer]
    await tb.start()
    tb.write(0, tb.depth)
    await tb.run_until(lambda: not tb.writer.queue, 200)
    tb.agents = [*tb.readers, tb.writer, tb]
    for turn in range(20):
        tb.read(turn % 2, 30)
        tb.write(1 - turn % 2, tb.depth + 7)
        await tb.run_until(lambda: not any(s.queue for s in tb.agents[:3]), 400)


@cocotb.test()
async def serves_both_in_turn(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start()
    tb.write(0, tb.depth)
    tb.agents.remove(tb)
    await tb.run_until(lambda: not tb.writer.queue, 200)
    tb.agents.append(tb)
    tb.read(0, 50)
    assert await tb.run_until(lambda: len(tb.served) == 100, 200) == 100
    assert all(a != b for a, b in zip(tb.served, tb.served[1:], strict=False))
