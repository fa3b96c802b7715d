"""Bench of sterna_shell: an engine's ports on one side, a host and a memory on the other, three clocks."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.bursts import BurstMemory, Bytes, ReadMaster, Rule, WriteMaster, sink, source
from sim.support.clocks import start
from sim.support.inputs import Inputs
from sim.support.streams import Bench

PARAMETERS = [
    {"EngineDataW": 128, "MemoryDataW": 128, "MemoryBeats": 16},
    {"EngineDataW": 128, "MemoryDataW": 512, "MemoryBeats": 64},
    {"EngineDataW": 256, "MemoryDataW": 64, "MemoryBeats": 16},
]
#: Periods of engine, registers and memory in ps.
CLOCKS = [(10_000, 13_690, 7_310), (10_000, 4_010, 3_750), (7_310, 20_030, 13_690), (10_000, 10_000, 10_000)]
LONGEST = 64
STATUS = 0x24

Clocks = tuple[int, int, int]


class Registers:
    """The engine's end of the registers: a write to STATUS ends the interrupt as it is answered, as in the engine."""

    def __init__(self, dut: Any) -> None:
        self.inputs = Inputs(dut)
        self.values: dict[int, int] = {}
        self._aw = sink(dut, "engine_axil", "aw", ("addr",), 0.2)
        self._w = sink(dut, "engine_axil", "w", ("data", "strb"), 0.2)
        self._b = source(dut, "engine_axil", "b", ("resp",), 0.0)
        self._ar = sink(dut, "engine_axil", "ar", ("addr",), 0.2)
        self._r = source(dut, "engine_axil", "r", ("data", "resp"), 0.2)
        self.agents = [self.inputs, self._aw, self._w, self._b, self._ar, self._r, Rule(self._serve)]

    def _serve(self) -> None:
        while self._aw.taken and self._w.taken:
            address, data = self._aw.taken.pop(0)["addr"], self._w.taken.pop(0)
            assert data["strb"] == 15
            self.values[address] = data["data"]
            self._b.send([{"resp": 0}])
            if address == STATUS:
                self.inputs.set(engine_irq_i=0)
        while self._ar.taken:
            self._r.send([{"data": self.values[self._ar.taken.pop(0)["addr"]], "resp": 0}])


class Host:
    """The host's end: one access at a time."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self._aw = source(dut, "s_axil", "aw", ("addr",), 0.2)
        self._w = source(dut, "s_axil", "w", ("data", "strb"), 0.2)
        self._b = sink(dut, "s_axil", "b", ("resp",), 0.2)
        self._ar = source(dut, "s_axil", "ar", ("addr",), 0.2)
        self._r = sink(dut, "s_axil", "r", ("data", "resp"), 0.2)
        #: The interrupt in the cycle of each answer of a write.
        self.irq_at_answer: list[int] = []
        self.agents = [self._aw, self._w, self._b, self._ar, self._r, Rule(self._look)]

    def _look(self) -> None:
        if len(self._b.taken) > len(self.irq_at_answer):
            self.irq_at_answer.append(int(self.dut.irq_o.value))

    async def write(self, bench: Bench, address: int, value: int) -> None:
        """Write a register."""
        answers = len(self._b.taken)
        self._aw.send([{"addr": address}])
        self._w.send([{"data": value, "strb": 15}])
        await bench.run_until(lambda: len(self._b.taken) > answers, 200)

    async def read(self, bench: Bench, address: int) -> int:
        """Read a register."""
        answers = len(self._r.taken)
        self._ar.send([{"addr": address}])
        await bench.run_until(lambda: len(self._r.taken) > answers, 200)
        return self._r.taken[-1]["data"]


class TB:
    """All of it."""

    def __init__(self, dut: Any, clocks: Clocks, pause: float = 0.3) -> None:
        engine_bytes, memory_bytes = int(dut.EngineDataW.value) // 8, int(dut.MemoryDataW.value) // 8
        self.content, self.written, self.engine_bytes = Bytes(), Bytes(), engine_bytes
        self.engine = Bench(dut, period=clocks[0])
        self.host_clock = Bench(dut, clock="registers_clk_i", period=clocks[1])
        self.memory = Bench(dut, clock="memory_clk_i", period=clocks[2])
        self.registers, self.host = Registers(dut), Host(dut)
        self.reads = ReadMaster(dut, "engine_axi", self.content, engine_bytes, pause=pause)
        self.writes = WriteMaster(dut, "engine_axi", self.written, engine_bytes, pause=pause)
        self.engine.agents = [*self.registers.agents, *self.reads.agents, *self.writes.agents]
        self.host_clock.agents = list(self.host.agents)
        longest = int(dut.MemoryBeats.value)
        ports = [BurstMemory(dut, each, memory_bytes, longest, pause=pause) for each in (self.content, self.written)]
        self.memory.agents = [*ports[0].agents[:3], *ports[1].agents[3:]]

    async def begin(self) -> None:
        """The host's cycles are those that are counted."""
        self.engine.dut.engine_irq_i.value = 0
        await start(self.host_clock, self.engine, self.memory)

    def ask(self, count: int) -> None:
        """So many reads and as many writes."""
        longest = min(LONGEST, 4096 // self.engine_bytes)
        for number in range(count):
            self.reads.read(*self.content.burst(self.engine_bytes, longest, bad=number % 7 == 6))
            self.writes.write(*self.written.burst(self.engine_bytes, longest, bad=number % 7 == 6))

    def done(self) -> bool:
        """All reads and writes are answered."""
        return self.reads.done() and self.writes.done()


@cocotb.test()
@cocotb.parametrize(clocks=CLOCKS)
async def reaches_memory_and_registers_at_once(dut: Any, clocks: Clocks) -> None:
    tb = TB(dut, clocks)
    await tb.begin()
    tb.ask(15)
    values = {4 * place: random.getrandbits(32) for place in random.sample(range(1024), 10)}
    for address, value in values.items():
        await tb.host.write(tb.host_clock, address, value)
    for address, value in values.items():
        assert await tb.host.read(tb.host_clock, address) == value
    await tb.host_clock.run_until(tb.done, 50_000)
    assert tb.written.data == tb.writes.wanted


@cocotb.test()
@cocotb.parametrize(clocks=CLOCKS)
async def a_host_that_ends_an_interrupt_sees_so_with_the_answer(dut: Any, clocks: Clocks) -> None:
    tb = TB(dut, clocks)
    await tb.begin()
    for _ in range(12):
        tb.registers.inputs.set(engine_irq_i=1)
        await tb.host_clock.run_until(lambda: int(dut.irq_o.value) == 1, 100)
        await tb.host.write(tb.host_clock, STATUS, 8)
        assert tb.host.irq_at_answer[-1] == 0


@cocotb.test()
async def an_interrupt_that_rises_as_it_is_ended_stays(dut: Any) -> None:
    """As the engine has it: a frame that ends in the cycle of the write wins."""
    tb = TB(dut, CLOCKS[0])
    await tb.begin()
    tb.registers.inputs.set(engine_irq_i=1)
    await tb.host_clock.run_until(lambda: int(dut.irq_o.value) == 1, 100)
    await tb.host.write(tb.host_clock, 0x20, 1)
    for _ in range(30):
        await tb.host_clock.step()
        assert int(dut.irq_o.value) == 1


@cocotb.test()
@cocotb.parametrize(clocks=CLOCKS)
async def works_again_after_a_reset_with_bursts_under_way(dut: Any, clocks: Clocks) -> None:
    """The memory, which is reset as well, forgets them too."""
    tb = TB(dut, clocks)
    await tb.begin()
    for cycles in (7, 40, 90):
        tb.ask(20)
        await tb.host_clock.step(cycles)
        tb.engine.agents[:] = [tb.registers.inputs]
        tb.host_clock.agents[:], tb.memory.agents[:] = [], []
        tb.registers.inputs.set(rst_ni=0)
        await tb.host_clock.step(10)
        names = ("m_axi_arvalid", "m_axi_awvalid", "m_axi_wvalid", "s_axil_bvalid", "s_axil_rvalid", "irq_o")
        assert not any(int(getattr(dut, name).value) for name in names)
        fresh = TB(dut, clocks)
        fresh.registers.inputs.set(rst_ni=1)
        for old, new in ((tb.engine, fresh.engine), (tb.host_clock, fresh.host_clock), (tb.memory, fresh.memory)):
            old.agents[:] = new.agents
        tb.registers, tb.host, tb.reads, tb.writes = fresh.registers, fresh.host, fresh.reads, fresh.writes
        tb.content, tb.written = fresh.content, fresh.written
        await tb.host_clock.step(20)
        tb.ask(3)
        await tb.host_clock.run_until(tb.done, 20_000)
        assert tb.written.data == tb.writes.wanted
