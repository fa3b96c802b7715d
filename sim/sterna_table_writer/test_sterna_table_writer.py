"""Bench of sterna_table_writer: each word meets the tables of its filter group, padding meets none."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"Clusters": 4, "Entries": 32}, {"Clusters": 1, "Entries": 16}]


class TB(Bench):
    """Words in; a watcher for the table of each cluster."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.clusters = int(dut.Clusters.value)
        self.words = Source(Field(dut.word_valid_i), None, {})
        index = {"index": Field(dut.table_index_o)}
        self.tables = [Sink(Field(dut.table_valid_o, c, 1), None, index) for c in range(self.clusters)]
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self.words, *self.tables]


@cocotb.test()
async def writes_each_filter_group(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(start_i=0, filters_i=0, tiles_log2_i=0)
    entries = int(dut.Entries.value)
    for filters in (1, 2, entries, random.randint(1, entries)):
        for tiles_log2 in range(tb.clusters.bit_length()):
            for table in tb.tables:
                table.clear()
            tb.inputs.pulse("start_i", filters_i=filters, tiles_log2_i=tiles_log2)
            await tb.step()
            padding = random.choice([0, 7, 3 * entries])
            count = filters * (tb.clusters >> tiles_log2) + padding
            sent = tb.words.sent
            tb.words.send({} for _ in range(count))
            await tb.run_until(lambda end=sent + count: tb.words.sent == end, 10 * count + 20)
            for table in tb.tables:
                assert table.taken == [{"index": i} for i in range(filters)]


@cocotb.test()
async def groups_follow_each_other(dut: Any) -> None:
    """The order over clusters: all words of a filter group before the first of the next."""
    tb = TB(dut)
    await tb.start(start_i=0, filters_i=3, tiles_log2_i=0)
    tb.inputs.pulse("start_i")
    await tb.step()
    tb.words.send({} for _ in range(3 * tb.clusters))
    for written in range(3 * tb.clusters):
        await tb.run_until(lambda end=written + 1: tb.words.sent == end, 50)
        assert [len(table.taken) for table in tb.tables] == [
            min(3, max(0, written + 1 - 3 * c)) for c in range(tb.clusters)
        ]
