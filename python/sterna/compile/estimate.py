"""Cycle model of the engine ("Time" in docs/engine.md): weight stream, line loader, units, drain, round by round."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.encode import RING_MARGIN, EncodedPass
from sterna.compile.lower import PHASES
from sterna.compile.schedule import Pass
from sterna.run.device import StepCounters
from sterna.spec import tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Pool

# Latencies as the pipelines of the RTL have them, rounded, with a memory that answers a burst after 20 cycles.
#: From the end of a step's WEIGHTS to the first beat of the next step's, beside the beats between them.
STEP_SWITCH = 30
#: From a fetch word to its first line in the line buffers.
LINE_LATENCY = 25
#: From a chunk to its first addition.
CHUNK_LATENCY = 4
#: From the last addition of a pass to its first value out of the drain, and from the last value to its word in memory.
DRAIN_START = 8
DRAIN_LATENCY = 14
#: What LOAD and STORE take besides their beats.
MOVE_START = 180
#: Share of cycles lost by two units that ask their line buffer for x lines a cycle:
#: STALL_SHARE * (x - STALL_FREE) ** STALL_POWER, fitted to counts of YOLOv2-416 with random weights, density 0.15.
STALL_FREE, STALL_SHARE, STALL_POWER = 0.4, 0.17, 1.6
#: Groups of tiles that are followed one by one before the rest is taken to repeat the last.
_FOLLOWED_GROUPS = 4


@dataclass
class _Waits:
    """Sums over the units of one cluster of each filter group."""

    lines: float = 0.0
    weights: float = 0.0
    drain: float = 0.0


@dataclass
class _Pass:
    """A pass as the model sees it: arrays by round and by filter group and unit."""

    cost: NDArray[np.float64]
    word: NDArray[np.int64]  # fetch word of the line at the pointer behind the round
    slowest: list[int]
    fetched: list[int]
    last_lines: list[int]
    word_cycles: list[int]
    after: list[int]
    round_beats: float


class Clock:
    """Time on the engine while the steps of a tape go by; call `move` and `conv` for each step in order."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._stream = 0.0  # when the bus can bring the next beat of the tape
        self._loader = 0.0  # when the loader is free
        self._units = np.zeros((config.clusters, config.units))
        self._drained = [[0.0, 0.0] for _ in range(config.clusters)]  # ends of the drains, by cluster
        self._drain_start = 0.0
        self._end = 0.0  # of the step before
        self._lines = 0  # lines of all passes so far
        self._left: tuple[list[int], list[float]] = ([-1], [0.0])  # line that every unit has come to, and when

    def move(self, words: int, *, background: bool) -> StepCounters:
        """A LOAD or STORE of `words` feature memory words."""
        if background:
            return StepCounters(0, 0, 0, 0, 0)
        begin = max(self._end, self._stream)
        self._stream = self._loader = begin + words * self._config.word_beats + MOVE_START
        self._units[:] = self._stream
        return self._ended(self._stream)

    def conv(self, chosen: Pass, encoded: EncodedPass, *, pool: Pool, tiles: int, tiles_at_once: int) -> StepCounters:
        """A CONV step over `tiles` tiles."""
        config = self._config
        groups = -(-tiles // tiles_at_once)
        filter_groups = config.clusters // tiles_at_once
        work = self._work(encoded, filter_groups, tiles_at_once)
        table = chosen.filters.size * 8 / config.beat_bytes
        self._stream = max(self._stream, self._loader) + STEP_SWITCH + table + 4 * tape.ALIGN / config.beat_bytes
        units = self._units.reshape(filter_groups, tiles_at_once, config.units).max(axis=1)
        halves = [
            [max(ends) for ends in zip(*self._drained[first : first + tiles_at_once], strict=True)]
            for first in range(0, config.clusters, tiles_at_once)
        ]
        waits = _Waits()
        reads = {Pool.NONE: 1, Pool.MAX: len(PHASES), Pool.KEEP: 2 * len(PHASES)}[pool]
        drain, rows = chosen.channels * reads, -(-chosen.channels // config.units) * reads
        followed = min(groups, _FOLLOWED_GROUPS)
        ends = []
        for group in range(followed):
            first = group == 0
            units = self._group(work, units, halves, waits, first)
            begin = [max(float(mine.max()) + DRAIN_START, half[-1]) for mine, half in zip(units, halves, strict=True)]
            for half, start in zip(halves, begin, strict=True):
                half[:] = [half[-1], start + drain]
            self._drain_start = max(begin)
            units = units + rows
            ends.append(float(units.max()))
        left_out = groups - followed
        period = ends[-1] - ends[-2] if left_out else 0.0
        self._shift(left_out * period, left_out * encoded.fetches.lines)
        units = units + left_out * period
        halves = [[end + left_out * period for end in half] for half in halves]
        self._drain_start += left_out * period
        self._units = np.repeat(units - rows, tiles_at_once, axis=0)
        self._drained = [half for half in halves for _ in range(tiles_at_once)]
        busy = int(encoded.additions.sum()) * tiles_at_once * groups
        scale = tiles_at_once * groups / followed
        end = max(half[-1] for half in halves) + DRAIN_LATENCY
        return self._ended(end, busy, waits, scale)

    def _ended(self, end: float, busy: int = 0, waits: _Waits | None = None, scale: float = 1.0) -> StepCounters:
        waits = waits or _Waits()
        cycles = round(end) - round(self._end)
        self._end = max(end, self._end)
        return StepCounters(
            cycles, busy, round(waits.lines * scale), round(waits.weights * scale), round(waits.drain * scale)
        )

    def _work(self, encoded: EncodedPass, filter_groups: int, tiles_at_once: int) -> _Pass:
        config = self._config
        shape = (-1, filter_groups, config.units)
        last = encoded.fetches.last_lines
        lines = np.diff(last, prepend=-1)
        return _Pass(
            cost=_with_stalls(encoded).reshape(shape),
            word=np.searchsorted(last, encoded.pointer).reshape(shape),
            slowest=encoded.pointer.min(axis=1).tolist(),
            fetched=encoded.fetched.tolist(),
            last_lines=last.tolist(),
            word_cycles=np.maximum(lines, tiles_at_once).tolist(),
            after=encoded.fetches.after.tolist(),
            round_beats=encoded.cycles.shape[1] * config.chunk_bytes / config.beat_bytes,
        )

    def _group(
        self, work: _Pass, units: NDArray[np.float64], halves: list[list[float]], waits: _Waits, first: bool
    ) -> NDArray[np.float64]:
        """Follow one group of tiles; when each unit ends it."""
        config = self._config
        free = np.array([half[-2] for half in halves])[:, None]
        waits.drain += float(np.maximum(free - units, 0).sum())
        units = np.maximum(units, free)
        fetch_words = config.beat_bytes // 8
        arrival = np.zeros(len(work.last_lines))
        ready = np.zeros(len(work.last_lines))
        loaded, fetched = 0, 0
        started: list[float] = []
        for index, cost in enumerate(work.cost):
            if work.fetched[index] > fetched:
                count = work.fetched[index] - fetched
                arrival[fetched : fetched + count] = self._stream + 1 + np.arange(count)
                self._stream += 1 + -(-count // fetch_words) + 1  # and the header of the rounds
                fetched += count
            space = started[index - config.fifo_chunks] if index >= config.fifo_chunks else 0.0
            self._stream = max(self._stream, space) + work.round_beats
            needed = int(work.word[index].max())
            while loaded <= needed:
                ready[loaded] = self._load(work, loaded, float(arrival[loaded]), first)
                loaded += 1
            begin = np.maximum(units, self._stream + CHUNK_LATENCY)
            waits.weights += float((begin - units).sum())
            started.append(float(begin.max()))
            done = begin + cost
            units = np.maximum(done, ready[work.word[index]])
            waits.lines += float((units - done).sum())
            self._left[0].append(self._lines + work.slowest[index])
            self._left[1].append(float(units.max()))
        self._lines += work.last_lines[-1] + 1
        return units

    def _load(self, work: _Pass, word: int, arrival: float, first: bool) -> float:
        """When the lines of a fetch word are in the line buffers."""
        reach = self._lines + work.last_lines[word] - self._config.buffer_lines + RING_MARGIN // 2
        place = bisect_left(self._left[0], reach)
        room = self._left[1][place] if place < len(self._left[0]) else self._left[1][-1]
        self._loader = max(self._loader, arrival, room, self._written(work.after[word]) if first else 0.0)
        self._loader += work.word_cycles[word]
        return self._loader + LINE_LATENCY

    def _written(self, after: int) -> float:
        """When what a fetch word waits for is in memory."""
        if after == 0:
            return 0.0
        words = self._drain_start + DRAIN_LATENCY + after * 4
        return self._end if after == tape.AFTER_ALL else min(words, self._end)

    def _shift(self, time: float, lines: int) -> None:
        """Let groups of tiles pass that were not followed."""
        self._stream += time
        self._loader += time
        self._lines += lines
        self._left = ([line + lines for line in self._left[0][-512:]], [end + time for end in self._left[1][-512:]])


def _with_stalls(encoded: EncodedPass) -> NDArray[np.float64]:
    """Cycles of each [round, stream], with the waits of two units for the read port they share.

    A read can serve both units, so they need no more reads than there are lines.
    """
    cycles = encoded.cycles.reshape(len(encoded.cycles), -1, 2)
    load = encoded.reads.reshape(cycles.shape).sum(axis=2) / np.maximum(cycles.mean(axis=2), 1.0)
    lost = np.minimum(STALL_SHARE * np.maximum(load - STALL_FREE, 0) ** STALL_POWER, 0.5)
    stalled = encoded.cycles * np.repeat(1 / (1 - lost), 2, axis=1)
    lines = np.diff(encoded.pointer, axis=0, prepend=-1)
    return np.minimum(stalled, np.maximum(encoded.cycles, lines) + STALL_SHARE * lines)
