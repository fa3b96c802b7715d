"""Bench of sterna_issuer: random steps of rounds against a model of when each of them may go and what it asks for."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import AheadSource, Bench, Field
from sim.support.words import gather_word, pack, step_word

from sterna.spec.tape import AFTER_ALL, FETCH_QUEUE, FETCH_WORD, WINDOW_GUARD, WINDOW_WORDS

PARAMETERS = [
    {"Clusters": 2, "Drains": 1, "DataW": 64},
    {"Clusters": 4, "Drains": 2, "DataW": 512},
    {"Clusters": 1, "Drains": 1, "DataW": 128, "GatherLatency": 9},
    {"Clusters": 4, "Drains": 4, "DataW": 256},
]
#: Cycles from a beat of fetch words, if nothing is before it, to the first in which its first word may be taken.
FETCH_LATENCY = 7
#: Cycles that a word takes into the windows, and in which the issuer is idle after that.
INTO_WINDOWS, IDLE_LATENCY = 1, 2


@dataclass(frozen=True)
class Step:
    """What the issuer reads of a step."""

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
                         gather_stride=self.stride, tile_groups=self.groups)  # fmt: skip

    def window(self, fetch: dict[str, int], tile: int) -> int:
        """The window that a fetch word reads of a tile; of the last one if there are no more."""
        row, col = divmod(min(tile, self.tiles_h * self.tiles_w - 1), self.tiles_w)
        return gather_word(
            plane=fetch["plane"], row=fetch["row"], col=fetch["col"],
            tile_row=row * self.stride + fetch["tile_row"], tile_col=col * self.stride + fetch["tile_col"],
        )  # fmt: skip


class Drain:
    """Reads a half that has ended, at random times, and frees it with the last read."""

    def __init__(self, dut: Any, number: int, slow: float) -> None:
        self.read = Field(dut.drain_read_i, number, 1)
        self.ended, self.free = Field(dut.ended_o, 2 * number, 2), Field(dut.free_i, 2 * number, 2)
        self.slow = slow
        self.begin()

    def begin(self) -> None:
        """Nothing has ended."""
        self.half = self.left = self.freed = self.freeing = 0
        self.seen = 0  # the halves that have ended, as the cycle before shows
        self.reads = False

    def clear(self) -> None:
        """Back to the start, with idle inputs."""
        self.read.write(0)
        self.free.write(0)
        self.begin()

    def drive(self) -> None:
        """Read, or not."""
        self.freeing = 0
        if not self.left and self.seen >> self.half & 1:
            self.left = random.randint(1, 6)
        self.reads = self.left > 0 and random.random() >= self.slow
        if self.reads:
            self.left -= 1
            if not self.left:
                self.freeing = 1 << self.half
                self.half ^= 1
                self.freed += 1
        self.read.write(self.reads)
        self.free.write(self.freeing)

    def sample(self) -> None:
        """See what has ended; what is freed just now counts no longer."""
        self.seen = self.ended.read() & ~self.freeing


class Written:
    """The words that are written: none when a step begins, later more of them, in the end all."""

    def __init__(self, dut: Any, slow: float) -> None:
        self.port, self.slow = Field(dut.written_i), slow
        self.clear()

    def clear(self) -> None:
        """All is written."""
        self.level = self.before = AFTER_ALL
        self.levels: list[int] = []  # to come
        self.starting = False

    def begin(self, levels: Sequence[int]) -> None:
        """A step begins in the next cycle, after which nothing is written; then come these levels, and all of it.

        The level before each comes too: a word that waits for one must not go then.
        """
        self.levels = [0, *sorted({level for each in levels for level in (max(each - 1, 0), each)}), AFTER_ALL]
        self.starting = True

    def drive(self) -> None:
        """Go to the next level some time."""
        self.before = self.level
        if self.levels and self.starting:
            self.starting = False  # the cycle of the start still shows the step before
        elif self.levels and (self.level == AFTER_ALL or random.random() >= self.slow):
            self.level = self.levels.pop(0)
        self.port.write(self.level)

    def sample(self) -> None:
        """Nothing to read."""


class Issue:
    """Knows what was sent, and checks in every cycle whether a round goes, and what comes of those that went."""

    def __init__(self, tb: TB) -> None:
        self.tb, dut = tb, tb.dut
        self.ports = {
            name: Field(getattr(dut, name))
            for name in ("half_o", "read_valid_o", "read_o", "word_slot_o", "word_clusters_o", "idle_o", "ended_o",
                         "row_load_o", "round_issue_o", "wait_vectors_o", "wait_weights_o", "wait_drain_o")
        }  # fmt: skip
        self.clear()

    def clear(self) -> None:
        """Nothing was sent."""
        self.step: Step | None = None
        self.fetches: deque[dict[str, int]] = deque()  # that no round has taken yet
        self.there: deque[int] = deque()  # the cycle from which on each of them may be taken, if it was accepted
        self.requests: deque[tuple[int, int]] = deque()  # cycle, window
        self.words: deque[tuple[int, int, int]] = deque()  # cycle, slot, clusters
        self.half = self.group = self.word = 0
        self.ended = [0] * self.tb.drains  # a bit for each half
        self.started = self.last_end = self.last_request = -1000
        self.reads = [False] * self.tb.drains  # that the drains asked for in the cycle before
        self.waits: tuple[int, ...] | None = None  # that the next cycle must show
        self.stalls = [0, 0, 0]

    def begin(self, step: Step, fetches: list[dict[str, int]]) -> None:
        """A step begins in the next cycle."""
        self.step, self.group, self.started = step, 0, self.tb.cycle
        self.fetches.extend(fetches)

    def drive(self) -> None:
        """Nothing to drive."""

    def sample(self) -> None:
        """One cycle."""
        self._check_requests()
        self._check_idle()
        waits = tuple(self.ports[name].read() for name in ("wait_vectors_o", "wait_weights_o", "wait_drain_o"))
        assert self.waits in (None, waits)
        self.stalls = [total + wait for total, wait in zip(self.stalls, waits, strict=True)]
        assert self.ports["ended_o"].read() == pack(self.ended, 2)
        assert self.ports["row_load_o"].read() == pack(self.reads, 1)
        self._note_fetches()
        self._check_round()

    def _note_fetches(self) -> None:
        accepted = self.tb.fetches.accepted
        for _ in range(accepted["words"] if accepted else 0):
            before = self.there[-1] + 1 if self.there else 0
            self.there.append(max(self.tb.cycle + FETCH_LATENCY, before))

    def _check_round(self) -> None:
        now = self.tb.cycle
        offered = self.tb.rounds.offered
        reads = any(self.reads)  # in the place of a round
        undrained = any(ended >> self.half & 1 for ended in self.ended)
        free = not reads and not undrained and now > self.last_end + WINDOW_GUARD
        ready = bool(self.ports["round_issue_o"].read())
        assert not offered or self.ports["half_o"].read() == self.half
        if offered is None:
            assert not ready
        elif not offered["word"] or not free:
            assert ready == free, f"cycle {now}: a round goes or waits without reason"
        elif ready:
            assert self.there, "a round takes a fetch word that was not sent"
            assert self.fetches[0]["after"] <= self.tb.written.before, "a word is read before it is written"
            assert now > self.started + 1
        else:
            assert not self._surely_ready(), f"cycle {now}: a round waits without reason"
        self.ended = [ended & ~drain.freeing for ended, drain in zip(self.ended, self.tb.drain, strict=True)]
        self.waits = (
            int(offered is not None and not undrained and not reads and not ready),
            int(self._working() and offered is None),
            int(offered is not None and (undrained or reads)),
        )
        self.reads = [drain.reads for drain in self.tb.drain]
        if ready and offered:
            self._issue(offered)

    def _surely_ready(self) -> bool:
        """Whether a word can be taken for certain: it is there, released, and the tile cursors stand still."""
        now, at_once = self.tb.cycle, self.tb.at_once
        return (
            bool(self.there) and now >= self.there[0]
            and self.fetches[0]["after"] <= self.tb.written.before
            and now > max(self.started + 2 + self.tb.clusters, self.last_end + 2 * at_once + 1)
        )  # fmt: skip

    def _working(self) -> bool:
        return self.step is not None and self.tb.cycle > self.started and self.group < self.step.groups

    def _issue(self, offered: Mapping[str, int]) -> None:
        now, step = self.tb.cycle, self.step
        self.tb.rounds.waiting.popleft()
        assert step is not None and self._working()
        if offered["word"]:
            fetch = self.fetches.popleft()
            self.there.popleft()
            if self.there:
                self.there[0] = max(self.there[0], now + 1)
            for position in range(step.at_once):
                at = now + 1 + position
                self.requests.append((at, step.window(fetch, self.group * step.at_once + position)))
                clusters = sum(1 << c for c in range(position, self.tb.clusters, step.at_once))
                self.words.append((at + self.tb.latency, self.word % WINDOW_WORDS, clusters))
                self.last_request = at
            self.word += 1
        if offered["end"]:
            self.ended = [ended | 1 << self.half for ended in self.ended]
            self.half ^= 1
            self.last_end = now
            self.group += 1
            self.word = 0

    def _check_requests(self) -> None:
        """A window is asked for in its cycle only, and slot and clusters come with its word."""
        now = self.tb.cycle
        asked = bool(self.requests) and self.requests[0][0] == now
        assert self.ports["read_valid_o"].read() == asked, f"cycle {now}: a window is missing or too many"
        if asked:
            assert self.ports["read_o"].read() == self.requests.popleft()[1]
        if self.words and self.words[0][0] == now:
            _, slot, clusters = self.words.popleft()
            assert self.ports["word_slot_o"].read() == slot
            assert self.ports["word_clusters_o"].read() == clusters

    def _check_idle(self) -> None:
        idle = bool(self.ports["idle_o"].read())
        there = self.last_request + self.tb.latency + INTO_WINDOWS
        if self._working() or self.requests or self.tb.cycle <= there:
            assert not idle, "idle before the last word is in the windows"
        elif self.step and self.tb.cycle >= max(self.last_end, there) + IDLE_LATENCY:
            assert idle, "not idle although nothing is left"


class RoundSource(AheadSource):
    """Knows which rounds wait in the issuer's queue."""

    def __init__(self, dut: Any, idle: float) -> None:
        flags = {"word": Field(dut.round_word_i), "end": Field(dut.round_end_i)}
        super().__init__(Field(dut.round_valid_i), Field(dut.round_go_o), flags, idle)
        self.waiting: deque[Mapping[str, int]] = deque()

    @property
    def offered(self) -> Mapping[str, int] | None:
        """The oldest one that came before this cycle."""
        return self.waiting[0] if self.waiting else None

    @property
    def left(self) -> int:
        """Rounds that are not issued yet."""
        return len(self.queue) + len(self.waiting) + bool(self.accepted)

    def drive(self) -> None:
        """What came in the cycle before waits now."""
        if self.accepted:
            self.waiting.append(self.accepted)
        super().drive()

    def clear(self) -> None:
        """Nothing waits."""
        super().clear()
        self.waiting.clear()


class TB(Bench):
    """An issuer with all that is around it."""

    def __init__(self, dut: Any, idle: float = 0.0, slow: float = 0.0, fetch_idle: float = 0.0) -> None:
        super().__init__(dut)
        self.clusters, self.drains, self.latency, data_w = (
            int(getattr(dut, name).value) for name in ("Clusters", "Drains", "GatherLatency", "DataW")
        )
        self.beat_words = data_w // 64
        self.at_once, self.passes = 1, 0
        self.inputs = Inputs(dut)
        self.fetches = AheadSource(
            Field(dut.fetch_valid_i), Field(dut.fetch_go_o),
            {"data": Field(dut.fetch_data_i), "words": Field(dut.fetch_words_i)}, fetch_idle,
        )  # fmt: skip
        self.rounds = RoundSource(dut, idle)
        self.drain = [Drain(dut, number, slow) for number in range(self.drains)]
        self.written = Written(dut, slow)
        self.issue = Issue(self)
        self.agents = [self.inputs, self.fetches, self.rounds, *self.drain, self.written, self.issue]

    async def reset(self) -> None:
        """Start with all inputs quiet."""
        await self.start(start_i=0, step_i=0, drain_read_i=0, free_i=0, written_i=AFTER_ALL)

    def random_step(self) -> Step:
        """A map of few tiles, often fewer than a tile group has."""
        return Step(random.randint(1, 3), random.randint(1, 3), random.choice(self.at_onces()), random.choice((1, 2)))

    def at_onces(self) -> list[int]:
        """Legal values of tiles_at_once."""
        return [tiles for tiles in (1, 2, 4) if tiles <= self.clusters]

    def fetch(self, **fields: int) -> dict[str, int]:
        """A random fetch word."""
        return {
            "plane": random.getrandbits(24), "tile_row": random.randint(-128, 127), "row": random.getrandbits(4),
            "tile_col": random.randint(-128, 127), "col": random.getrandbits(4), "last_in_pass": 0, "after": 0,
        } | fields  # fmt: skip

    def random_fetches(self, count: int) -> list[dict[str, int]]:
        """Fetch words of a pass, some of which wait for words of the step before."""
        return [
            self.fetch(after=random.choice((0, 0, 0, 1, random.randint(2, 1022), AFTER_ALL)),
                       last_in_pass=int(number == count - 1))
            for number in range(count)
        ]  # fmt: skip

    def random_rounds(self, words: int, at_once: int, gap: int) -> list[dict[str, int]]:
        """Rounds that take so many words as the tape allows, with up to `gap` rounds more before, between and after."""
        without = {"word": 0, "end": 0}
        rounds = [without] * random.randint(0, gap)
        for number in range(words):
            least = at_once - 1 if number < words - 1 else 0
            rounds += [{"word": 1, "end": 0}, *[without] * (least + random.randint(0, gap))]
        return [*rounds[:-1], rounds[-1] | {"end": 1}]

    async def begin(self, step: Step, fetches: list[dict[str, int]], rounds: list[dict[str, int]]) -> None:
        """Start a step that does the same in each pass. Rounds come some cycles after the start."""
        self.inputs.pulse("start_i", step_i=step.word)
        self.at_once = step.at_once
        self.passes += step.groups
        self.issue.begin(step, fetches * step.groups)
        self.written.begin([fetch["after"] for fetch in fetches])
        for _ in range(step.groups):
            self.send_fetches(fetches)
        await self.step(2)
        self.rounds.send(rounds * step.groups)

    def send_fetches(self, fetches: Sequence[dict[str, int]]) -> None:
        """Queue the words of a pass, in beats of which some are not full."""
        at = 0
        while at < len(fetches):
            count = self.beat_words if random.random() < 0.7 else random.randint(1, self.beat_words)
            part = fetches[at : at + count]
            self.fetches.send([{"data": pack([FETCH_WORD.pack(**f) for f in part], 64), "words": len(part)}])
            at += len(part)

    async def finish(self, limit: int = 20000) -> int:
        """Run until all rounds are issued and all words have come; returns the cycles until the last round."""
        cycles = await self.run_until(lambda: not self.rounds.left, limit)
        await self.run_until(lambda: bool(int(self.dut.idle_o.value)), 200)
        await self.step(IDLE_LATENCY)
        assert not (self.fetches.queue or self.issue.fetches or self.issue.requests or self.issue.words)
        return cycles

    async def drained(self) -> None:
        """Run until the drains have read every pass."""
        await self.run_until(lambda: all(drain.freed == self.passes for drain in self.drain), 1000)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], slow=[0.0, 0.8], fetch_idle=[0.0, 0.7])
async def issues_random_steps(dut: Any, idle: float, slow: float, fetch_idle: float) -> None:
    tb = TB(dut, idle, slow, fetch_idle)
    await tb.reset()
    for number in range(4):
        step = tb.random_step()
        words = (1, random.randint(2, 20), 2 * WINDOW_WORDS + 3, random.randint(2, 40))[number]
        gap = random.choice((0, 1, 4))
        await tb.begin(step, tb.random_fetches(words), tb.random_rounds(words, step.at_once, gap))
        await tb.finish()
        await tb.step(random.choice((0, 1, 40)))
    await tb.drained()


@cocotb.test()
async def walks_every_shape_of_map(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    for at_once in tb.at_onces():
        for tiles_h, tiles_w in ((1, 1), (7, 1), (1, 7), (3, 2), (2, 3), (4, 5)):
            await tb.begin(Step(tiles_h, tiles_w, at_once), tb.random_fetches(1), tb.random_rounds(1, at_once, 0))
            await tb.finish()
    await tb.drained()


@cocotb.test()
async def issues_a_round_a_cycle(dut: Any) -> None:
    """With nothing to wait for but the end of each pass and the drain, which reads two rows."""
    tb = TB(dut)
    await tb.reset()
    for at_once in tb.at_onces():
        step = Step(2, 3, at_once)
        fetches = [tb.fetch(last_in_pass=int(number == 99)) for number in range(100)]
        rounds = tb.random_rounds(100, at_once, 0)
        await tb.begin(step, fetches, rounds)
        reads = 6 * tb.drains * step.groups
        lost = step.groups * (WINDOW_GUARD + 2 * at_once) + reads
        assert await tb.finish() <= len(rounds) * step.groups + lost + FETCH_LATENCY + tb.clusters


@cocotb.test()
async def tells_what_rounds_wait_for(dut: Any) -> None:
    tb = TB(dut, 0.8, 0.9, 0.9)
    await tb.reset()
    for _ in range(2):
        await tb.begin(Step(2, 4, 1), tb.random_fetches(8), tb.random_rounds(8, 1, 2))
        await tb.finish()
    await tb.drained()
    assert min(tb.issue.stalls) > 10


@cocotb.test()
async def queues_as_many_fetch_words_as_the_tape_sends_ahead(dut: Any) -> None:
    tb = TB(dut)
    await tb.reset()
    words = FETCH_QUEUE + 40 * tb.beat_words
    fetches = [tb.fetch(last_in_pass=int(number == words - 1)) for number in range(words)]
    await tb.begin(Step(1, 1, 1), fetches, [])
    await tb.step(2 * words)
    left = sum(item["words"] for item in tb.fetches.queue)
    assert FETCH_QUEUE <= words - left <= FETCH_QUEUE + 24 * tb.beat_words
    tb.rounds.send(tb.random_rounds(words, 1, 0))
    await tb.finish()


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = TB(dut, 0.2, 0.3, 0.2)
    await tb.reset()
    for cycles in (1, 3, 10, 25, 60, 200):
        step = tb.random_step()
        await tb.begin(step, tb.random_fetches(50), tb.random_rounds(50, step.at_once, 1))
        await tb.step(cycles)
        await tb.clear()
        tb.passes = 0
        await tb.step(2)
        assert int(dut.idle_o.value) == 1
        step = tb.random_step()
        await tb.begin(step, tb.random_fetches(3), tb.random_rounds(3, step.at_once, 0))
        await tb.finish()
        await tb.drained()
