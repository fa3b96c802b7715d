"""Bench of sterna_burst_splitter: bursts cover a transfer exactly and stay inside their boundary."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"DataW": 64}, {"DataW": 512}, {"DataW": 128, "BurstBeats": 16}]


class TB(Bench):
    """Commands in, bursts out."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.beat_bytes = int(dut.DataW.value) // 8
        self.burst_bytes = int(dut.BurstBeats.value) * self.beat_bytes
        command = {"addr": Field(dut.command_addr_i), "bytes": Field(dut.command_bytes_i)}
        self.commands = Source(Field(dut.command_valid_i), Field(dut.command_ready_o), command)
        burst = {"addr": Field(dut.burst_addr_o), "len": Field(dut.burst_len_o)}
        self.bursts = Sink(Field(dut.burst_valid_o), Field(dut.burst_ready_i), burst)
        self.agents = [self.commands, self.bursts]

    def bursts_of(self, address: int, size: int) -> list[dict[str, int]]:
        """The bursts that a transfer must give."""
        bursts = []
        while size:
            part = min(size, self.burst_bytes - address % self.burst_bytes)
            bursts.append({"addr": address, "len": part // self.beat_bytes - 1})
            address, size = address + part, size - part
        return bursts


@cocotb.test()
async def covers_transfers(dut: Any) -> None:
    tb = TB(dut)
    await tb.start()
    wanted = []
    for _ in range(40):
        # Around a round number, so that carries run far.
        address = (random.randrange(1, 1 << 20) << random.randrange(12, 42)) + random.randint(-99, 99) * tb.beat_bytes
        address = abs(address) // tb.beat_bytes * tb.beat_bytes
        size = random.choice([0, 1, 2, 63, 64, 65, random.randrange(400)]) * tb.beat_bytes
        tb.commands.send([{"addr": address, "bytes": size}])
        wanted += tb.bursts_of(address, size)
    await tb.run_until(lambda: tb.commands.sent == 40 and len(tb.bursts.taken) == len(wanted), 5000)
    assert tb.bursts.taken == wanted


@cocotb.test()
async def clear_forgets_the_rest(dut: Any) -> None:
    tb = TB(dut)
    await tb.start()
    tb.bursts.stall = 1.0
    tb.commands.send([{"addr": 0, "bytes": 4 * tb.burst_bytes}])
    await tb.run_until(lambda: tb.commands.sent == 1, 20)
    await tb.clear()
    tb.bursts.stall = 0.0
    tb.commands.send([{"addr": 64, "bytes": 64}])
    await tb.step(20)
    assert tb.bursts.taken == tb.bursts_of(64, 64)
