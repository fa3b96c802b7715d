"""Bench of sterna_table_writer: each word meets the tables of its filter group, padding meets none, and the words of
the next payload wait."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source

from sterna.spec.tape import ALIGN

ALIGN_WORDS = ALIGN // 8
PARAMETERS = [{"Clusters": 4, "Entries": 32}, {"Clusters": 1, "Entries": 16}]


class TB(Bench):
    """Words in; a watcher for the table of each cluster."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.clusters = int(dut.Clusters.value)
        self.words = Source(Field(dut.word_valid_i), Field(dut.word_ready_o), {})
        index = {"index": Field(dut.table_index_o), "half": Field(dut.table_half_o)}
        self.tables = [Sink(Field(dut.table_valid_o, c, 1), None, index) for c in range(self.clusters)]
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self.words, *self.tables]

    async def begin(self, filters: int, tiles_log2: int, half: int = 0) -> int:
        """Start on a payload; returns its words."""
        self.inputs.pulse("start_i", filters_i=filters, tiles_log2_i=tiles_log2, half_i=half)
        await self.step(2)
        # Inputs may change after the start.
        self.inputs.set(filters_i=random.randint(1, 16), tiles_log2_i=0, half_i=random.randint(0, 1))
        return -(-filters * (self.clusters >> tiles_log2) // ALIGN_WORDS) * ALIGN_WORDS

    def busy(self) -> int:
        """Whether words are awaited."""
        return int(self.dut.busy_o.value)


async def started(dut: Any) -> TB:
    """A bench out of reset."""
    tb = TB(dut)
    await tb.start(start_i=0, filters_i=1, tiles_log2_i=0, half_i=0, running_half_i=0)
    return tb


@cocotb.test()
async def writes_each_filter_group(dut: Any) -> None:
    tb = await started(dut)
    entries, waiting = int(dut.Entries.value), 0
    for filters in (1, 2, entries, *(random.randint(1, entries) for _ in range(4))):
        for tiles_log2 in range(tb.clusters.bit_length()):
            for table in tb.tables:
                table.clear()
            half, sent = random.randint(0, 1), tb.words.sent
            count = await tb.begin(filters, tiles_log2, half)
            following = random.randint(0, 3)
            tb.words.send({} for _ in range(count + following - waiting))
            waiting = following
            await tb.run_until(lambda end=sent + count: tb.words.sent == end, 10 * count + 20)
            await tb.step(10)
            assert tb.words.sent == sent + count, "the words of the next payload wait"
            assert not tb.busy()
            for table in tb.tables:
                assert table.taken == [{"index": i, "half": half} for i in range(filters)]


@cocotb.test()
async def groups_follow_each_other(dut: Any) -> None:
    """The order over clusters: all words of a filter group before the first of the next."""
    tb = await started(dut)
    words = await tb.begin(3, 0)
    tb.words.send({} for _ in range(words))
    for written in range(3 * tb.clusters):
        await tb.run_until(lambda end=written + 1: tb.words.sent == end, 50)
        assert tb.busy()
        assert [len(table.taken) for table in tb.tables] == [
            min(3, max(0, written + 1 - 3 * c)) for c in range(tb.clusters)
        ]


@cocotb.test()
async def clear_ends_a_payload(dut: Any) -> None:
    tb = await started(dut)
    await tb.begin(4, 0)
    tb.words.send([{}])
    await tb.step(20)
    assert tb.busy()
    await tb.clear()
    await tb.step(2)
    assert not tb.busy()
    for table in tb.tables:
        table.clear()
    tb.words.send({} for _ in range(await tb.begin(2, 0)))
    await tb.run_until(lambda: not tb.busy(), 200)
    assert all(table.taken == [{"index": i, "half": 0} for i in range(2)] for table in tb.tables)


@cocotb.test()
@cocotb.parametrize(half=[0, 1])
async def the_running_step_waits_for_its_own_table_only(dut: Any, half: int) -> None:
    tb = await started(dut)
    tb.inputs.set(running_half_i=1 - half)
    count = await tb.begin(3, 0, half)
    assert int(dut.ready_o.value) == 1
    tb.inputs.set(running_half_i=half)
    await tb.step(2)
    assert int(dut.ready_o.value) == 0
    tb.words.send({} for _ in range(count))
    await tb.run_until(lambda: tb.words.sent == count, 10 * count)
    assert int(dut.ready_o.value) == 0
    await tb.step()
    assert (int(dut.ready_o.value), tb.busy()) == (1, 0)
