"""Bench of sterna_burst_adapter: bursts of one bus cover those of another exactly."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.bursts import PAGE, Bytes
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [
    {"FromDataW": 512, "ToDataW": 128, "ToBeats": 16},
    {"FromDataW": 128, "ToDataW": 512, "ToBeats": 64},
    {"FromDataW": 128, "ToDataW": 128, "ToBeats": 16},
]


class TB(Bench):
    """Bursts in, bursts out."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.from_bytes, self.to_bytes = int(dut.FromDataW.value) // 8, int(dut.ToDataW.value) // 8
        self.longest = int(dut.ToBeats.value) * self.to_bytes
        asked = {"addr": Field(dut.addr_i), "len": Field(dut.len_i)}
        self.asked = Source(Field(dut.valid_i), Field(dut.ready_o), asked)
        given = {"addr": Field(dut.addr_o), "len": Field(dut.len_o), "last": Field(dut.last_o)}
        self.given = Sink(Field(dut.valid_o), Field(dut.ready_i), given)
        self.agents = [self.asked, self.given]

    def bursts_of(self, address: int, length: int) -> list[dict[str, int]]:
        """The bursts that a burst must give."""
        end = -(-(address + (length + 1) * self.from_bytes) // self.to_bytes) * self.to_bytes
        at, bursts = address // self.to_bytes * self.to_bytes, []
        while at < end:
            size = min(end - at, self.longest - at % self.longest)
            bursts.append({"addr": at, "len": size // self.to_bytes - 1, "last": int(at + size == end)})
            at += size
        return bursts


@cocotb.test()
async def covers_bursts(dut: Any) -> None:
    tb = TB(dut)
    await tb.start()
    wanted = []
    memory = Bytes()
    bursts = [memory.burst(tb.from_bytes, min(256, PAGE // tb.from_bytes)) for _ in range(100)]
    bursts += [(memory.base, PAGE // tb.from_bytes - 1), (memory.base + PAGE - tb.from_bytes, 0)]
    for address, length in random.sample(bursts, len(bursts)):
        tb.asked.send([{"addr": address, "len": length}])
        wanted += tb.bursts_of(address, length)
    await tb.run_until(lambda: len(tb.given.taken) == len(wanted), 20_000)
    assert tb.given.taken == wanted
    await tb.step(10)
    assert len(tb.given.taken) == len(wanted)
