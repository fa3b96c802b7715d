"""Bench of sterna_axi_writer against a memory model with random pauses on all of its channels."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from sim.support.axi import BAD_FROM, MEMORY_BYTES, WriteMemory
from sim.support.channels import axi_write_ports
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"DataW": 64}, {"DataW": 512}]


class TB(Bench):
    """Commands and beats in, with a memory; counts error pulses."""

    def __init__(self, dut: Any, idle: float = 0.3, pause: float = 0.3) -> None:
        super().__init__(dut)
        self.beat_bytes = len(dut.beat_data_i) // 8
        command = {"addr": Field(dut.command_addr_i), "bytes": Field(dut.command_bytes_i)}
        self.commands = Source(Field(dut.command_valid_i), Field(dut.command_ready_o), command, idle)
        beat = {"data": Field(dut.beat_data_i)}
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), beat, idle)
        self.errors = Sink(Field(dut.error_o), None, {})
        self.agents = [self.commands, self.beats, self.errors]
        self.memory = WriteMemory(dut, pause, ports=axi_write_ports(dut))
        self.content = bytearray(random.randbytes(MEMORY_BYTES))
        self.memory.write(0, bytes(self.content))

    def write(self, address: int, beats: int) -> None:
        """Queue a transfer of random bytes."""
        data = random.randbytes(beats * self.beat_bytes)
        starts = range(0, len(data), self.beat_bytes)
        self.commands.send([{"addr": address, "bytes": len(data)}])
        self.beats.send({"data": int.from_bytes(data[at : at + self.beat_bytes], "little")} for at in starts)
        self.content[address : address + len(data)] = data

    def random_transfer(self, beats: int) -> None:
        """As `write`, anywhere in the good memory."""
        last = BAD_FROM // self.beat_bytes - beats
        self.write(random.randrange(last) * self.beat_bytes, beats)

    async def finish(self) -> None:
        """Run until everything is written and every response is in."""
        beats = len(self.beats.queue)
        await self.run_until(lambda: not self.beats.queue and not self.commands.queue, 100 + 20 * beats)
        await self.run_until(lambda: int(self.dut.idle_o.value) == 1, 500)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], pause=[0.0, 0.5])
async def writes_the_bytes(dut: Any, idle: float, pause: float) -> None:
    tb = TB(dut, idle, pause)
    await tb.start(flush_i=0)
    for beats in (1, 2, 63, 64, 65, 200):
        tb.random_transfer(beats)
    tb.write(4096 - tb.beat_bytes, 3)
    await tb.finish()
    assert tb.memory.read(0, MEMORY_BYTES) == bytes(tb.content)
    assert not tb.errors.taken


@cocotb.test()
async def writes_nearly_a_beat_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(flush_i=0)
    tb.write(0, 512)
    assert await tb.run_until(lambda: tb.beats.sent == 512, 1000) < 580


@cocotb.test()
async def reports_bad_responses(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(flush_i=0)
    tb.write(BAD_FROM - tb.beat_bytes, 1)
    await tb.finish()
    assert not tb.errors.taken
    tb.write(BAD_FROM, 2)
    await tb.finish()
    assert len(tb.errors.taken) == 1


@cocotb.test()
async def flush_completes_the_burst_without_writing(dut: Any) -> None:
    tb = TB(dut, 0.2, 0.3)
    await tb.start(flush_i=0)
    address = 8192
    for beats in (0, 5, 70):
        before = tb.memory.read(address, 300 * tb.beat_bytes)
        tb.beats.sent = 0
        tb.write(address, 300)
        await tb.run_until(lambda beats=beats: tb.beats.sent >= beats and tb.commands.sent > 0, 600)
        await FallingEdge(dut.clk_i)
        dut.flush_i.value = 1
        for source in (tb.commands, tb.beats):
            source.clear()
            source.valid.write(0)
        await tb.run_until(lambda: int(dut.idle_o.value) == 1, 1000)
        await FallingEdge(dut.clk_i)
        dut.flush_i.value = 0
        whole = tb.beats.sent * tb.beat_bytes
        tb.content[address + whole : address + len(before)] = before[whole:]
        assert tb.memory.read(0, MEMORY_BYTES) == bytes(tb.content)
        tb.random_transfer(20)
        await tb.finish()
        assert tb.memory.read(0, MEMORY_BYTES) == bytes(tb.content)
        tb.commands.sent = 0
    assert not tb.errors.taken
