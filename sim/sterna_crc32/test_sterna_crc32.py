"""Bench of sterna_crc32: equals zlib's CRC-32 over random messages with idle cycles between beats."""

from __future__ import annotations

import random
import zlib
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Source

from sterna.spec.tape import CRC_RESIDUE

PARAMETERS = [{"DataW": 64}, {"DataW": 1024}]


class TB(Bench):
    """A source of beats without back-pressure."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.beat_bytes = len(dut.data_i) // 8
        self.source = Source(Field(dut.valid_i), None, {"data": Field(dut.data_i)})
        self.agents = [self.source]

    async def crc_of(self, message: bytes) -> int:
        """The CRC register after `message`, which starts anew."""
        await self.clear()
        beats = range(0, len(message), self.beat_bytes)
        self.source.send({"data": int.from_bytes(message[at : at + self.beat_bytes], "little")} for at in beats)
        sent = self.source.sent + len(beats)
        await self.run_until(lambda: self.source.sent == sent, 50 + 5 * len(beats))
        await self.step(3)
        return int(self.dut.crc_o.value)


@cocotb.test()
async def equals_zlib(dut: Any) -> None:
    tb = TB(dut)
    await tb.start()
    for beats in (1, 2, 3, 50):
        message = random.randbytes(beats * tb.beat_bytes)
        assert await tb.crc_of(message) ^ 0xFFFFFFFF == zlib.crc32(message)


@cocotb.test()
async def a_message_may_be_left(dut: Any) -> None:
    """Beats that are on their way when the next message begins are none of its own."""
    tb = TB(dut)
    await tb.start()
    for beats in (1, 2, 5):
        tb.source.idle = 0.0
        tb.source.send({"data": random.getrandbits(len(dut.data_i))} for _ in range(9))
        await tb.step(beats)
        message = random.randbytes(2 * tb.beat_bytes)
        assert await tb.crc_of(message) ^ 0xFFFFFFFF == zlib.crc32(message)


@cocotb.test()
async def a_message_with_its_crc_ends_at_the_residue(dut: Any) -> None:
    tb = TB(dut)
    await tb.start()
    body = random.randbytes(2 * tb.beat_bytes - 4)
    message = body + zlib.crc32(body).to_bytes(4, "little")
    assert await tb.crc_of(message) == CRC_RESIDUE
    flipped = bytearray(message)
    flipped[random.randrange(len(message))] ^= 1 << random.randrange(8)
    assert await tb.crc_of(bytes(flipped)) != CRC_RESIDUE
