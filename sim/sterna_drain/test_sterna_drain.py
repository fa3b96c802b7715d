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

from sterna.spec.tape import Pool

PARAMETERS = [
    {"Lanes": 5},
    {"Lanes": 67, "Units": 2, "Slots": 4, "ActW": 5, "AccW": 14, "MulW": 9, "FmAddrW": 10},
    {"Lanes": 2, "Units": 8, "Slots": 8},
]
#: Cycles from a read or a shift to the row registers.
ROW_LATENCY = 5


class Units:
    """Accumulators and row registers; a pass ends some time after the half it needs is free."""

    def __init__(self, tb: TB, slow: float) -> None:
        self.tb, self.slow = tb, slow
        self.coming: list[list[Unit]] = []
        self.halves: list[list[Unit] | None] = [None, None]
        self.fill = 0
        self.rows: list[list[int]] = [[0]] * ROW_LATENCY  # of the coming cycles, each a register for every unit

    def drive(self) -> None:
        """End the next pass, show the first row register."""
        dut = self.tb.dut
        if self.coming and self.halves[self.fill] is None and random.random() >= self.slow:
            self.halves[self.fill] = self.coming.pop(0)
            self.fill ^= 1
        dut.ended_i.value = sum((self.halves[i] is not None) << i for i in range(2))
        dut.row_i.value = self.rows.pop(0)[0]

    def sample(self) -> None:
        """Take a read or a shift; a half is gone when it is freed."""
        dut, shape = self.tb.dut, self.tb.shape
        row = self.rows[-1]
        if int(dut.read_o.value):
            half, slot = divmod(int(dut.read_address_o.value), shape.slots)
            units = self.halves[half]
            assert units is not None, "a read of a pass that has not ended"
            row = [pack(unit.slot(slot).tolist(), shape.acc_w) for unit in units]
            self.tb.reads += 1
        if int(dut.shift_o.value):
            assert not int(dut.read_o.value)
            row = [*row[1:], 0]
        self.rows.append(row)
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
            lanes=int(dut.Lanes.value), units=int(dut.Units.value), slots=int(dut.Slots.value), buffer_lines=0,
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
@cocotb.parametrize(pool=list(Pool))
async def gives_a_value_a_cycle(dut: Any, pool: Pool) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(ended_i=0)
    channels = tb.shape.units * tb.shape.slots // (1 if pool == Pool.NONE else 4)
    cycles, _ = await tb.check(2, 4000, write=1, pool=pool, filters=channels)
    rows = channels // tb.shape.units
    assert tb.reads == 2 * rows * {Pool.NONE: 1, Pool.MAX: 4, Pool.KEEP: 8}[pool]
    # The first pass is read while the second table is written; so at least one pass's time counts, at most both.
    assert cycles <= 2 * channels * {Pool.NONE: 1, Pool.MAX: 4, Pool.KEEP: 8}[pool] + 40
