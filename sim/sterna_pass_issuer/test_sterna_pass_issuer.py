"""Bench of sterna_pass_issuer: the passes of random steps, and what is said to be drained."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink
from sim.support.words import pack, step_word

from sterna.generate.spec.systemverilog import PASS
from sterna.spec.tape import AFTER_ALL

PARAMETERS = [
    {"Clusters": 4, "Drains": 2, "FmAddrW": 10},
    {"Clusters": 1, "FmAddrW": 6},
    {"Clusters": 2, "Drains": 2, "FmAddrW": 8},
]


PASS_DEPTH = 4  # passes that a drain has room for


class Drains:
    """Ends the passes that each drain took, in order and at random times; it is never given more than it has room for.

    `rates` are the chances that a cycle ends a pass, by drain.
    """

    def __init__(self, dut: Any, passes: Sequence[Sink]) -> None:
        self.dut, self.passes, self.rates = dut, passes, [0.1] * len(passes)
        self.done = [0] * len(passes)
        self.limit = 1 << 30

    def outstanding(self) -> list[int]:
        """Passes taken and not ended, by drain."""
        return [len(sink.taken) - done for sink, done in zip(self.passes, self.done, strict=True)]

    def drive(self) -> None:
        pulses = 0
        for drain, left in enumerate(self.outstanding()):
            assert left <= PASS_DEPTH
            if left and random.random() < self.rates[drain] and self.done[drain] < self.limit:
                pulses |= 1 << drain
                self.done[drain] += 1
        self.dut.pass_done_i.value = pulses

    def sample(self) -> None:
        """Nothing to read."""


class TB(Bench):
    """A sink for the passes of each drain, which ends them."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.clusters, self.words = int(dut.Clusters.value), 1 << int(dut.FmAddrW.value)
        self.drain_count = int(dut.Drains.value)
        self.passes = [self._passes(drain) for drain in range(self.drain_count)]
        self.drains = Drains(dut, self.passes)
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self.drains, *self.passes]
        self.wanted: list[list[dict[str, int]]] = [[] for _ in range(self.drain_count)]

    @property
    def drain_clusters(self) -> int:
        """Clusters of a drain."""
        return self.clusters // self.drain_count

    def _passes(self, drain: int) -> Sink:
        bits = PASS.bits * self.drain_clusters
        return Sink(Field(self.dut.pass_valid_o, drain, 1), None, {"pass": Field(self.dut.pass_o, drain * bits, bits)})

    def drain_at(self, rate: float) -> None:
        """From now on each drain ends a pass at this rate."""
        self.drains.rates = [rate] * self.drain_count

    def output(self, name: str) -> int:
        """Value of an output."""
        return int(getattr(self.dut, name).value)

    async def issue(self, **fields: int) -> None:
        """Start on a step with random contents but for `fields`, when it may start."""
        await self.run_until(lambda: self.output("earlier_drained_o") == 1, 3000)
        tiles_log2 = random.randrange(self.clusters.bit_length())
        plane = random.randint(1, 12)
        step = {
            "tiles_at_once": 1 << tiles_log2, "out_plane": plane, "tile_groups": -(-plane >> tiles_log2),
            "pool": random.randint(0, 2), "activation": random.randint(0, 2), "shift": random.randint(0, 40),
            "filters": random.randint(1, 99), "group_words": random.randint(1, 3),
            "fm_base": random.randrange(self.words), "keep_base": random.randrange(self.words),
        } | fields
        half = random.randint(0, 1)
        for drain, wanted in enumerate(self.wanted):
            clusters = range(drain * self.drain_clusters, (drain + 1) * self.drain_clusters)
            for tile_group in range(step["tile_groups"]):
                passes = [PASS.pack(**self.fields(step, c, tile_group), table_half=half) for c in clusters]
                wanted.append({"pass": pack(passes, PASS.bits)})
        self.inputs.pulse(
            "start_i", step_i=step_word(**step), tiles_log2_i=step["tiles_at_once"].bit_length() - 1, table_half_i=half
        )
        await self.step(2)

    def fields(self, step: dict[str, int], cluster: int, tile_group: int) -> dict[str, int]:
        """The pass of a cluster."""
        group, tile = divmod(cluster, step["tiles_at_once"])
        offset = group * step["group_words"] * step["out_plane"]
        number = tile_group * step["tiles_at_once"] + tile
        return {name: step[name] for name in ("pool", "activation", "shift", "filters")} | {
            "write": number < step["out_plane"],
            "address": (step["fm_base"] + offset + number) % self.words,
            "keep_address": (step["keep_base"] + 4 * offset + number) % self.words,
            "plane": step["out_plane"],
        }

    async def issued(self) -> None:
        """Wait until the step's passes are all given; what the step was may then change."""
        await self.run_until(lambda: not self.output("issuing_o"), 3000)
        assert [sink.taken for sink in self.passes] == self.wanted
        self.inputs.set(
            step_i=random.getrandbits(len(self.dut.step_i)), tiles_log2_i=random.randint(0, 2),
            table_half_i=random.randint(0, 1),
        )


async def started(dut: Any) -> TB:
    """A bench out of reset; drained steps are noted at once."""
    tb = TB(dut)
    await tb.start(start_i=0, step_i=0, tiles_log2_i=0, table_half_i=0, table_ready_i=1, step_noted_i=1, word_i=0,
                   pass_done_i=0)
    return tb


@cocotb.test()
@cocotb.parametrize(rates=[(1.0, 1.0), (0.05, 0.05), (0.05, 1.0), (1.0, 0.05)])
async def gives_every_drain_its_passes(dut: Any, rates: tuple[float, float]) -> None:
    tb = await started(dut)
    tb.drains.rates = list(rates)
    for _ in range(12):
        await tb.issue()
        await tb.issued()
    await tb.run_until(lambda: tb.output("drained_o") == 1, 3000)
    assert tb.drains.outstanding() == [0] * tb.drain_count


@cocotb.test()
async def waits_for_the_table(dut: Any) -> None:
    tb = await started(dut)
    tb.inputs.set(table_ready_i=0)
    await tb.issue()
    await tb.step(20)
    assert not any(sink.taken for sink in tb.passes)
    tb.inputs.set(table_ready_i=1)
    await tb.issued()


@cocotb.test()
async def says_what_is_drained(dut: Any) -> None:
    tb = await started(dut)
    tb.drains.limit = 0
    noted = Sink(Field(dut.step_drained_o), None, {})
    tb.agents.append(noted)
    assert tb.output("drained_o") == 1
    first, second = 1, 3
    await tb.issue(tiles_at_once=tb.clusters, tile_groups=first)
    await tb.issued()
    assert (tb.output("drained_o"), tb.output("earlier_drained_o")) == (0, 1)
    await tb.issue(tiles_at_once=tb.clusters, tile_groups=second)
    await tb.issued()
    tb.drain_at(1.0)
    for done in range(first + second + 1):
        tb.drains.limit = done
        await tb.step(3)
        assert tb.output("earlier_drained_o") == (done >= first)
        assert tb.output("drained_o") == (done == first + second)
        assert len(noted.taken) == (done >= first) + (done == first + second)


@cocotb.test()
async def a_drained_step_waits_to_be_noted(dut: Any) -> None:
    tb = await started(dut)
    tb.drain_at(1.0)
    tb.inputs.set(step_noted_i=0)
    await tb.issue()
    await tb.issued()
    await tb.step(20)
    assert (tb.output("step_drained_o"), tb.output("drained_o")) == (1, 1)
    await tb.issue()
    await tb.issued()
    await tb.step(20)
    for left in (2, 1, 0):
        assert tb.output("step_drained_o") == (left > 0)
        assert tb.output("earlier_drained_o") == (left < 2)
        tb.inputs.pulse("step_noted_i")
        await tb.step(2)


async def written(tb: TB, count: int, drains: int) -> int:
    """What is said to be written after `count` more words of each of the `drains` (a bit for each)."""
    for _ in range(count):
        tb.inputs.set(word_i=drains)
        await tb.step()
    tb.inputs.set(word_i=0)
    await tb.step(4)
    return tb.output("written_o")


@cocotb.test()
async def counts_the_words_of_the_last_tile_group(dut: Any) -> None:
    """The lowest count of the drains that have not ended it; it counts up to what means that all have."""
    tb = await started(dut)
    tb.drain_at(1.0)
    tb.drains.limit, everyone = 0, (1 << tb.drain_count) - 1
    assert await written(tb, 0, 0) == AFTER_ALL
    for passes in range(1, 4):
        await tb.issue(tiles_at_once=1, tile_groups=1)
        await tb.issued()
        assert await written(tb, 5, everyone) == AFTER_ALL, "these are words of the current step"
        await tb.issue(tiles_at_once=1, tile_groups=1)
        await tb.issued()
        assert await written(tb, 0, 0) == 5
        assert await written(tb, 2, everyone) == 7
        assert await written(tb, 3, everyone & ~1) == 7
        assert await written(tb, 1, 1) == 8
        assert await written(tb, 1100, everyone) == AFTER_ALL - 1
        tb.drains.limit = 2 * passes - 1
        assert await written(tb, 0, 0) == AFTER_ALL
        tb.drains.limit = 2 * passes
        await tb.run_until(lambda: tb.output("drained_o") == 1, 100)


@cocotb.test()
async def words_of_earlier_tile_groups_do_not_count(dut: Any) -> None:
    tb = await started(dut)
    tb.drain_at(1.0)
    tb.drains.limit, everyone = 0, (1 << tb.drain_count) - 1
    await tb.issue(tiles_at_once=1, tile_groups=2)
    await tb.issued()
    await tb.issue(tiles_at_once=1, tile_groups=1)
    await tb.issued()
    assert await written(tb, 20, everyone) == 0
    tb.drains.limit = 1
    assert await written(tb, 0, 0) == 0
    assert await written(tb, 20, everyone) == 20
    tb.drains.limit = 2
    assert await written(tb, 0, 0) == AFTER_ALL


@cocotb.test()
async def waits_when_too_many_are_outstanding(dut: Any) -> None:
    tb = await started(dut)
    tb.drain_at(0.0)
    await tb.issue(tiles_at_once=1, tile_groups=100)
    for done in range(3):
        tb.drains.limit = done
        await tb.step(20)
        assert all(len(sink.taken) == PASS_DEPTH + done for sink in tb.passes)
        tb.drain_at(1.0)
    tb.drains.limit = 200
    await tb.issued()


@cocotb.test()
async def clear_forgets(dut: Any) -> None:
    tb = await started(dut)
    tb.drain_at(0.0)
    await tb.issue(tiles_at_once=1, tile_groups=9)
    await tb.clear()
    tb.wanted = [[] for _ in tb.wanted]
    tb.drains.done = [0] * tb.drain_count
    await tb.step()
    assert (tb.output("drained_o"), tb.output("issuing_o"), tb.output("step_drained_o")) == (1, 0, 0)
    tb.drain_at(0.5)
    await tb.issue()
    await tb.issued()
