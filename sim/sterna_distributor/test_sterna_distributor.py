"""Bench of sterna_distributor: random records; every fetch word arrives, and every round with each operation in its
place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import AheadSink, Bench, Field, Source
from sim.support.words import pack

from sterna.spec.tape import END_STREAM, ENTRY, WORD_STREAM, RecordKind

PARAMETERS = [
    {"DataW": 64, "Clusters": 2, "Pes": 4},
    {"DataW": 512, "Clusters": 4, "Pes": 4},
    {"DataW": 256, "Clusters": 4, "Pes": 8},
    {"DataW": 512, "Clusters": 1, "Pes": 4},
    {"DataW": 128, "Clusters": 1, "Pes": 16},
    {"DataW": 256, "Clusters": 2, "Pes": 4},
]
#: The most that a record's header can say.
MOST = (1 << 24) - 1
#: Beats of rounds that wait, at least; beats of any kind that wait before them. There may be room for one more.
ROUND_BEATS, BEATS = 30, 8


class Rounds(AheadSink):
    """Takes rounds, and issues them some time later, in order; what each does comes a cycle after that."""

    def __init__(self, dut: Any, stall: float) -> None:
        flags = {"word": Field(dut.round_word_o), "end": Field(dut.round_end_o)}
        super().__init__(Field(dut.round_valid_o), Field(dut.round_go_i), flags, stall)
        self.issue, self.entries = Field(dut.round_issue_i), Field(dut.round_o)
        self.clear()

    def clear(self) -> None:
        """Nothing was issued."""
        super().clear()
        self.issued = self.there = 0
        self._issues = self._issued = False
        self.issue.write(0)

    def drive(self) -> None:
        """Issue a round that came in a cycle before, if there is one."""
        super().drive()
        self._issued, self._issues = self._issues, self.issued < self.there and random.random() >= self.stall
        self.issue.write(self._issues)

    def sample(self) -> None:
        """See what the round does that was issued in the cycle before."""
        super().sample()
        self.there = len(self.taken)
        if self._issued:
            self.taken[self.issued - 1]["entries"] = self.entries.read()
        self.issued += self._issues


class TB(Bench):
    """Beats of records in; beats of fetch words and rounds out."""

    def __init__(self, dut: Any, idle: float = 0.3, stall: float = 0.3) -> None:
        super().__init__(dut)
        self.clusters, self.pes = int(dut.Clusters.value), int(dut.Pes.value)
        self.beat_bytes = len(dut.beat_data_i) // 8
        self.inputs = Inputs(dut)
        beat = {"data": Field(dut.beat_data_i)}
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), beat, idle)
        fetch = {"data": Field(dut.fetch_data_o), "words": Field(dut.fetch_words_o)}
        self.fetches = AheadSink(Field(dut.fetch_valid_o), Field(dut.fetch_go_i), fetch, stall)
        self.rounds = Rounds(dut, stall)
        self.agents = [self.inputs, self.beats, self.fetches, self.rounds]
        self.wanted_fetches: list[dict[str, int]] = []
        self.wanted_rounds: list[dict[str, int]] = []

    def send(self, kind: int, count: int, data: bytes = b"") -> None:
        """Queue a record; what fills its beats up means nothing."""
        header = (kind | count << 8).to_bytes(8, "little")
        for part in (header, data):
            filled = part + random.randbytes(-len(part) % self.beat_bytes)
            self.beats.send(
                {"data": int.from_bytes(filled[at : at + self.beat_bytes], "little")}
                for at in range(0, len(filled), self.beat_bytes)
            )

    def pad(self, beats: int) -> None:
        """Queue beats of zeros."""
        self.beats.send([{"data": 0}] * beats)

    def send_fetches(self, words: Sequence[int]) -> None:
        """Queue a FETCH record."""
        for at in range(0, len(words), self.beat_bytes // 8):
            part = words[at : at + self.beat_bytes // 8]
            self.wanted_fetches.append({"data": pack(part, 64), "words": len(part)})
        self.send(RecordKind.FETCH, len(words), b"".join(word.to_bytes(8, "little") for word in words))

    def send_rounds(self, count: int, tiles_log2: int) -> None:
        """Queue a ROUNDS record of random entries: a stream for each PE of each group of clusters."""
        streams = self.clusters * self.pes >> tiles_log2
        data = b""
        for _ in range(count):
            entries = [random.getrandbits(ENTRY.bits) for _ in range(streams)]
            data += b"".join(entry.to_bytes(ENTRY.size, "little") for entry in entries)
            of_clusters = [
                entries[(cluster >> tiles_log2) * self.pes + pe]
                for cluster in range(self.clusters) for pe in range(self.pes)
            ]  # fmt: skip
            word, end = (entries[stream] >> ENTRY.bits - 1 for stream in (WORD_STREAM, END_STREAM))
            self.wanted_rounds.append({"entries": pack(of_clusters, ENTRY.bits), "word": word, "end": end})
        self.send(RecordKind.ROUNDS, count, data)

    def beat_rounds(self, tiles_log2: int) -> float:
        """Rounds that a beat holds, or the part of one."""
        return self.beat_bytes / (self.clusters * self.pes * ENTRY.size >> tiles_log2)

    def compare(self) -> None:
        """What arrived is what was sent; forget it. What follows the words of a beat means nothing."""
        for beat in self.fetches.taken:
            beat["data"] &= (1 << 64 * beat["words"]) - 1
        for sink, wanted in ((self.fetches, self.wanted_fetches), (self.rounds, self.wanted_rounds)):
            assert len(sink.taken) == len(wanted)
            for number, (got, want) in enumerate(zip(sink.taken, wanted, strict=True)):
                assert got == want, f"item {number}"
            sink.taken.clear()
            wanted.clear()
        self.rounds.issued = self.rounds.there = 0

    async def finish(self) -> None:
        """Run until all records have passed, and check what arrived."""
        await self.run_until(lambda: not self.beats.queue and int(self.dut.idle_o.value) == 1, 8000)
        await self.step(3)
        self.compare()


def tiles_log2_values(dut: Any) -> range:
    """Legal values of tiles_log2_i."""
    return range(int(dut.Clusters.value).bit_length())


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.4], stall=[0.0, 0.2, 0.6])
async def hands_everything_to_its_place(dut: Any, idle: float, stall: float) -> None:
    tb = TB(dut, idle, stall)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        tb.inputs.set(tiles_log2_i=tiles_log2)
        for _ in range(6):
            tb.send_fetches([random.getrandbits(64) for _ in range(random.randint(1, 19))])
            for _ in range(random.choice((1, 1, 2))):
                tb.send_rounds(random.randint(1, 9), tiles_log2)
            tb.pad(random.choice((0, 0, 1, 3)))
        await tb.finish()


@cocotb.test()
async def gives_every_count_of_rounds(dut: Any) -> None:
    """Also those that end anywhere in a beat."""
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        tb.inputs.set(tiles_log2_i=tiles_log2)
        for count in range(1, 10):
            tb.send_rounds(count, tiles_log2)
            tb.send_fetches([random.getrandbits(64) for _ in range(count)])
        await tb.finish()


@cocotb.test()
async def takes_a_beat_per_cycle(dut: Any) -> None:
    """Or gives a round per cycle, where a beat holds several."""
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        tb.inputs.set(tiles_log2_i=tiles_log2)
        tb.send_rounds(101, tiles_log2)
        tb.send_fetches([random.getrandbits(64) for _ in range(40)])
        beats = len(tb.beats.queue)
        needed = max(beats, 101)
        assert await tb.run_until(lambda: len(tb.rounds.taken) == 101, 2000) <= needed + 8
        assert await tb.run_until(lambda: not tb.beats.queue, 1000) <= beats + 2
        await tb.finish()


@cocotb.test()
async def short_records_follow_each_other_without_gaps(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    most = max(1, int(tb.beat_rounds(0)))  # of a beat, so that none waits for its rounds
    for words in range(1, 4 * tb.beat_bytes // 8 + 1):
        tb.send_fetches([random.getrandbits(64) for _ in range(words)])
        tb.send_rounds(1 + words % most, 0)
    cycles = len(tb.beats.queue)
    assert await tb.run_until(lambda: not tb.beats.queue, 2000) <= cycles + 2
    await tb.finish()


@cocotb.test()
async def fetch_words_pass_rounds_that_wait(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        tb.inputs.set(tiles_log2_i=tiles_log2)
        of_beat = tb.beat_rounds(tiles_log2)
        round_beats = max(1, int(1 / of_beat))
        rounds = int(ROUND_BEATS * of_beat)
        tb.rounds.stall = 1.0
        tb.send_rounds(rounds, tiles_log2)
        tb.send_fetches([random.getrandbits(64) for _ in range(5)])
        await tb.run_until(lambda: len(tb.fetches.taken) == len(tb.wanted_fetches), 200)
        assert not tb.rounds.taken and int(dut.idle_o.value) == 0
        # What else there is waits: rounds that are put together, part of one, beats of every kind.
        header, left = 1, ROUND_BEATS - int(rounds / of_beat)
        before = tb.beats.sent
        tb.send_rounds(rounds + 40, tiles_log2)
        await tb.step(200)
        least = header + BEATS + left
        most = header + BEATS + 1 + left + 1 + round_beats - 1
        assert least <= tb.beats.sent - before <= most
        tb.rounds.stall = 0.0
        await tb.finish()


@cocotb.test()
@cocotb.parametrize(
    record=[
        (0, 1), (3, 1), (RecordKind.ROUNDS, 0), (RecordKind.FETCH, 0), (RecordKind.ROUNDS, 1 << 55),
        (RecordKind.FETCH, 1 << 55), (RecordKind.ROUNDS, MOST + 1), (RecordKind.FETCH, MOST + 1),
    ]
)  # fmt: skip
async def after_a_bad_record_all_is_dropped(dut: Any, record: tuple[int, int]) -> None:
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        tb.inputs.set(tiles_log2_i=tiles_log2)
        kind, count = record
        tb.send(kind, count)
        tb.send_fetches([1, 2, 3])
        await tb.step(30)
        assert not tb.beats.queue, "taken, as the checksum at the end tells what is wrong"
        assert not tb.fetches.taken and not tb.rounds.taken
        assert int(dut.idle_o.value) == 0
        await tb.clear()
        tb.wanted_fetches.clear()
        tb.send_fetches([4])
        tb.send_rounds(3, tiles_log2)
        await tb.finish()


@cocotb.test()
@cocotb.parametrize(kind=[RecordKind.ROUNDS, RecordKind.FETCH])
async def a_record_of_the_most_is_begun(dut: Any, kind: RecordKind) -> None:
    """That as many beats follow as it says is an assertion of the module."""
    tb = TB(dut, 0.0, 0.0)
    await tb.start(tiles_log2_i=0)
    for tiles_log2 in tiles_log2_values(dut):
        tb.inputs.set(tiles_log2_i=tiles_log2)
        for count in range(MOST - 8, MOST + 1):
            tb.send(kind, count, random.randbytes(20 * tb.beat_bytes))
            await tb.run_until(lambda: not tb.beats.queue, 100)
            await tb.step(20)
            assert tb.fetches.taken if kind == RecordKind.FETCH else tb.rounds.taken
            assert int(dut.idle_o.value) == 0
            await tb.clear()


@cocotb.test()
async def forgets_everything_when_cleared(dut: Any) -> None:
    tb = TB(dut, 0.1, 0.3)
    await tb.start(tiles_log2_i=0)
    for cycles in range(1, 40):
        tiles_log2 = random.choice(tiles_log2_values(dut))
        tb.inputs.set(tiles_log2_i=tiles_log2)
        tb.send_rounds(11, tiles_log2)
        tb.send_fetches([random.getrandbits(64) for _ in range(11)])
        tb.send_rounds(11, tiles_log2)
        await tb.step(cycles)
        await tb.clear()
        tb.wanted_fetches.clear()
        tb.wanted_rounds.clear()
        await tb.step(2)
        assert int(dut.idle_o.value) == 1 and not tb.rounds.taken and not tb.fetches.taken
