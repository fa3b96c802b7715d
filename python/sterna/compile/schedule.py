"""How an operation is divided among parts, clusters, PEs and accumulators."""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from sterna.compile.lower import PHASES, Operation, Weights
from sterna.graph.csd import digits
from sterna.package.plan import Part, Spread
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import Pool

#: Added to window offsets, so that they pack as unsigned bytes.
_OFFSET = 1 << 7
#: Maximum number of swaps of filters between places in a row.
_SWAPS = 500


def phases(operation: Operation) -> int:
    """Accumulators that a filter of the operation takes: one for each phase, each in another PE."""
    return 1 if operation.pool is Pool.NONE else len(PHASES)


def row_channels(config: EngineConfig, pool: Pool) -> int:
    """Channels that a row of accumulators, one of each PE of a cluster, holds."""
    return config.pes // (1 if pool is Pool.NONE else len(PHASES))


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
