"""Bench of sterna_distributor: random records, every fetch word and every chunk arrives where it belongs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack

from sterna.spec.tape import RECORD_HEADER, RecordKind, pad

PARAMETERS = [
    {"DataW": 64, "Clusters": 2, "Pes": 4, "ChunkBytes": 4},
    {"DataW": 256, "Clusters": 4, "Pes": 8, "ChunkBytes": 4},
    {"DataW": 128, "Clusters": 1, "Pes": 4, "ChunkBytes": 8},
    {"DataW": 128, "Clusters": 1, "Pes": 4, "ChunkBytes": 4},
]
#: A payload is smaller.
PAYLOAD_END = 1 << 32


class TB(Bench):
    """Beats of records in; a sink for beats of fetch words and one for each PE of each cluster."""

    def __init__(self, dut: Any, idle: float = 0.3, stall: float = 0.3) -> None:
        super().__init__(dut)
        self.clusters, self.pes = int(dut.Clusters.value), int(dut.Pes.value)
        self.beat_bytes, self.chunk_bytes = len(dut.beat_data_i) // 8, int(dut.ChunkBytes.value)
        beat = {"data": Field(dut.beat_data_i)}
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), beat, idle)
        fetch = {"data": Field(dut.fetch_data_o), "words": Field(dut.fetch_words_o)}
        self.fetches = Sink(Field(dut.fetch_valid_o), Field(dut.fetch_ready_i), fetch, stall)
        self.chunks = [[self._pe(c, u, stall) for u in range(self.pes)] for c in range(self.clusters)]
        self.agents = [self.beats, self.fetches, *(sink for cluster in self.chunks for sink in cluster)]
        self.wanted_fetches: list[dict[str, int]] = []
        self.wanted_chunks: list[list[list[dict[str, int]]]] = [
            [[] for _ in range(self.pes)] for _ in range(self.clusters)
        ]

    def _pe(self, cluster: int, pe: int, stall: float) -> Sink:
        bit = cluster * self.pes + pe
        width = 8 * self.chunk_bytes
        data = {"data": Field(self.dut.chunk_data_o, bit * width, width)}
        valid, ready = Field(self.dut.chunk_valid_o, bit, 1), Field(self.dut.chunk_ready_i, bit, 1)
        return Sink(valid, ready, data, stall)

    def send(self, kind: int, count: int, data: bytes = b"") -> None:
        """Queue a record."""
        header = pad(RECORD_HEADER.to_bytes(kind=kind, count=count), self.beat_bytes)
        record = header + pad(data, self.beat_bytes)
        starts = range(0, len(record), self.beat_bytes)
        self.beats.send(
            {"data": int.from_bytes(record[at : at + self.beat_bytes], "little")} for at in starts
        )

    def fetch(self, words: Sequence[int]) -> None:
        """Queue a FETCH record."""
        for at in range(0, len(words), self.beat_bytes // 8):
            part = words[at : at + self.beat_bytes // 8]
            self.wanted_fetches.append({"data": pack(part, 64), "words": len(part)})
        self.send(RecordKind.FETCH, len(words), b"".join(word.to_bytes(8, "little") for word in words))

    def rounds(self, count: int, tiles_at_once: int) -> None:
        """Queue a ROUNDS record of random chunks."""
        groups = self.clusters // tiles_at_once
        data = b""
        for _ in range(count):
            for stream in range(groups * self.pes):
                chunk = random.randbytes(self.chunk_bytes)
                data += chunk
                for cluster in range(self.clusters):
                    if cluster // tiles_at_once == stream // self.pes:
                        item = {"data": int.from_bytes(chunk, "little")}
                        self.wanted_chunks[cluster][stream % self.pes].append(item)
        self.send(RecordKind.ROUNDS, count, data)

    def round_beats(self, tiles_at_once: int) -> int:
        """Beats of a round."""
        return self.clusters // tiles_at_once * self.pes * self.chunk_bytes // self.beat_bytes

    async def finish(self) -> None:
        """Run until all records have passed, and check what arrived."""
        await self.run_until(lambda: not self.beats.queue and int(self.dut.idle_o.value) == 1, 8000)
        assert self.fetches.taken == self.wanted_fetches
        for cluster, wanted in zip(self.chunks, self.wanted_chunks, strict=True):
            assert [sink.taken for sink in cluster] == wanted


def tiles_log2_values(dut: Any) -> range:
    """Legal values of tiles_log2_i."""
    return range(int(dut.Clusters.value).bit_length())


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.4], stall=[0.0, 0.2, 0.6])
async def hands_everything_to_its_place(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        await FallingEdge(dut.clk_i)
        dut.tiles_log2_i.value = tiles_log2
        for _ in range(4):
            tb.fetch([random.getrandbits(64) for _ in range(random.randint(1, 9))])
            tb.rounds(random.randint(1, 6), 1 << tiles_log2)
        await tb.finish()


@cocotb.test()
async def takes_a_beat_per_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        await FallingEdge(dut.clk_i)
        dut.tiles_log2_i.value = tiles_log2
        tb.rounds(30, 1 << tiles_log2)
        tb.fetch([random.getrandbits(64) for _ in range(40)])
        # A round of one beat waits until it is known that the one before is taken.
        cycles = len(tb.beats.queue) + (30 if tb.round_beats(1 << tiles_log2) == 1 else 0)
        assert await tb.run_until(lambda: not tb.beats.queue, 1000) <= cycles + 2
        await tb.finish()


@cocotb.test()
async def short_records_follow_each_other_without_gaps(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    # Rounds of one beat come every other cycle.
    waits = 0
    for words in range(1, 4 * tb.beat_bytes // 8 + 1):
        tb.fetch([random.getrandbits(64) for _ in range(words)])
        tb.rounds(1 + words % 3, 1)
        waits += words % 3 if tb.round_beats(1) == 1 else 0
    cycles = len(tb.beats.queue) + waits
    assert await tb.run_until(lambda: not tb.beats.queue, 1000) <= cycles + 2
    await tb.finish()


@cocotb.test()
async def a_slow_pe_holds_only_what_is_behind_it(dut: Any) -> None:
    """One beat of the next PEs passes it, in the other register."""
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    slow = tb.chunks[0][tb.pes - 1]
    slow.stall = 1.0
    tb.rounds(3, 1)
    await tb.step(40)
    assert len(tb.chunks[0][0].taken) == (2 if tb.round_beats(1) == 2 else 1)
    assert not slow.taken
    slow.stall = 0.0
    await tb.finish()


@cocotb.test()
@cocotb.parametrize(
    record=[
        (0, 1), (3, 1), (RecordKind.ROUNDS, 0), (RecordKind.FETCH, 0), (RecordKind.ROUNDS, 1 << 55),
        (RecordKind.ROUNDS, None), (RecordKind.FETCH, None),
    ]
)
async def a_bad_record_stops_the_stream(dut: Any, record: tuple[int, int | None]) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    kind, count = record
    if count is None:  # the least that no payload can hold
        count = PAYLOAD_END // (8 if kind == RecordKind.FETCH else tb.beat_bytes)
    tb.send(kind, count)
    tb.fetch([1, 2, 3])
    await tb.step(30)
    assert tb.beats.sent <= 3, "the record and what fits the queue"
    assert not tb.fetches.taken
    assert int(dut.idle_o.value) == 0
    await tb.clear()
    tb.wanted_fetches.clear()
    tb.fetch([4])
    await tb.finish()
