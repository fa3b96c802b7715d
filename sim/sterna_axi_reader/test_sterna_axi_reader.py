"""Bench of sterna_axi_reader against a memory model with random pauses on both of its channels."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from sim.support.axi import BAD_FROM, MEMORY_BYTES, ReadMemory
from sim.support.channels import axi_read_ports
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"DataW": 64, "BufferBeats": 128}, {"DataW": 512}]
PORTS = 2

Beats = list[dict[str, int]]


class TB(Bench):
    """Commands into and beats out of both ports, with a memory; counts error pulses."""

    def __init__(self, dut: Any, idle: float = 0.3, stall: float = 0.3, pause: float = 0.3) -> None:
        super().__init__(dut)
        self.beat_bytes = int(dut.DataW.value) // 8
        self.commands = [self._commands(p, idle) for p in range(PORTS)]
        self.beats = [self._beats(p, stall) for p in range(PORTS)]
        self.errors = [Sink(Field(dut.error_o, p, 1), None, {}) for p in range(PORTS)]
        self.agents = [*self.commands, *self.beats, *self.errors]
        self.memory = ReadMemory(dut, pause, ports=axi_read_ports(dut))
        self.content = random.randbytes(MEMORY_BYTES)
        dut.hurry_i.value = random.getrandbits(1)
        self.memory.write(0, self.content)

    def _commands(self, port: int, idle: float) -> Source:
        command = {"addr": Field(self.dut.command_addr_i, 64 * port, 64),
                   "bytes": Field(self.dut.command_bytes_i, 32 * port, 32)}
        valid, ready = Field(self.dut.command_valid_i, port, 1), Field(self.dut.command_ready_o, port, 1)
        return Source(valid, ready, command, idle)

    def _beats(self, port: int, stall: float) -> Sink:
        width = 8 * self.beat_bytes
        beat = {"data": Field(self.dut.beat_data_o, port * width, width)}
        return Sink(Field(self.dut.beat_valid_o, port, 1), Field(self.dut.beat_ready_i, port, 1), beat, stall)

    def read(self, address: int, beats: int, port: int = 0) -> Beats:
        """Queue a transfer; returns the beats that it must give."""
        size = self.beat_bytes
        self.commands[port].send([{"addr": address, "bytes": beats * size}])
        starts = range(address, address + beats * size, size)
        return [{"data": int.from_bytes(self.content[at : at + size], "little")} for at in starts]

    def random_transfer(self, beats: int, port: int = 0) -> Beats:
        """As `read`, anywhere in the good memory."""
        last = BAD_FROM // self.beat_bytes - beats
        return self.read(random.randrange(last) * self.beat_bytes, beats, port)

    async def finish(self, wanted: list[Beats], limit: int) -> int:
        """Run until both ports have their beats; returns the cycles it took."""
        done = lambda: all(len(sink.taken) >= len(want) for sink, want in zip(self.beats, wanted, strict=True))  # noqa: E731
        cycles = await self.run_until(done, limit)
        assert [sink.taken for sink in self.beats] == wanted
        return cycles

    async def flush(self) -> None:
        """Hold flush until the reader is idle, as the engine does."""
        await FallingEdge(self.dut.clk_i)
        self.dut.flush_i.value = 1
        for commands in self.commands:
            commands.clear()
            commands.valid.write(0)
        for beats in self.beats:
            beats.clear()
        await self.run_until(lambda: int(self.dut.idle_o.value) == 1, 6000)
        await FallingEdge(self.dut.clk_i)
        self.dut.flush_i.value = 0
        assert not any(beats.taken for beats in self.beats)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.6], pause=[0.0, 0.5])
async def gives_each_port_its_bytes_in_order(dut: Any, idle: float, stall: float, pause: float) -> None:
    tb = TB(dut, idle, stall, pause)
    await tb.start(flush_i=0)
    wanted: list[Beats] = []
    for port in range(PORTS):
        sizes = random.sample((1, 2, 63, 64, 65, 200), 6)
        wanted.append([beat for beats in sizes for beat in tb.random_transfer(beats, port)])
        wanted[port] += tb.read(4096 - tb.beat_bytes, 3, port) + tb.read(8192, 4096 // tb.beat_bytes, port)
    await tb.finish(wanted, 20 * sum(map(len, wanted)))
    await tb.step(3)
    assert int(dut.idle_o.value) == 1
    assert not any(errors.taken for errors in tb.errors)


@cocotb.test()
@cocotb.parametrize((("port", "most"), [(0, 1100), (1, 1800)]))
async def streams_without_gaps(dut: Any, port: int, most: int) -> None:
    """Several bursts are under way: the latency of the memory shows only once, or seldom where few may be."""
    tb = TB(dut, 0.0, 0.0, 0.0)
    await tb.start(flush_i=0)
    wanted: list[Beats] = [[], []]
    for _ in range(4):
        wanted[port] += tb.read(64 * tb.beat_bytes * random.randrange(100), 256, port)
    assert await tb.finish(wanted, 2400) < most


@cocotb.test()
async def the_second_port_gets_what_the_first_leaves(dut: Any) -> None:
    """The first takes three beats in four, the other everything it gets."""
    tb = TB(dut, 0.0, 0.0, 0.0)
    await tb.start(flush_i=0)
    tb.beats[0].stall = 0.25
    for port in range(PORTS):
        tb.read(0, 1024, port)
    cycles = await tb.run_until(lambda: len(tb.beats[0].taken) == 1000, 2400)
    assert cycles < 1000 / 0.75 * 1.08
    assert len(tb.beats[1].taken) > 0.15 * cycles


@cocotb.test()
@cocotb.parametrize(port=[0, 1])
async def a_port_that_takes_nothing_does_not_block_the_other(dut: Any, port: int) -> None:
    tb = TB(dut)
    await tb.start(flush_i=0)
    tb.beats[port].stall = 1.0
    wanted: list[Beats] = [[], []]
    held = tb.random_transfer(900, port)
    await tb.step(1500)
    wanted[1 - port] = tb.random_transfer(700, 1 - port)
    await tb.finish(wanted, 5000)
    tb.beats[port].stall = 0.0
    wanted[port] = held
    await tb.finish(wanted, 5000)


@cocotb.test()
async def the_second_port_asks_for_no_beat_too_many(dut: Any) -> None:
    """It takes about as many beats as a burst has, then none until every burst has come."""
    tb = TB(dut, 0.0, 0.0, 0.0)
    await tb.start(flush_i=0)
    for beats in range(14, 19):
        wanted: list[Beats] = [[], tb.random_transfer(100, 1)]
        await tb.run_until(lambda beats=beats: len(tb.beats[1].taken) == beats, 200)
        tb.beats[1].stall = 1.0
        await tb.step(100)
        tb.beats[1].stall = 0.0
        await tb.finish(wanted, 400)
        tb.beats[1].clear()


@cocotb.test()
@cocotb.parametrize(port=[0, 1])
async def reports_bad_responses(dut: Any, port: int) -> None:
    tb = TB(dut)
    await tb.start(flush_i=0)
    tb.read(BAD_FROM - tb.beat_bytes, 3, port)
    tb.random_transfer(50, 1 - port)
    await tb.run_until(lambda: [len(sink.taken) for sink in tb.beats] == ([3, 50] if port == 0 else [50, 3]), 800)
    assert len(tb.errors[port].taken) == 2
    assert not tb.errors[1 - port].taken


@cocotb.test()
@cocotb.parametrize(stall=[0.3, 1.0])
async def flush_completes_what_the_bus_has_seen(dut: Any, stall: float) -> None:
    tb = TB(dut, 0.0, stall)
    await tb.start(flush_i=0)
    for beats in (1, 70, 300):
        for port in range(PORTS):
            tb.random_transfer(500, port)
        await tb.step(3 + beats)
        await tb.flush()
        for sink in tb.beats:
            sink.stall = 0.2
        await tb.finish([tb.random_transfer(40, port) for port in range(PORTS)], 1000)
        for sink in tb.beats:
            sink.clear()
            sink.stall = stall
