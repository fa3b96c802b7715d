"""How an operation is divided among parts, clusters, PEs and accumulators."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.lower import PHASES, Operation, Weights
from sterna.graph.csd import digits
from sterna.package.plan import Part, Spread
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import ENTRY, FETCH_GROUP, FETCH_WORD, REPEAT_DISTANCE, WINDOW_GUARD, Pool

#: Added to window offsets, so that they pack as unsigned bytes.
_OFFSET = 1 << 7
#: Density at which an operation adds half of the vectors that it could, measured on random weights.
_SPARSE = 0.03
#: Share of the bus's beats that a memory gives, as those in hw/configs/memories.yaml do.
_BEATS_GIVEN = 0.85
#: The higher, the less do things that go on at once wait for each other.
_ORDER = 4
#: Maximum number of swaps of filters between places in a row.
_SWAPS = 500


def phases(operation: Operation) -> int:
    """Accumulators that a filter of the operation takes, all of one PE: one for each phase."""
    return 1 if operation.pool is Pool.NONE else len(PHASES)


def most_rows(config: EngineConfig, operation: Operation) -> int:
    """Filters of a PE in a part, at most."""
    return config.accumulators // phases(operation)


def spread(config: EngineConfig, operation: Operation, tiles: int, read: NDArray[np.int64] | None = None) -> Spread:
    """Choose tiles at once and parts with the fewest cycles by a coarse count, and give filters to PEs by work.

    read: [filters], the additions that other operations make of what each filter computes.
    """
    load = _load(config, operation)
    best: tuple[float, int, int] | None = None
    tiles_at_once = 1
    while tiles_at_once <= config.clusters:
        groups = config.clusters // tiles_at_once
        fewest = -(-operation.filters // (groups * config.pes * most_rows(config, operation)))
        for parts in range(fewest, 2 * fewest + 1):
            cycles = -(-tiles // tiles_at_once) * parts * load.cycles(tiles_at_once, parts)
            if best is None or cycles < best[0]:
                best = (cycles, tiles_at_once, parts)
        tiles_at_once *= 2
    assert best is not None
    _, chosen, parts = best
    read = np.zeros_like(load.work) if read is None else read
    return Spread(chosen, _parts(config, load.work, read, config.clusters // chosen, parts))


def coarse_cycles(config: EngineConfig, operation: Operation, tiles: int, plan: Spread) -> float:
    """Cycles of an operation on so many tiles as `plan` spreads it, by the coarse count."""
    parts = len(plan.parts)
    return -(-tiles // plan.tiles_at_once) * parts * _load(config, operation).cycles(plan.tiles_at_once, parts)


def _together(*cycles: float) -> float:
    """Cycles of what goes on at once: a little more than the most, as those that take nearly as many wait at times."""
    most = max(cycles)
    return most * float(sum((each / most) ** _ORDER for each in cycles)) ** (1 / _ORDER)


@dataclass(frozen=True)
class _Load:
    """What an operation asks of an engine."""

    config: EngineConfig
    filters: int
    #: Accumulators of a filter.
    phases: int
    #: Additions of each filter for a tile, and words of all digit planes.
    work: NDArray[np.int64]
    words: int
    planes: int

    def cycles(self, tiles_at_once: int, parts: int) -> float:
        """Cycles of a part for each group of tiles: of the slowest among issuer, bus and drains."""
        config = self.config
        streams = config.all_pes // tiles_at_once
        rows = -(-self.filters // (parts * streams))
        accumulators = rows * self.phases
        # A PE that has one filter more than others has more work, too.
        busy = max(self.work.mean() * rows, float(self.work.max(initial=0)))
        rounds = _together(self.words * tiles_at_once, self._operations(busy, accumulators))
        issued = rounds + accumulators + WINDOW_GUARD
        # Each group of fetch words is a record, and so are the rounds after it: two headers, alone in their beats.
        beats = (rounds * streams * ENTRY.size + self.words * FETCH_WORD.size) / config.beat_bytes
        beats += 2 * -(-self.words // FETCH_GROUP)
        return _together(issued, beats / _BEATS_GIVEN, accumulators * config.pes * config.drain_clusters)

    def _operations(self, busy: float, accumulators: int) -> float:
        """Rounds of a PE for `busy` additions to so many accumulators.

        An operation takes an addition from each channel that has one in the window, so more of them at higher density.
        """
        density = busy / max(1, accumulators * self.words * WORD_CHANNELS)
        operations = busy * (density + _SPARSE) / (density * WORD_CHANNELS) if busy else 0.0
        operations += accumulators * (self.planes - 1)
        return operations * max(1.0, REPEAT_DISTANCE / accumulators)


def _load(config: EngineConfig, operation: Operation) -> _Load:
    digit = digits(operation.weights.value)
    words = _word_count(operation.weights, digit)
    return _Load(config, operation.filters, phases(operation), _work(operation, digit), words, len(digit))


def _work(operation: Operation, digit: NDArray[np.int8]) -> NDArray[np.int64]:
    """Additions of each filter for one tile: its nonzero digits over all phases."""
    count = np.abs(digit).sum(axis=0, dtype=np.int64)
    return np.bincount(operation.weights.filter, weights=count, minlength=operation.filters).astype(np.int64)


def _word_count(weights: Weights, digit: NDArray[np.int8]) -> int:
    """Words of all digit planes, if the channels of a word follow each other; at least one."""
    word = _word_key(weights)
    return max(1, sum(len(np.unique(word[plane != 0])) for plane in digit if plane.any()))


def _word_key(weights: Weights) -> NDArray[np.int64]:
    """One number for each (channel word, row, col), in that order."""
    channel, row, col = (axis.astype(np.int64) for axis in (weights.channel, weights.row, weights.col))
    return (((channel // WORD_CHANNELS << 8) + row + _OFFSET) << 8) + col + _OFFSET


def _parts(
    config: EngineConfig, work: NDArray[np.int64], read: NDArray[np.int64], groups: int, count: int
) -> tuple[Part, ...]:
    """Deal filters, heaviest first, to the part, group and place in a row with least work and an accumulator left.

    The channels of a word are read about equally often, so that operations that read it find one in each, and the words
    of a row from the most to the least often, so that windows hold as much at any time.
    """
    row = config.pes
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
        members.sort(key=lambda index: -read[index])
        word = (group * places + place) // WORD_CHANNELS
        first = word * WORD_CHANNELS * len(members) // (groups * places)
        filters[step, group, place + row * np.arange(len(members))] = members[first:] + members[:first]
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
