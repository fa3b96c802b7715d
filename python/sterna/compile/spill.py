"""Which maps spill to scratch memory when they do not fit the feature memory, and the buffers of what runs by bands.

A map that spills lies in scratch memory by rows of tiles (docs/explanation/engine/memory.md). The operations that make
or read it run by bands of these rows: all maps that an operation reads spill, or none, and so do those that it makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from sterna.compile.bands import Needs, needs, of_phases
from sterna.compile.lowered import Lowered
from sterna.compile.memory import Allocator, Demand, Region
from sterna.errors import SternaError
from sterna.graph.network import RGB
from sterna.package.plan import Bands
from sterna.spec.config import MOST_FM_WORDS

#: Buffers in which bands are made: one is stored while the next is made in the other.
_OUTPUTS = 2
#: Words that could be loaded while a band begins and ends.
_BAND_WORDS = 64


class Spilled(NamedTuple):
    """Where maps lie that do not spill, the operation after which the next image may be loaded, and the bands."""

    regions: dict[str, Region]
    load_after: int | None
    bands: dict[int, Bands]


class _FullError(Exception):
    """An operation does not fit: `needed` words beside `taken` that must stay."""

    def __init__(self, index: int, name: str, needed: int, taken: int) -> None:
        super().__init__(name)
        self.index, self.name, self.needed, self.taken = index, name, needed, taken


@dataclass(frozen=True)
class _Work:
    """An operation: the maps that it reads and makes, what it needs of those, and words of a row of tiles of all."""

    sources: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: Needs
    in_row: int
    out_row: int
    #: Its maps are read phase by phase, so what it makes of maps that spill does as well.
    of_phases: bool


@lru_cache(maxsize=4096)
def _loaded(needed: Needs, rows: int, room: int) -> int:
    """Rows that are loaded, those twice beside which nothing can be computed."""
    held = needed.held(rows, room)
    waits = [True, *(not one.stay_beside(other) for one, other in pairwise(held))]
    return sum(each.loads * (1 + alone) for each, alone in zip(held, waits, strict=True))


def spill(lowered: Lowered, demand: Demand, stored: Sequence[str]) -> Spilled:
    """Let as few maps spill as are found to be enough. Raises SternaError for an operation that does not fit all the
    same, with the least `fm_words` that would do."""
    search = _Search(lowered, demand, stored)
    words = lowered.config.fm_words
    try:
        return search.run(words)
    except _FullError as full:
        least = _least(search, words)
        larger = f" or a config with fm_words >= {least}" if least is not None else ""
        raise SternaError(
            "does not fit the feature memory, even if it runs by bands of rows of tiles and all maps spill that can",
            where=f"layer {full.name}", attribute="words", value=full.needed,
            allowed=f"{words} words in total (fm_words), of which {full.taken} are taken",
            remedy=f"use a narrower image{larger}",
        ) from full  # fmt: skip


def _least(search: _Search, words: int) -> int | None:
    """The fewest words more than `words` for which there is a plan, if an engine can have as many."""
    low, high = words, MOST_FM_WORDS
    if not search.fits(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if search.fits(middle) else (middle, high)
    return high


@dataclass
class _Search:
    lowered: Lowered
    demand: Demand
    stored: Sequence[str]
    works: list[_Work] = field(init=False)
    sizes: dict[str, int] = field(init=False)
    pinned: set[str] = field(init=False)

    def __post_init__(self) -> None:
        demand = self.demand
        self.sizes = dict([demand.image, *(each for made in demand.made for each in made)])
        self.works = [self._work(index) for index in range(len(demand.made))]
        self.pinned = self._pinned()

    def _work(self, index: int) -> _Work:
        operation = self.lowered.program.operations[index]
        sources = tuple(self.lowered.computed_sources(operation))
        outputs = tuple(name for name, _ in self.demand.made[index])
        return _Work(
            sources, outputs, needs(self.lowered, operation, loads=True), self._row(sources), self._row(outputs),
            of_phases(self.lowered, operation),
        )  # fmt: skip

    def _row(self, names: Sequence[str]) -> int:
        return sum(self.sizes[name] // self.lowered.map_rows(name) for name in names)

    def _pinned(self) -> set[str]:
        """Maps that cannot spill: what a stored map is put together of, and an image that has no rows of pixels."""
        program, image = self.lowered.program, self.lowered.graph.input
        shown = [(layer, program.sources(layer)) for layer in self.stored]
        pinned = {name for layer, names in shown for name in names if name != layer or name == image.name}
        beside = any(image.name in work.sources and len(work.sources) > 1 for work in self.works)
        return pinned | ({image.name} if beside or image.channels not in (1, RGB) else set())

    def run(self, words: int) -> Spilled:
        """The first plan that is found; raises `_FullError`."""
        spilled: frozenset[str] = frozenset()
        while True:
            try:
                found = self._place(words, spilled)
                break
            except _FullError as full:
                more = next(self._wider(spilled, full.index), None)
                if more is None:
                    raise
                spilled = more
        for name in sorted(spilled, key=lambda name: -self.sizes[name]):
            fewer = self._closed(spilled - {name})
            if fewer is None or name in fewer:
                continue
            try:
                found, spilled = self._place(words, fewer), fewer
            except _FullError:
                continue
        return found

    def fits(self, words: int) -> bool:
        """Whether there is a plan."""
        try:
            self.run(words)
        except _FullError:
            return False
        return True

    def _wider(self, spilled: frozenset[str], index: int) -> Iterator[frozenset[str]]:
        """What spills besides, so that operation `index` may fit, best first: a map that only later operations need,
        the latest one first; what the operation makes; what it reads. -1 stands for the LOAD of the image."""
        image, last_use = self.demand.image[0], self.demand.last_use
        if index < 0:
            wider = self._closed(spilled | {image})
            yield from [wider] if wider is not None and image not in spilled else []
            return
        work = self.works[index]
        made = {name: at for at, each in enumerate(self.works) for name in each.outputs} | {image: -1}
        own = {*work.sources, *work.outputs}
        idle = [name for name in self.sizes if made[name] < index < last_use.get(name, -1) and name not in own]
        idle.sort(key=lambda name: (-self._next_use(name, index), -self.sizes[name]))
        for name in (*idle, *work.outputs, *work.sources):
            wider = None if name in spilled else self._closed(spilled | {name})
            if wider is not None:
                yield wider

    def _next_use(self, name: str, index: int) -> int:
        uses = [at for at, work in enumerate(self.works) if at > index and name in work.sources]
        return uses[0] if uses else self.demand.last_use[name]

    def _closed(self, spilled: frozenset[str]) -> frozenset[str] | None:
        """`spilled` with all that has to spill then; None if that cannot be."""
        closed, before = set(spilled), 0
        while len(closed) != before:
            before = len(closed)
            for work in self.works:
                for group in (work.sources, work.outputs):
                    if closed & set(group):
                        closed |= set(group)
                if work.of_phases and closed & set(work.sources):
                    closed |= set(work.outputs)
        return None if closed & self.pinned else frozenset(closed)

    def _place(self, words: int, spilled: frozenset[str]) -> Spilled:
        """A plan in which these maps spill. The image's place is kept free from as early on as possible."""
        count, image = len(self.works), self.demand.image[0]
        first = count if image in spilled else min(self.demand.last_use.get(image, 0) + 1, count)
        refusal = None
        for reserved in range(first, count + 1):
            for alternate in (False, True):
                try:
                    regions, bands = _Placing(self, words, spilled, reserved, alternate).run()
                except _FullError as full:
                    refusal = full
                else:
                    return Spilled(regions, reserved - 1 if reserved < count else None, bands)
        assert refusal is not None
        raise refusal


@dataclass
class _Placing:
    """One way to place what does not spill, and the buffers."""

    search: _Search
    words: int
    spilled: frozenset[str]
    #: The image's place is free from this operation on.
    reserved: int
    #: Operations start from either end in turn.
    alternate: bool
    regions: dict[str, Region] = field(default_factory=dict)
    bands: dict[int, Bands] = field(default_factory=dict)

    def run(self) -> tuple[dict[str, Region], dict[int, Bands]]:
        memory, last_use = Allocator(self.words), self.search.demand.last_use
        image, size = self.search.demand.image
        if image not in self.spilled:
            self._take(memory, image, size, -1)
        live = set(self.regions)
        for index, work in enumerate(self.search.works):
            for name in work.outputs:
                if name not in self.spilled:
                    self._take(memory, name, self.search.sizes[name], index)
                    live.add(name)
            if self.spilled & {*work.sources, *work.outputs}:
                self.bands[index] = self._buffers(memory, index, work)
            # Nothing waits until what the operation before made is written, so buffers keep clear of it.
            made = work.outputs if index + 1 < len(self.search.works) else ()
            for name in [name for name in live if last_use.get(name, index) <= index and name not in made]:
                live.remove(name)
                memory.give_back(self.regions[name])
        return self.regions, self.bands

    def _avoided(self, late: bool) -> Region | None:
        return self.regions.get(self.search.demand.image[0]) if late else None

    def _take(self, memory: Allocator, name: str, size: int, index: int) -> None:
        late = self.search.demand.last_use.get(name, self.reserved) >= self.reserved
        high = self.alternate and index % 2 == 0
        try:
            self.regions[name] = memory.take(size, name, self._avoided(late and index >= 0), high=high)
        except SternaError as error:
            raise _FullError(index, name, size, memory.in_use) from error

    def _buffers(self, memory: Allocator, index: int, work: _Work) -> Bands:
        """The buffers with which the fewest words are loaded that computing has to wait for."""
        gaps = memory.gaps(self._avoided(index >= self.reserved))
        reads, makes = (bool(self.spilled & set(names)) for names in (work.sources, work.outputs))
        best: tuple[float, Bands] | None = None
        whole = work.needs.map
        for rows in range(1, whole + 1) if makes else [whole]:
            for outputs in range(_OUTPUTS if rows < whole else 1, 0, -1) if makes else [0]:
                bands = _fit(work, gaps, rows, outputs, reads=reads)
                if bands is None:
                    continue
                cost = work.in_row * _loaded(work.needs, rows, bands.input_rows) if reads else 0
                cost += -(-whole // rows) * (_BAND_WORDS + (outputs == 1) * rows * work.out_row)
                if best is None or cost < best[0]:
                    best = cost, bands
        if best is None:
            rows = 1 if makes else whole
            needed = makes * work.out_row + reads * work.needs.most(rows) * work.in_row
            raise _FullError(index, work.outputs[-1], needed, memory.in_use)
        return best[1]


def _fit(work: _Work, gaps: Sequence[Region], rows: int, outputs: int, *, reads: bool) -> Bands | None:
    """Buffers for bands of `rows` in the gaps: those of outputs where least is left, then all rows that fit."""
    left = list(gaps)
    bases = []
    for _ in range(outputs):
        size = rows * work.out_row
        fitting = [gap for gap in left if gap.words >= size]
        if not fitting:
            return None
        gap = min(fitting, key=lambda gap: gap.words)
        left.remove(gap)
        bases.append(gap.base)
        left.append(Region(gap.base + size, gap.words - size))
    if not reads:
        return Bands(rows, 0, 0, tuple(bases))
    widest = max(left, key=lambda gap: gap.words)
    room = min(widest.words // work.in_row, work.needs.sources)
    return Bands(rows, widest.base, room, tuple(bases)) if room >= work.needs.most(rows) else None
