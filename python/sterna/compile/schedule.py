"""How an operation is divided among parts, clusters, PEs and accumulators, and the order of its vectors."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.lower import PHASES, Operation, Weights
from sterna.compile.memory import Map
from sterna.graph.csd import digits
from sterna.package.plan import Part, Spread
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import Pool

#: Added to window offsets, so that they pack as unsigned bytes.
_OFFSET = 1 << 7
#: Maximum number of swaps of filters between places in a row.
_SWAPS = 500


@dataclass(frozen=True)
class Fetches:
    """The fetch words of a part: plane of the channel word, window offset, channels that become vectors, wait."""

    plane: NDArray[np.int64]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    mask: NDArray[np.int64]
    after: NDArray[np.int64]

    @property
    def word_vectors(self) -> NDArray[np.int64]:
        """Vectors that each fetch word gives."""
        return np.bitwise_count(self.mask).astype(np.int64)

    @property
    def last_vectors(self) -> NDArray[np.int64]:
        """The last vector that each fetch word gives."""
        return np.cumsum(self.word_vectors) - 1

    @property
    def vectors(self) -> int:
        """Vectors of the part."""
        return int(self.word_vectors.sum())


@dataclass(frozen=True)
class Additions:
    """Every addition of a part as parallel arrays."""

    stream: NDArray[np.int64]
    vector: NDArray[np.int64]
    acc_index: NDArray[np.int64]
    subtract: NDArray[np.bool_]
    #: Digit plane.
    plane: NDArray[np.int64]


@dataclass(frozen=True)
class PartWork:
    """What the PEs do in a part."""

    fetches: Fetches
    additions: Additions
    #: (digit plane, its last vector, doublings after it), highest plane first.
    planes: tuple[tuple[int, int, int], ...]


def phases(operation: Operation) -> int:
    """Accumulators that a filter of the operation takes: one for each phase, each in another PE."""
    return 1 if operation.pool is Pool.NONE else len(PHASES)


def row_channels(config: EngineConfig, pool: Pool) -> int:
    """Channels that a row of accumulators, one of each PE of a cluster, holds."""
    return config.pes // (1 if pool is Pool.NONE else len(PHASES))


def drained_words(config: EngineConfig, pool: Pool, channels: int) -> NDArray[np.int64]:
    """Words that a drain has written of a part when a channel is written, by [cluster of the drain, channel].

    A drain takes row after row of channels, in each row cluster after cluster (docs/explanation/engine/time.md).
    Not for `Pool.KEEP`.
    """
    row_size = row_channels(config, pool)
    row, index = np.divmod(np.arange(channels), row_size)
    cluster = np.arange(config.drain_clusters)[:, None]
    in_row = -(-np.minimum(channels - row * row_size, row_size) // WORD_CHANNELS)
    before = row * config.drain_clusters * -(-row_size // WORD_CHANNELS)
    words: NDArray[np.int64] = before + cluster * in_row + index // WORD_CHANNELS + 1
    return words


def spread(config: EngineConfig, operation: Operation, tiles: int) -> Spread:
    """Choose tiles at once and parts with the fewest cycles by a coarse count, and give filters to PEs by work."""
    digit = digits(operation.weights.value)
    work = _work(operation, digit)
    row = row_channels(config, operation.pool)
    vectors = _vector_count(operation.weights, digit)
    best: tuple[float, int] | None = None
    tiles_at_once = 1
    while tiles_at_once <= config.clusters:
        groups = config.clusters // tiles_at_once
        parts = -(-operation.filters // (groups * row * config.accumulators))
        load = vectors * max(1.0, tiles_at_once / WORD_CHANNELS)
        rows = -(-operation.filters // (parts * groups * row))
        drain = rows * config.pes * config.drain_clusters
        busy = max(work.sum() / (parts * groups * config.pes), work.max(initial=0) / phases(operation))
        cycles = -(-tiles // tiles_at_once) * parts * max(load, _walk(busy, vectors), drain)
        if best is None or cycles < best[0]:
            best = (cycles, tiles_at_once)
        tiles_at_once *= 2
    assert best is not None
    chosen = best[1]
    return Spread(chosen, _parts(config, work, config.clusters // chosen, row))


def _walk(busy: float, vectors: int) -> float:
    """Cycles of a PE for `busy` additions spread over `vectors`: it needs skips where vectors have none for it.

    Vectors without an addition are taken as random; a skip is needed from the third in a row on.
    """
    missed = math.exp(-busy / vectors) if vectors else 0.0
    return busy + vectors * missed**2


def _work(operation: Operation, digit: NDArray[np.int8]) -> NDArray[np.int64]:
    """Additions of each filter for one tile: its nonzero digits over all phases."""
    count = np.abs(digit).sum(axis=0, dtype=np.int64)
    return np.bincount(operation.weights.filter, weights=count, minlength=operation.filters).astype(np.int64)


def _vector_count(weights: Weights, digit: NDArray[np.int8]) -> int:
    """Vectors of all digit planes."""
    vector = _vector_key(weights)
    return sum(len(np.unique(vector[plane != 0])) for plane in digit if plane.any())


def _vector_key(weights: Weights) -> NDArray[np.int64]:
    """One number for each (channel, row, col), in that order."""
    channel, row, col = (axis.astype(np.int64) for axis in (weights.channel, weights.row, weights.col))
    return (((channel << 8) + row + _OFFSET) << 8) + col + _OFFSET


def _parts(config: EngineConfig, work: NDArray[np.int64], groups: int, row: int) -> tuple[Part, ...]:
    """Deal filters, heaviest first, to the part, group and place in a row with least work and an accumulator left."""
    count = -(-len(work) // (groups * row * config.accumulators))
    channels = -(-len(work) // (count * groups))
    places = min(row, channels)
    dealt: dict[tuple[int, int, int], list[int]] = {
        (step, group, place): [] for step in range(count) for group in range(groups) for place in range(places)
    }
    heap = [(0, where) for where in dealt]
    for index in np.argsort(-work, kind="stable"):
        load, where = heapq.heappop(heap)
        dealt[where].append(int(index))
        if len(dealt[where]) < -(-(channels - where[2]) // row):
            heapq.heappush(heap, (load + int(work[index]), where))
    _even_out(list(dealt.values()), work)
    filters = np.full((count, groups, channels), -1, np.int64)
    for (step, group, place), members in dealt.items():
        filters[step, group, place + row * np.arange(len(members))] = members
    return tuple(Part(step) for step in filters)


def _even_out(dealt: list[list[int]], work: NDArray[np.int64]) -> None:
    """Swap filters of the place with the most work for lighter ones of others, as long as that lowers the maximum."""
    owner = np.repeat(np.arange(len(dealt)), [len(members) for members in dealt])
    member = np.array([index for members in dealt for index in members])
    load = np.bincount(owner, weights=work[member], minlength=len(dealt))
    for _ in range(_SWAPS):
        most = int(load.argmax())
        mine = np.flatnonzero(owner == most)
        less = work[member[mine]][:, None] - work[member][None, :]
        higher = np.where(less > 0, np.maximum(load[most] - less, load[owner][None, :] + less), np.inf)
        first, second = np.unravel_index(int(higher.argmin()), higher.shape)
        if higher[first, second] >= load[most]:
            break
        moved = less[first, second]
        load[most] -= moved
        load[owner[second]] += moved
        member[mine[first]], member[second] = member[second], member[mine[first]]
    for place, members in enumerate(dealt):
        members[:] = member[owner == place].tolist()


def part_work(config: EngineConfig, operation: Operation, source: Map, chosen: Part, step: int) -> PartWork:
    """Vectors and additions of one part, which is CONV step `step`.

    The vectors come from `source`, the joined maps the weights count over, those of maps that are ready first.
    """
    weights, stream, acc_index = _placed(config, operation, chosen)
    words = _Words(source)
    vectors = words.vectors(weights)
    digit = digits(weights.value)
    used = [plane for plane in reversed(range(len(digit))) if digit[plane].any()]
    if not used:
        return PartWork(words.fetches([words.any_vector()], step), _no_additions(), ((0, 0, 0),))
    listed, parts, planes, before = [], [], [], 0
    for plane, following in zip(used, [*used[1:], 0], strict=True):
        members = np.flatnonzero(digit[plane])
        mine, vector = np.unique(vectors[members], return_inverse=True)
        zero = np.zeros_like(vector)
        subtract = digit[plane, members] < 0
        parts.append(Additions(stream[members], vector + before, acc_index[members], subtract, zero + plane))
        before += len(mine)
        listed.append(mine)
        planes.append((plane, before - 1, plane - following))
    names = Additions.__dataclass_fields__
    joined = Additions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return PartWork(words.fetches(listed, step), joined, tuple(planes))


def _no_additions() -> Additions:
    none = np.zeros(0, np.int64)
    return Additions(none, none, none, none.astype(bool), none)


def _placed(
    config: EngineConfig, operation: Operation, chosen: Part
) -> tuple[Weights, NDArray[np.int64], NDArray[np.int64]]:
    """The nonzeros of the part with the stream and accumulator of each."""
    group, index = np.nonzero(chosen.filters >= 0)
    members = chosen.filters[group, index]
    row = row_channels(config, operation.pool)
    pe_of, acc_index_of = np.full(operation.filters, -1, np.int64), np.zeros(operation.filters, np.int64)
    pe_of[members] = group * config.pes + index % row
    acc_index_of[members] = index // row
    weights = operation.weights.select(np.flatnonzero(pe_of[operation.weights.filter] >= 0))
    return weights, pe_of[weights.filter] + row * weights.phase.astype(np.int64), acc_index_of[weights.filter]


class _Words:
    """The channel words of a map in the order in which they are ready, and the vectors that they give.

    A vector has a sortable number: place of its channel word in that order, row and column of the window, byte.
    """

    def __init__(self, source: Map) -> None:
        self._source = source
        plane, first, word = np.unique(source.plane, return_index=True, return_inverse=True)
        written = np.zeros_like(plane)
        np.maximum.at(written, word, source.written)
        order = np.lexsort((plane, written, source.step[first]))
        self._written = written[order]
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        self._channel = first[order]  # a channel of each word
        self._place = place[word]

    def vectors(self, weights: Weights) -> NDArray[np.int64]:
        """The vector of each nonzero."""
        key = (self._place[weights.channel] << 8) + weights.row + _OFFSET
        key = (key << 8) + weights.col + _OFFSET
        vector: NDArray[np.int64] = (key << 2) + self._source.byte[weights.channel]
        return vector

    def any_vector(self) -> NDArray[np.int64]:
        """A vector for a part that needs none."""
        return np.array([((_OFFSET << 8) + _OFFSET) << 2])

    def fetches(self, listed: list[NDArray[np.int64]], step: int) -> Fetches:
        """Fetch words for the vectors of each list, list after list, read by CONV step `step`."""
        parts = [np.unique(vectors >> 2, return_inverse=True) for vectors in listed]
        fetch = np.concatenate([words for words, _ in parts])
        mask = np.zeros(len(fetch), np.int64)
        before = 0
        for (words, index), vectors in zip(parts, listed, strict=True):
            np.bitwise_or.at(mask, before + index, np.int64(1) << (vectors & 3))
            before += len(words)
        channel = self._channel[fetch >> 16]
        just_made = self._source.step[channel] == step - 1
        after = np.where(just_made & (step > 0), self._written[fetch >> 16], 0)
        return Fetches(
            self._source.plane[channel], ((fetch >> 8) & 255) - _OFFSET, (fetch & 255) - _OFFSET, mask, after
        )
