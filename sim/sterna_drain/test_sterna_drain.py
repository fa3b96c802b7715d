"""Bench of sterna_drain: random passes over random accumulators against the model, with random stalls."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from sim.sterna_cluster.model import Unit, Word, drain
from sim.sterna_cluster.stimulus import Shape, random_command
from sim.sterna_cluster.test_sterna_cluster import pass_fields, word
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack

PARAMETERS = [
    {"Lanes": 5},
    {"Lanes": 67, "Units": 2, "Slots": 4, "ActW": 5, "AccW": 14, "MulW": 9, "FmAddrW": 10},
]
#: Cycles from a read to its data.
READ_LATENCY = 3


class Units:
    """Accumulators behind the read port; a pass ends some time after the half it needs is free."""

    def __init__(self, tb: TB, slow: float) -> None:
        self.tb, self.slow = tb, slow
        self.coming: list[list[Unit]] = []
        self.halves: list[list[Unit] | None] = [None, None]
        self.fill = 0
        self.answers: list[tuple[int, int] | None] = [None] * READ_LATENCY

    def drive(self) -> None:
        """End the next pass, show what was read three cycles ago."""
        dut = self.tb.dut
        if self.coming and self.halves[self.fill] is None and random.random() >= self.slow:
            self.halves[self.fill] = self.coming.pop(0)
            self.fill ^= 1
        dut.ended_i.value = sum((self.halves[i] is not None) << i for i in range(2))
        answer = self.answers.pop(0)
        for unit in range(self.tb.shape.units):
            dut.data_i[unit].value = answer[1] if answer is not None and answer[0] == unit else 0

    def sample(self) -> None:
        """Take a read; a half is gone when it is freed."""
        dut, shape = self.tb.dut, self.tb.shape
        read = int(dut.read_o.value)
        if read:
            half, slot = divmod(int(dut.read_address_o.value), shape.slots)
            units, unit = self.halves[half], read.bit_length() - 1
            assert read == 1 << unit and units is not None, "a read of a pass that has not ended"
            self.answers.append((unit, pack(units[unit].slot(slot).tolist(), shape.acc_w)))
            self.tb.reads += 1
        else:
            self.answers.append(None)
        free = int(dut.free_o.value)
        for half in range(2):
            if free >> half & 1:
                assert self.halves[half] is not None, "a half is freed twice"
                self.halves[half] = None


class TB(Bench):
    """A drain between units, passes, table and feature memory."""

    def __init__(self, dut: Any, slow: float, stall: float) -> None:
        super().__init__(dut)
        self.shape = Shape(
            lanes=int(dut.Lanes.value), units=int(dut.Units.value), slots=int(dut.Slots.value), block_lines=0,
            act_w=int(dut.ActW.value), acc_w=int(dut.AccW.value), mul_w=int(dut.MulW.value),
            address_w=int(dut.FmAddrW.value), chunk_bytes=0,
        )
        self.units = Units(self, slow)
        self.table = Source(
            Field(dut.table_valid_i), None,
            {"half": Field(dut.table_half_i), "index": Field(dut.table_index_i),
             "data": Field(dut.table_data_i)}, 0.0,
        )
        self.passes = Source(Field(dut.pass_valid_i), Field(dut.pass_ready_o), pass_fields(dut), slow)
        self.writes = Sink(
            Field(dut.write_valid_o), Field(dut.write_ready_i),
            {"address": Field(dut.write_addr_o), "strobe": Field(dut.write_strobe_o),
             "data": Field(dut.write_data_o)}, stall,
        )
        self.reads = self.done = 0
        self.agents = [self.units, self.table, self.passes, self.writes, self]

    def drive(self) -> None:
        """Nothing of its own to drive."""

    def sample(self) -> None:
        """Count the passes done."""
        self.done += int(self.dut.done_o.value)

    def random_units(self) -> list[Unit]:
        """Units with random accumulators, some untouched."""
        limit = 1 << self.shape.acc_w - 1
        units = []
        for _ in range(self.shape.units):
            unit = Unit(self.shape.lanes, self.shape.slots, self.shape.acc_w)
            for slot in random.sample(range(self.shape.slots), random.randint(0, self.shape.slots)):
                values = [random.choice([-limit, limit - 1, random.randrange(-limit, limit)])
                          for _ in range(self.shape.lanes)]
                unit.accumulators[slot] = np.array(values, np.int64)
            units.append(unit)
        return units

    async def check(self, count: int, limit: int, **fixed: int) -> tuple[int, list[Word]]:
        """Drain `count` random passes with the command fields `fixed`, two tables in turn; compare the words.

        Returns the cycles it took and the words.
        """
        expected: list[Word] = []
        cycles = 0
        for _ in range(0, count, 2):
            before = self.done
            for half in range(2):
                command, table = random_command(self.shape, half, **fixed)
                units = self.random_units()
                expected += drain(units, command, table, self.shape.act_w, self.shape.address_w)
                self.table.send({"half": half, "index": i, "data": entry} for i, entry in enumerate(table))
                await self.run_until(lambda: not self.table.queue, 1000)
                self.units.coming.append(units)
                self.passes.send([command])
            cycles += await self.run_until(lambda before=before: self.done == before + 2, limit)
        await self.step(20)
        taken = [word(item, self.shape) for item in self.writes.taken]
        for index, (got, want) in enumerate(zip(taken, expected, strict=False)):
            assert got == want, f"word {index}: {got} instead of {want}"
        assert len(taken) == len(expected)
        return cycles, expected


@cocotb.test()
@cocotb.parametrize(slow=[0.0, 0.8], stall=[0.0, 0.8])
async def equals_the_model(dut: Any, slow: float, stall: float) -> None:
    tb = TB(dut, slow, stall)
    await tb.start(ended_i=0)
    await tb.check(12, 20000)


@cocotb.test()
async def reads_a_slot_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(ended_i=0)
    slots = tb.shape.units * tb.shape.slots
    cycles, _ = await tb.check(2, 1000, write=1, pool=0, filters=slots)
    assert tb.reads == 2 * slots
    # The first pass is read while the second table is written; so only the second one's time counts.
    assert cycles <= slots + 20
