"""Bench of sterna_axi_reader against a memory model with random pauses on both of its channels."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from sim.support.axi import BAD_FROM, MEMORY_BYTES, ReadMemory
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"DataW": 64}, {"DataW": 512}]


class TB(Bench):
    """Commands in, beats out, a memory behind; counts error pulses."""

    def __init__(self, dut: Any, idle: float = 0.3, stall: float = 0.3, pause: float = 0.3) -> None:
        super().__init__(dut)
        self.beat_bytes = len(dut.beat_data_o) // 8
        command = {"addr": Field(dut.command_addr_i), "bytes": Field(dut.command_bytes_i)}
        self.commands = Source(Field(dut.command_valid_i), Field(dut.command_ready_o), command, idle)
        beat = {"data": Field(dut.beat_data_o)}
        self.beats = Sink(Field(dut.beat_valid_o), Field(dut.beat_ready_i), beat, stall)
        self.errors = Sink(Field(dut.error_o), None, {})
        self.agents = [self.commands, self.beats, self.errors]
        self.memory = ReadMemory(dut, pause)
        self.content = random.randbytes(MEMORY_BYTES)
        self.memory.write(0, self.content)

    def read(self, address: int, beats: int) -> list[dict[str, int]]:
        """Queue a transfer; returns the beats that it must give."""
        size = self.beat_bytes
        self.commands.send([{"addr": address, "bytes": beats * size}])
        starts = range(address, address + beats * size, size)
        return [{"data": int.from_bytes(self.content[at : at + size], "little")} for at in starts]

    def random_transfer(self, beats: int) -> list[dict[str, int]]:
        """As `read`, anywhere in the good memory."""
        last = BAD_FROM // self.beat_bytes - beats
        return self.read(random.randrange(last) * self.beat_bytes, beats)

    async def flush(self) -> None:
        """Hold flush until the reader is idle, as the engine does."""
        await FallingEdge(self.dut.clk_i)
        self.dut.flush_i.value = 1
        self.commands.clear()
        self.commands.valid.write(0)
        self.beats.clear()
        await self.run_until(lambda: int(self.dut.idle_o.value) == 1, 6000)
        await FallingEdge(self.dut.clk_i)
        self.dut.flush_i.value = 0
        assert not self.beats.taken


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.6], pause=[0.0, 0.5])
async def gives_the_bytes_in_order(dut: Any, idle: float, stall: float, pause: float) -> None:
    tb = TB(dut, idle, stall, pause)
    await tb.start(flush_i=0)
    wanted = [beat for beats in (1, 2, 63, 64, 65, 200) for beat in tb.random_transfer(beats)]
    wanted += tb.read(4096 - tb.beat_bytes, 3) + tb.read(8192, 4096 // tb.beat_bytes)
    await tb.run_until(lambda: len(tb.beats.taken) == len(wanted), 20 * len(wanted))
    assert tb.beats.taken == wanted
    await tb.step(3)
    assert int(dut.idle_o.value) == 1
    assert not tb.errors.taken


@cocotb.test()
async def streams_without_gaps(dut: Any) -> None:
    """Several bursts are under way: the latency of the memory shows only once."""
    tb = TB(dut, 0.0, 0.0, 0.0)
    await tb.start(flush_i=0)
    tb.read(0, 512)
    assert await tb.run_until(lambda: len(tb.beats.taken) == 512, 1200) < 560


@cocotb.test()
async def reports_bad_responses(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(flush_i=0)
    tb.read(BAD_FROM - tb.beat_bytes, 3)
    await tb.run_until(lambda: len(tb.beats.taken) == 3, 400)
    assert len(tb.errors.taken) == 2


@cocotb.test()
@cocotb.parametrize(stall=[0.3, 1.0])
async def flush_completes_what_the_bus_has_seen(dut: Any, stall: float) -> None:
    tb = TB(dut, 0.0, stall)
    await tb.start(flush_i=0)
    for beats in (1, 70, 300):
        tb.random_transfer(500)
        await tb.step(3 + beats)
        await tb.flush()
        wanted = tb.random_transfer(40)
        tb.beats.stall = 0.2
        await tb.run_until(lambda wanted=wanted: len(tb.beats.taken) == len(wanted), 1000)
        assert tb.beats.taken == wanted
        tb.beats.clear()
        tb.beats.stall = stall
