"""How an operation is spread over passes, clusters, units, slots and blocks."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.lower import PHASES, Operation, Weights
from sterna.compile.memory import Map
from sterna.graph.csd import digits
from sterna.spec.config import WORD_CHANNELS, EngineConfig

#: Added to window offsets, so that they pack as unsigned bytes.
_OFFSET = 1 << 7


@dataclass(frozen=True)
class Pass:
    """The filters that one CONV step computes. `filters[s, i]` is drained channel i of filter group s, or -1."""

    filters: NDArray[np.int64]

    @property
    def channels(self) -> int:
        """Channels that each cluster drains."""
        return int(self.filters.shape[1])

    @property
    def group_words(self) -> int:
        """Channel words of a filter group."""
        return -(-self.channels // WORD_CHANNELS)

    @property
    def words(self) -> int:
        """Channel words of the pass."""
        return int(self.filters.shape[0]) * self.group_words


@dataclass(frozen=True)
class Spread:
    """An operation's passes and the number of tiles that the clusters work on at once."""

    tiles_at_once: int
    passes: tuple[Pass, ...]


@dataclass(frozen=True)
class Fetches:
    """The fetch words of a block: channel word plane, window offset and the channels that become lines."""

    plane: NDArray[np.int64]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    mask: NDArray[np.int64]

    @property
    def lines(self) -> int:
        """Lines of the block."""
        return int(np.bitwise_count(self.mask).sum())


@dataclass(frozen=True)
class Additions:
    """Every addition of a pass as parallel arrays; `sweep` counts a block's walks over its lines."""

    block: NDArray[np.int64]
    stream: NDArray[np.int64]
    sweep: NDArray[np.int64]
    line: NDArray[np.int64]
    slot: NDArray[np.int64]
    subtract: NDArray[np.bool_]
    plane: NDArray[np.int64]


@dataclass(frozen=True)
class PassWork:
    """What the units do in a pass: its blocks, additions, and the digit plane that ends each block and sweep."""

    blocks: tuple[Fetches, ...]
    additions: Additions
    #: (block, sweep, digit plane, doublings after it) in order of execution.
    sweeps: tuple[tuple[int, int, int, int], ...]


def spread(config: EngineConfig, operation: Operation, tiles: int) -> Spread:
    """Choose tiles at once and passes with the fewest cycles by a coarse count, and give filters to units by work."""
    work = _work(operation)
    per_unit = config.slots // (len(PHASES) if operation.pool else 1)
    lines = _line_count(operation.weights)
    best: tuple[float, int] | None = None
    tiles_at_once = 1
    while tiles_at_once <= config.clusters:
        streams = config.clusters // tiles_at_once * config.units
        passes = -(-operation.filters // (streams * per_unit))
        load = lines * max(1.0, tiles_at_once / WORD_CHANNELS)
        drain = -(-operation.filters // (passes * config.clusters // tiles_at_once)) * (4 if operation.pool else 1)
        busy = max(work.sum() / (passes * streams), float(work.max(initial=0)))
        cycles = -(-tiles // tiles_at_once) * passes * max(load, busy, drain)
        if best is None or cycles < best[0]:
            best = (cycles, tiles_at_once)
        tiles_at_once *= 2
    assert best is not None
    chosen = best[1]
    return Spread(chosen, _passes(config, work, config.clusters // chosen, per_unit))


def _work(operation: Operation) -> NDArray[np.int64]:
    """Additions of each filter for one tile: its nonzero digits over all phases."""
    count = np.abs(digits(operation.weights.value)).sum(axis=0, dtype=np.int64)
    return np.bincount(operation.weights.filter, weights=count, minlength=operation.filters).astype(np.int64)


def _line_count(weights: Weights) -> int:
    return len(np.unique(_line_key(weights)))


def _line_key(weights: Weights) -> NDArray[np.int64]:
    """One number for each (channel, row, col), in that order."""
    channel, row, col = (axis.astype(np.int64) for axis in (weights.channel, weights.row, weights.col))
    return (((channel << 8) + row + _OFFSET) << 8) + col + _OFFSET


def _passes(config: EngineConfig, work: NDArray[np.int64], groups: int, per_unit: int) -> tuple[Pass, ...]:
    """Deal filters, heaviest first, to the pass, group and unit with the least work that has a slot left."""
    count = -(-len(work) // (groups * config.units * per_unit))
    channels = -(-len(work) // (count * groups))
    units = min(config.units, channels)
    dealt: dict[tuple[int, int, int], list[int]] = {
        (step, group, unit): [] for step in range(count) for group in range(groups) for unit in range(units)
    }
    heap = [(0, place) for place in dealt]
    for index in np.argsort(-work, kind="stable"):
        load, place = heapq.heappop(heap)
        dealt[place].append(int(index))
        if len(dealt[place]) < -(-(channels - place[2]) // config.units):
            heapq.heappush(heap, (load + int(work[index]), place))
    filters = np.full((count, groups, channels), -1, np.int64)
    for (step, group, unit), members in dealt.items():
        filters[step, group, unit + config.units * np.arange(len(members))] = members
    return tuple(Pass(step) for step in filters)


def pass_work(config: EngineConfig, operation: Operation, source: Map, chosen: Pass) -> PassWork:
    """Blocks and additions of one pass; the lines come from `source`, the joined maps the weights count over."""
    weights, stream, slot = _placed(config, operation, chosen)
    planes = digits(weights.value)
    depth = int(np.flatnonzero(planes.any(axis=1)).max(initial=0)) + 1
    lines = _lines(source, weights)
    whole = _blocks(config, np.unique(lines)) if len(lines) else [_any_fetch(source)]
    if depth == 1 or len(whole) == 1:
        return _one_load(stream, slot, planes[:depth], lines, whole)
    return _load_each_plane(config, stream, slot, planes[:depth], lines)


def _placed(
    config: EngineConfig, operation: Operation, chosen: Pass
) -> tuple[Weights, NDArray[np.int64], NDArray[np.int64]]:
    """The nonzeros of the pass with the stream and slot of each."""
    group, index = np.nonzero(chosen.filters >= 0)
    members = chosen.filters[group, index]
    stream_of = np.full(operation.filters, -1, np.int64)
    slot_of = np.zeros(operation.filters, np.int64)
    stream_of[members] = group * config.units + index % config.units
    slot_of[members] = index // config.units
    weights = operation.weights.select(np.flatnonzero(stream_of[operation.weights.filter] >= 0))
    slot = slot_of[weights.filter]
    if operation.pool:
        slot = slot * len(PHASES) + weights.phase
    return weights, stream_of[weights.filter], slot


def _lines(source: Map, weights: Weights) -> NDArray[np.int64]:
    """A sortable number for each nonzero's line: channel word plane, row, col, byte."""
    plane = source.plane[weights.channel]
    key = (plane << 8) + weights.row + _OFFSET
    key = (key << 8) + weights.col + _OFFSET
    return (key << 2) + source.byte[weights.channel]


def _any_fetch(source: Map) -> NDArray[np.int64]:
    """A line that nobody uses, for passes without a nonzero."""
    key = ((int(source.plane[0]) << 8) + _OFFSET << 8) + _OFFSET
    return np.array([key << 2])


def _blocks(config: EngineConfig, lines: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cut sorted lines into the fewest blocks, of like size; the lines of a fetch stay together."""
    starts = np.flatnonzero(np.diff(lines >> 2, prepend=-1))
    ends = np.append(starts[1:], len(lines))
    limit = config.block_lines
    while True:
        cuts, begin = [0], 0
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if end - begin > limit:
                cuts.append(start)
                begin = start
        even = -(-len(lines) // len(cuts)) + WORD_CHANNELS - 1
        if even >= limit or limit < config.block_lines:
            return np.split(lines, cuts[1:])
        limit = even


def _fetches(block: NDArray[np.int64]) -> Fetches:
    fetch, index = np.unique(block >> 2, return_inverse=True)
    mask = np.zeros(len(fetch), np.int64)
    np.bitwise_or.at(mask, index, np.int64(1) << (block & 3))
    return Fetches(fetch >> 16, ((fetch >> 8) & 255) - _OFFSET, (fetch & 255) - _OFFSET, mask)


def _additions(
    chosen: NDArray[np.intp],
    plane: NDArray[np.int64],
    digit: NDArray[np.int8],
    block: NDArray[np.int64],
    line: NDArray[np.int64],
    sweep: NDArray[np.int64],
    stream: NDArray[np.int64],
    slot: NDArray[np.int64],
) -> Additions:
    return Additions(block, stream[chosen], sweep, line, slot[chosen], digit < 0, plane)


def _one_load(
    stream: NDArray[np.int64],
    slot: NDArray[np.int64],
    planes: NDArray[np.int8],
    lines: NDArray[np.int64],
    blocks: list[NDArray[np.int64]],
) -> PassWork:
    """Every block is loaded once; several digit planes are swept within the one block."""
    depth = len(planes)
    first = np.cumsum([0, *(len(block) for block in blocks)])
    rank = np.searchsorted(np.concatenate(blocks), lines)
    block = np.searchsorted(first, rank, side="right") - 1
    plane, chosen = np.nonzero(planes)
    additions = _additions(
        chosen,
        plane,
        planes[plane, chosen],
        block[chosen],
        (rank - first[block])[chosen],
        depth - 1 - plane,
        stream,
        slot,
    )
    if depth == 1:
        sweeps = tuple((index, 0, 0, 0) for index in range(len(blocks)))
    else:
        sweeps = tuple((0, depth - 1 - plane, plane, int(plane > 0)) for plane in reversed(range(depth)))
    return PassWork(tuple(map(_fetches, blocks)), additions, sweeps)


def _load_each_plane(
    config: EngineConfig,
    stream: NDArray[np.int64],
    slot: NDArray[np.int64],
    planes: NDArray[np.int8],
    lines: NDArray[np.int64],
) -> PassWork:
    """Blocks are loaded again for each digit plane, highest first, with the lines that the plane uses."""
    blocks: list[NDArray[np.int64]] = []
    parts: list[Additions] = []
    sweeps: list[tuple[int, int, int, int]] = []
    used = [plane for plane in reversed(range(len(planes))) if planes[plane].any()]
    for plane, following in zip(used, [*used[1:], 0], strict=True):
        chosen = np.flatnonzero(planes[plane])
        mine = _blocks(config, np.unique(lines[chosen]))
        first = np.cumsum([0, *(len(block) for block in mine)])
        rank = np.searchsorted(np.concatenate(mine), lines[chosen])
        block = np.searchsorted(first, rank, side="right") - 1
        zero = np.zeros_like(block)
        parts.append(
            _additions(
                chosen,
                zero + plane,
                planes[plane, chosen],
                block + len(blocks),
                rank - first[block],
                zero,
                stream,
                slot,
            )
        )
        blocks += mine
        sweeps += [(len(blocks) - len(mine) + index, 0, plane, 0) for index in range(len(mine))]
        sweeps[-1] = (*sweeps[-1][:3], plane - following)
    names = Additions.__dataclass_fields__
    joined = Additions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return PassWork(tuple(map(_fetches, blocks)), joined, tuple(sweeps))
