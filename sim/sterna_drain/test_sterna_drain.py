"""Bench of sterna_drain: random passes over random accumulators against the model, with random turns to write."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from sim.sterna_cluster.model import Pe
from sim.sterna_drain.model import PHASES, Word, drain
from sim.sterna_drain.stimulus import (
    Shape,
    joined,
    moved,
    pass_fields,
    random_commands,
    random_general,
    random_pes,
    random_table,
    shape_of,
)
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.turns import Turns
from sim.support.words import pack, unpack_signed

from sterna.generate.spec.systemverilog import GENERAL
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import Pool

PARAMETERS = [
    {"Lanes": 5},
    {"Lanes": 67, "Clusters": 1, "Accumulators": 8, "ActW": 5, "AccW": 14, "MulW": 9, "FmAddrW": 10, "RowLatency": 21,
     "GeneralRequant": 1},
    {"Lanes": 2, "Clusters": 4, "Pes": 8, "Accumulators": 8, "RowLatency": 25, "GeneralRequant": 1},
    {"Lanes": 2, "Pes": 16, "Accumulators": 4, "ActW": 4, "AccW": 8},
]  # fmt: skip


def word(taken: dict[str, int], shape: Shape) -> Word:
    """A word taken from the write port, as the model gives it."""
    values = unpack_signed(taken["data"], shape.act_w, shape.lanes * WORD_CHANNELS)
    channels = [channel for channel in range(WORD_CHANNELS) if taken["strobe"] >> channel & 1]
    data = tuple(
        tuple(values[lane * WORD_CHANNELS + channel] for channel in channels) for lane in range(shape.lanes)
    )
    return Word(taken["address"], taken["strobe"], data)


class Pes:
    """Accumulators and row registers of all clusters, which end a pass some time after its half is free."""

    def __init__(self, tb: TB, slow: float) -> None:
        self.tb, self.slow = tb, slow
        self.clear()

    def clear(self) -> None:
        """Nothing has ended."""
        self.coming: list[list[Pe]] = []
        self.halves: list[list[Pe] | None] = [None, None]
        self.ended = self.fill = 0
        # Of the coming cycles, each a register for every PE.
        self.rows: list[list[int]] = [[0]] * int(self.tb.dut.RowLatency.value)

    def drive(self) -> None:
        """End the next pass, show the first row register."""
        dut = self.tb.dut
        if self.coming and self.halves[self.fill] is None and random.random() >= self.slow:
            self.halves[self.fill] = self.coming.pop(0)
            self.ended |= 1 << self.fill
            self.fill ^= 1
        dut.ended_i.value = self.ended
        dut.row_i.value = self.rows.pop(0)[0]

    def sample(self) -> None:
        """Take a read or a shift; a half is gone when it is freed."""
        dut, shape = self.tb.dut, self.tb.shape
        row = self.rows[-1]
        if int(dut.read_o.value):
            half, acc_index = divmod(int(dut.read_address_o.value), shape.accumulators)
            pes = self.halves[half]
            assert pes is not None, "read before its end"
            row = [pack(pe.accumulator(acc_index).tolist(), shape.acc_w) for pe in pes]
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
                self.ended &= ~(1 << half)


class Tables:
    """Writes the tables of the clusters, one entry per cycle: the first one's to all at once, then the others' own."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.queue: deque[tuple[int, int, int, int]] = deque()  # clusters (a bit each), half, index, data

    def fill(self, half: int, tables: list[list[int]]) -> None:
        """Queue the entries of one half; what an earlier write to all leaves in a table is overwritten."""
        everyone = (1 << len(tables)) - 1
        self.queue.extend((everyone, half, index, data) for index, data in enumerate(tables[0]))
        for cluster, table in enumerate(tables[1:], start=1):
            self.queue.extend((1 << cluster, half, index, data) for index, data in enumerate(table))

    def drive(self) -> None:
        """Write the next entry, or noise that is not valid."""
        dut = self.dut
        ports = (dut.table_half_i, dut.table_index_i, dut.table_data_i)
        noise = (0, *(random.getrandbits(len(port)) for port in ports))
        values = self.queue.popleft() if self.queue else noise
        for port, value in zip((dut.table_valid_i, *ports), values, strict=True):
            port.value = value

    def sample(self) -> None:
        """Nothing to watch."""


class TB(Bench):
    """A drain between PEs, passes, table and feature memory."""

    def __init__(self, dut: Any, slow: float, stall: float) -> None:
        super().__init__(dut)
        self.shape = shape_of(dut)
        self.pes = Pes(self, slow)
        self.tables = Tables(dut)
        fields = pass_fields(dut, self.shape.clusters) | {
            field.name: Field(dut.general_i, position, field.bits) for field, position in GENERAL.places()
        }
        self.passes = Source(Field(dut.pass_valid_i), None, fields, slow)
        self.writes = Sink(
            Field(dut.write_valid_o), None,
            {"address": Field(dut.write_addr_o), "strobe": Field(dut.write_strobe_o)},
            late={"data": Field(dut.write_data_o)},
        )
        self.reads = self.done = 0
        self.agents = [self.pes, self.tables, self.passes, Turns(dut, stall), self.writes, self]

    def drive(self) -> None:
        """Nothing of its own to drive."""

    def sample(self) -> None:
        """Count the passes done."""
        self.done += int(self.dut.done_o.value)

    def send(self, commands: list[dict[str, int]], tables: list[list[int]], general: dict[str, int]) -> list[Word]:
        """Let the PEs end a pass of random accumulators, and give it to the drain; returns its words."""
        clusters = [random_pes(self.shape) for _ in commands]
        self.pes.coming.append([pe for pes in clusters for pe in pes])
        self.passes.send([joined(commands) | general])
        return drain(clusters, commands, tables, general, self.shape.address_w)

    async def check(self, count: int, limit: int, **fixed: int) -> tuple[int, list[Word]]:
        """Drain random passes with the command fields `fixed`, `count` with each of two tables in turn, at once;
        compare the words.

        Returns the cycles it took from the last entry of the second table on, and the words.
        """
        expected: list[Word] = []
        before = self.done
        for half in range(2):
            commands = random_commands(self.shape, half, **fixed)
            tables = [random_table(self.shape, command) for command in commands]
            general = random_general(self.dut)
            self.tables.fill(half, tables)
            await self.run_until(lambda: not self.tables.queue, 4000)
            for _ in range(count):
                expected += self.send(moved(self.shape, commands, **fixed), tables, general)
        cycles = await self.run_until(lambda: self.done == before + 2 * count, limit)
        await self.step(20)
        taken = [word(item, self.shape) for item in self.writes.taken]
        self.writes.taken.clear()
        for index, (got, want) in enumerate(zip(taken, expected, strict=False)):
            assert got == want, f"word {index}: {got} instead of {want}"
        assert len(taken) == len(expected) and self.done == before + 2 * count
        return cycles, expected


@cocotb.test()
@cocotb.parametrize(slow=[0.0, 0.8], stall=[0.0, 0.8])
async def equals_the_model(dut: Any, slow: float, stall: float) -> None:
    tb = TB(dut, slow, stall)
    await tb.start(ended_i=0)
    for count in (1, 2, 2, 1):
        await tb.check(count, 20000)


@cocotb.test()
@cocotb.parametrize(pool=list(Pool))
async def gives_a_value_a_cycle(dut: Any, pool: Pool) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(ended_i=0)
    shape = tb.shape
    filters = shape.accumulators * shape.pes // (PHASES if pool else 1)
    cycles, _ = await tb.check(1, 4000, write=1, pool=pool, filters=filters)
    walks = 2 if pool == Pool.KEEP else 1
    assert tb.reads == 2 * shape.accumulators * walks
    needed = shape.accumulators * shape.pes * shape.clusters * walks
    # The first pass is read while the second table is written; so at least one pass's time counts, at most both.
    assert cycles <= 2 * needed + int(dut.RowLatency.value) + 40


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.1, 0.3)
    await tb.start(ended_i=0)
    for cycles in (1, 5, 20, 35, 50, 90):
        commands = random_commands(tb.shape, 0, write=1)
        tb.send(commands, [random_table(tb.shape, command) for command in commands], random_general(dut))
        await tb.step(cycles)
        await tb.clear()
        before = tb.done
        await tb.step(60)
        assert not tb.writes.taken and tb.done == before
    await tb.check(1, 4000)
