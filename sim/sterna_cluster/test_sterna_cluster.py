"""Bench of sterna_cluster: random passes against the model, with random stalls on every handshake."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_cluster.model import Word
from sim.sterna_cluster.stimulus import Pass, Shape, dense_pass, random_pass
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack, unpack_signed

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import Command

PARAMETERS = [
    {},
    {"TileH": 3, "TileW": 5, "Units": 2, "Slots": 4, "BlockLines": 16, "ActW": 4, "AccW": 12, "MulW": 8,
     "FmAddrW": 9, "ChunkBytes": 2, "FifoChunks": 2},
    {"TileH": 7, "TileW": 11, "Units": 8, "Slots": 32, "BlockLines": 128, "ActW": 6, "AccW": 32,
     "FmAddrW": 16, "ChunkBytes": 8, "FifoChunks": 16},
]

#: Low bits first, as in sterna_pkg.
PASS_FIELDS = {"write": 1, "table_half": 1, "pool": 1, "activation": 2, "shift": 6, "filters": 16,
               "address": 32, "plane": 32}


def pass_fields(dut: Any) -> dict[str, Field]:
    """The fields of the port `pass_i`."""
    fields, lsb = {}, 0
    for name, bits in PASS_FIELDS.items():
        fields[name] = Field(dut.pass_i, lsb, bits)
        lsb += bits
    return fields


def word(taken: dict[str, int], shape: Shape) -> Word:
    """A word taken from the write port, as the model gives it."""
    values = unpack_signed(taken["data"], shape.act_w, shape.lanes * WORD_CHANNELS)
    channels = [channel for channel in range(WORD_CHANNELS) if taken["strobe"] >> channel & 1]
    data = tuple(
        tuple(values[lane * WORD_CHANNELS + channel] for channel in channels) for lane in range(shape.lanes)
    )
    return Word(taken["address"], taken["strobe"], data)


class Tables:
    """Writes the table of each pass, then gives its command, once the pass before the last is done."""

    def __init__(self, tb: TB) -> None:
        self.tb = tb
        self.waiting: list[Pass] = []
        self.given = 0

    def drive(self) -> None:
        """Write the next table when its half is free, give the command when the table is written."""
        if self.tb.table.queue or self.tb.passes.queue or not self.waiting:
            return
        item = self.waiting[0]
        if self.tb.done < self.given - 1:
            return
        if self.tb.written != self.given + 1:
            self.tb.written = self.given + 1
            self.tb.table.send(
                {"half": item.command["table_half"], "index": index, "data": entry}
                for index, entry in enumerate(item.table)
            )
            return
        self.waiting.pop(0)
        self.given += 1
        self.tb.passes.send([item.command])

    def sample(self) -> None:
        """Nothing to watch."""


class TB(Bench):
    """All ports of a cluster."""

    def __init__(self, dut: Any, idle: float = 0.0, stall: float = 0.0) -> None:
        super().__init__(dut)
        units = int(dut.Units.value)
        self.shape = Shape(
            lanes=int(dut.TileH.value) * int(dut.TileW.value), units=units, slots=int(dut.Slots.value),
            block_lines=int(dut.BlockLines.value), act_w=int(dut.ActW.value), acc_w=int(dut.AccW.value),
            mul_w=int(dut.MulW.value), address_w=int(dut.FmAddrW.value),
            chunk_bytes=int(dut.ChunkBytes.value),
        )
        self.lines = Source(
            Field(dut.line_valid_i), Field(dut.line_ready_o),
            {"data": Field(dut.line_data_i), "last": Field(dut.line_last_i)}, idle,
        )
        width = 8 * self.shape.chunk_bytes
        self.chunks = [
            Source(
                Field(dut.chunk_valid_i, unit, 1), Field(dut.chunk_ready_o, unit, 1),
                {"data": Field(dut.chunk_data_i, unit * width, width)}, idle,
            )
            for unit in range(units)
        ]
        self.table = Source(
            Field(dut.table_valid_i), None,
            {"half": Field(dut.table_half_i), "index": Field(dut.table_index_i),
             "data": Field(dut.table_data_i)}, idle,
        )
        self.passes = Source(Field(dut.pass_valid_i), Field(dut.pass_ready_o), pass_fields(dut), idle)
        self.writes = Sink(
            Field(dut.write_valid_o), Field(dut.write_ready_i),
            {"address": Field(dut.write_addr_o), "strobe": Field(dut.write_strobe_o),
             "data": Field(dut.write_data_o)}, stall,
        )
        self.tables = Tables(self)
        self.written = 0
        self.done = 0
        self.words_at_done: list[int] = []
        self.counts = dict.fromkeys(("busy", "wait_lines", "wait_weights", "wait_drain"), 0)
        self.agents = [
            self.tables, self.table, self.passes, self.lines, *self.chunks, self.writes, self,
        ]

    def drive(self) -> None:
        """Nothing of its own to drive."""

    def sample(self) -> None:
        """Count what the units do and the passes done."""
        counts = {name: int(getattr(self.dut, f"{name}_o").value) for name in self.counts}
        assert sum(counts.values()) <= self.shape.units
        for name, count in counts.items():
            self.counts[name] += count
        if self.dut.pass_done_o.value:
            self.done += 1
            self.words_at_done.append(len(self.writes.taken))

    def give(self, item: Pass) -> None:
        """Queue all that goes into a pass."""
        for block in item.blocks:
            self.lines.send(
                {"data": pack(line, self.shape.act_w), "last": index == len(block) - 1}
                for index, line in enumerate(block)
            )
        for source, chunks in zip(self.chunks, item.chunks, strict=True):
            source.send({"data": int.from_bytes(chunk, "little")} for chunk in chunks)
        self.tables.waiting.append(item)

    async def check(self, passes: list[Pass], limit: int) -> int:
        """Run `passes` and compare every word; returns the cycles it took."""
        for item in passes:
            self.give(item)
        cycles = await self.run_until(lambda: self.done == len(passes), limit)
        await self.step(20)
        expected = [word for item in passes for word in item.words]
        taken = [word(item, self.shape) for item in self.writes.taken]
        for index, (got, want) in enumerate(zip(taken, expected, strict=False)):
            assert got == want, f"word {index}: {got} instead of {want}"
        assert len(taken) == len(expected)
        ends = [sum(len(p.words) for p in passes[: i + 1]) for i in range(len(passes))]
        assert self.words_at_done == ends, "a pass was done before its words were accepted"
        assert self.counts["busy"] == sum(item.additions for item in passes)
        return cycles


def random_passes(shape: Shape, count: int, entries: int) -> list[Pass]:
    """Passes that use the table halves in turn."""
    return [random_pass(shape, entries, index % 2) for index in range(count)]


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.2, 0.8], stall=[0.0, 0.8])
async def equals_the_model(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start()
    await tb.check(random_passes(tb.shape, 8, 60), 40000)


@cocotb.test()
async def works_again_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.1, 0.3)
    await tb.start()
    for _ in range(4):
        for item in random_passes(tb.shape, 3, 30):
            tb.give(item)
        await tb.step(random.randint(1, 400))
        await tb.clear()
        tb.tables.waiting.clear()
        tb.tables.given = tb.written = tb.done = 0
        tb.words_at_done.clear()
    tb.counts = dict.fromkeys(tb.counts, 0)
    await tb.check(random_passes(tb.shape, 4, 30), 20000)


@cocotb.test()
@cocotb.parametrize(density=[0.1, 0.2, 0.3, 0.6])
async def hardly_waits(dut: Any, density: float) -> None:
    tb = TB(dut)
    await tb.start()
    passes = [dense_pass(tb.shape, density, 6) for _ in range(2)]
    cycles = await tb.check(passes, 100000)
    needed = _needed(tb, passes)
    dut._log.info(f"density {density}: {cycles / needed:.3f} cycles for each that is needed, {tb.counts}")
    assert cycles <= 1.1 * needed + 60


def _needed(tb: TB, passes: list[Pass]) -> int:
    """Cycles without any wait: in each block the longest of a unit's entries, a pair's lines and the lines written."""
    total = 0
    for item in passes:
        entries = [_blocks(stream) for stream in item.chunks]
        for block, lines in enumerate(item.blocks):
            reads = [sum(entry >> 6 in (1, 2) for entry in unit[block]) for unit in entries]
            pairs = [a + b for a, b in zip(reads[::2], reads[1::2], strict=True)]
            total += max(*(len(unit[block]) for unit in entries), *pairs, len(lines))
    return total


def _blocks(stream: list[bytes]) -> list[list[int]]:
    """The entries of each block in `stream`."""
    blocks: list[list[int]] = [[]]
    for chunk in stream:
        for entry in chunk:
            blocks[-1].append(entry)
            if entry in (3 << 6 | Command.END_BLOCK, 3 << 6 | Command.END_PASS):
                blocks.append([])
                break
    return blocks[:-1]
