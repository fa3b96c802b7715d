"""Bench of sterna_vector_loader: random steps and fetch words against their windows and vectors."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import pytest
from sim.support.inputs import Inputs
from sim.support.readers import WordReader
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import gather_word, pack, step_word

from sterna.spec.tape import AFTER_ALL, FETCH_WORD

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "Clusters": 2, "BufferVectors": 64, "ActW": 8, "DataW": 128},
    {"TileH": 3, "TileW": 3, "Clusters": 4, "BufferVectors": 32, "ActW": 5, "DataW": 512},
    {"TileH": 3, "TileW": 5, "Clusters": 1, "BufferVectors": 32, "ActW": 7, "DataW": 64},
]
GATHER_LATENCY = 15
#: From a beat of fetch words to the first vector of the last cluster.
LATENCY = GATHER_LATENCY + 12
FULL = 0b1111

Fetch = dict[str, int]


@dataclass(frozen=True)
class Step:
    """What the loader reads of a step."""

    tiles_h: int
    tiles_w: int
    at_once: int
    stride: int = 1

    @property
    def groups(self) -> int:
        """Passes of the step."""
        return -(-self.tiles_h * self.tiles_w // self.at_once)

    @property
    def word(self) -> int:
        """The step's fields; the rest is of no concern here."""
        return step_word(out_tiles_h=self.tiles_h, out_tiles_w=self.tiles_w, tiles_at_once=self.at_once,
                         gather_stride=self.stride)


class TB(Bench):
    """Fetch words in; windows, words and vectors of each cluster out; and the model of both."""

    def __init__(self, dut: Any, idle: float = 0.0, stalls: Sequence[float] = (0.0,) * 4, *,
                 read_stall: float = 0.0) -> None:
        super().__init__(dut)
        self.lanes, self.act_w = int(dut.TileH.value) * int(dut.TileW.value), int(dut.ActW.value)
        self.clusters, self.buffer_vectors = int(dut.Clusters.value), int(dut.BufferVectors.value)
        self.beat_words = int(dut.DataW.value) // 64
        self.inputs = Inputs(dut)
        self.fetches = Source(Field(dut.fetch_valid_i), Field(dut.fetch_ready_o),
                              {"data": Field(dut.fetch_data_i), "words": Field(dut.fetch_words_i)}, idle)
        self.reader = WordReader(dut, "read_o", GATHER_LATENCY, read_stall, ahead=True)
        self.vectors = [
            Sink(Field(dut.vector_valid_o, c, 1), Field(dut.vector_ready_i, c, 1), {
                "vector": Field(dut.vector_data_o[c])}, stalls[c])
            for c in range(self.clusters)
        ]
        self.idle = Field(dut.idle_o)
        self.agents = [self.inputs, self.fetches, self.reader, *self.vectors]
        self.windows: list[int] = []
        self.expected: list[list[dict[str, int]]] = [[] for _ in range(self.clusters)]

    async def reset(self) -> None:
        """Start with all inputs quiet."""
        await self.start(start_i=0, word_next_i=0, read_ready_i=0, step_i=0, written_i=0)

    def random_step(self) -> Step:
        """A map of a few tiles, often narrower than a tile group."""
        at_once = random.choice([t for t in (1, 2, 4) if t <= self.clusters])
        return Step(random.randint(1, 5), random.randint(1, 6), at_once, random.choice((1, 2)))

    def random_pass(self) -> list[Fetch]:
        """Fetch words of a pass that wait for nothing."""
        count = random.randint(1, self.buffer_vectors)
        return [
            {
                "plane": random.getrandbits(24), "mask": random.randint(1, FULL),
                "tile_row": random.randint(-128, 127), "row": random.getrandbits(4),
                "tile_col": random.randint(-128, 127), "col": random.getrandbits(4),
                "last_in_pass": int(i == count - 1),
            }
            for i in range(count)
        ]

    def same_pass(self, count: int, mask: int) -> list[Fetch]:
        """A pass of `count` random windows with the same mask."""
        return [{"plane": random.getrandbits(24), "mask": mask, "last_in_pass": int(i == count - 1)}
                for i in range(count)]

    def send(self, fetches: Sequence[Fetch]) -> None:
        """Queue the fetch words in beats, some of them not full."""
        at = 0
        while at < len(fetches):
            count = self.beat_words if random.random() < 0.7 else random.randint(1, self.beat_words)
            part = fetches[at : at + count]
            self.fetches.send([{"data": pack([FETCH_WORD.pack(**f) for f in part], 64), "words": len(part)}])
            at += len(part)

    def begin(self, step: Step, fetches: list[Fetch], passes: int | None = None) -> None:
        """Send `fetches` for each pass of the step and note what must come of them."""
        self.inputs.pulse("start_i", step_i=step.word)
        for group in range(step.groups if passes is None else passes):
            self.send(fetches)
            for fetch in fetches:
                for position in range(step.at_once):
                    self._expect(step, fetch, position, group * step.at_once + position)

    def _expect(self, step: Step, fetch: Fetch, position: int, tile: int) -> None:
        row, col = divmod(min(tile, step.tiles_h * step.tiles_w - 1), step.tiles_w)
        window = gather_word(
            plane=fetch["plane"], row=fetch.get("row", 0), col=fetch.get("col", 0),
            tile_row=row * step.stride + fetch.get("tile_row", 0),
            tile_col=col * step.stride + fetch.get("tile_col", 0),
        )
        self.windows.append(window)
        word = self.reader.answers.setdefault(window, random.getrandbits(self.lanes * 4 * self.act_w))
        vector_w = self.lanes * self.act_w
        vectors = [{"vector": word >> (c * vector_w) & (1 << vector_w) - 1} for c in range(4) if fetch["mask"] >> c & 1]
        for cluster in range(position, self.clusters, step.at_once):
            self.expected[cluster] += vectors

    def done(self) -> bool:
        """All vectors that must come have come."""
        return all(len(sink.taken) >= len(want) for sink, want in zip(self.vectors, self.expected, strict=True))

    async def finish(self, limit: int = 20000) -> int:
        """Run until all vectors are there and the loader is idle, compare; returns the cycles until the last vector."""
        cycles = await self.run_until(self.done, limit)
        await self.run_until(lambda: bool(self.idle.read()), 50)
        assert not self.fetches.queue, "all fetch words are walked"
        self.check()
        return cycles

    def check(self) -> None:
        """Compare windows and vectors with the model."""
        assert self.reader.windows == self.windows, "windows differ"
        for cluster, (sink, want) in enumerate(zip(self.vectors, self.expected, strict=True)):
            assert len(sink.taken) == len(want), f"cluster {cluster}: {len(sink.taken)} vectors, not {len(want)}"
            for i, (got, vector) in enumerate(zip(sink.taken, want, strict=True)):
                assert got == vector, f"cluster {cluster} vector {i}: {got}, not {vector}"
        self.forget()

    def forget(self) -> None:
        """Nothing is expected any more."""
        self.windows.clear()
        self.reader.windows.clear()
        for sink, want in zip(self.vectors, self.expected, strict=True):
            sink.taken.clear()
            want.clear()


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5], read_stall=[0.0, 0.4])
async def loads_random_steps(dut: Any, idle: float, stall: float, read_stall: float) -> None:
    tb = TB(dut, idle, [random.random() * 2 * stall * 0.9 for _ in range(4)], read_stall=read_stall)
    await tb.reset()
    for _ in range(5):
        step = tb.random_step()
        tb.begin(step, tb.random_pass())
        await tb.finish()


@cocotb.test()
async def walks_every_shape_of_map(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    for at_once in (t for t in (1, 2, 4) if t <= tb.clusters):
        for tiles_h, tiles_w in ((1, 1), (7, 1), (1, 7), (3, 2), (2, 3), (4, 5)):
            step = Step(tiles_h, tiles_w, at_once, 1)
            tb.begin(step, tb.same_pass(1, 1))
            await tb.finish()


@cocotb.test()
async def gives_a_vector_a_cycle_to_every_cluster(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    for at_once, mask in ((1, FULL), (1, 0b0100), (1, 0b1010), (tb.clusters, FULL)):
        vectors = 128
        step = Step(1, at_once, at_once)
        tb.begin(step, tb.same_pass(vectors // mask.bit_count(), mask))
        assert await tb.finish() <= vectors + LATENCY


@cocotb.test()
async def goes_from_pass_to_pass_without_a_gap(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    for at_once in (t for t in (1, 2, 4) if t <= tb.clusters):
        step = Step(5, 4, at_once)
        tb.begin(step, tb.same_pass(4, FULL))
        assert await tb.finish() <= 16 * step.groups + LATENCY


@cocotb.test()
async def keeps_words_of_a_stalled_cluster(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    for stalled in range(tb.clusters):
        tb.begin(Step(2, 4, 1), tb.random_pass())
        tb.vectors[stalled].stall = 1.0
        await tb.step(300)
        assert tb.vectors[stalled].taken == []
        tb.vectors[stalled].stall = 0.0
        await tb.finish()


@cocotb.test()
async def queues_as_many_words_as_a_buffer_has_vectors(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    words = tb.buffer_vectors + 40 * tb.beat_words
    tb.begin(Step(1, 1, 1), tb.same_pass(words, 1))
    tb.reader.stall = 1.0
    await tb.step(2 * words)
    left = sum(item["words"] for item in tb.fetches.queue)
    assert tb.buffer_vectors <= words - left <= tb.buffer_vectors + 24 * tb.beat_words
    tb.reader.stall = 0.0
    await tb.finish()


@cocotb.test()
async def waits_until_enough_is_written(dut: Any) -> None:
    """Each fetch word is requested as soon as the step before has written what it says, and not earlier."""
    tb = TB(dut)
    await tb.reset()
    for at_once in (t for t in (1, 2, 4) if t <= tb.clusters):
        levels = [0, 3, 3, 700, 1022, AFTER_ALL]
        fetches = tb.same_pass(len(levels), FULL)
        for fetch, level in zip(fetches, levels, strict=True):
            fetch["after"] = level
        tb.inputs.set(written_i=0)
        tb.begin(Step(1, at_once, at_once), fetches)
        for written in (0, 2, 3, 699, 700, 1021, 1022, AFTER_ALL):
            tb.inputs.set(written_i=written)
            await tb.step(30)
            assert tb.reader.asked == at_once * sum(level <= written for level in levels)
        await tb.finish()


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.2, [0.3] * 4)
    await tb.reset()
    for cycles in (3, 10, 25, 60):
        tb.begin(tb.random_step(), tb.random_pass())
        await tb.step(cycles)
        await tb.clear()
        tb.reader.clear()
        tb.forget()
        await tb.step(GATHER_LATENCY + 5)
        assert all(sink.taken == [] for sink in tb.vectors) and tb.reader.asked == 0 and tb.idle.read()
        tb.begin(tb.random_step(), tb.random_pass())
        await tb.finish()


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    tb.begin(Step(1, 2, 1), tb.same_pass(3, FULL))
    vectors = tb.expected[-1]
    wrong = random.randrange(len(vectors))
    vectors[wrong] = {**vectors[wrong], "vector": vectors[wrong]["vector"] ^ 1 << random.randrange(tb.lanes * tb.act_w)}
    with pytest.raises(AssertionError, match=f"cluster {tb.clusters - 1} vector {wrong}:"):
        await tb.finish()
    tb.forget()
    tb.begin(Step(1, 2, 1), tb.same_pass(3, FULL))
    tb.windows[1] ^= 1
    with pytest.raises(AssertionError, match="windows differ"):
        await tb.finish()
