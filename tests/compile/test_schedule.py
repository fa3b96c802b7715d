"""Every filter is computed once, by a PE with an accumulator for it, and every addition finds its vector."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sterna.compile.lower import Operation, Weights, lower
from sterna.compile.memory import Region, image_map, join_maps, tile_counts
from sterna.compile.schedule import PartWork, drained_words, part_work, spread
from sterna.graph import Graph, Requant
from sterna.graph.csd import digits
from sterna.spec.config import WORD_CHANNELS, EngineConfig, load_config
from sterna.spec.tape import Pool
from support.random_configs import random_config
from support.random_graphs import random_graph

NO_REQUANT = Requant(np.ones(1, np.int64), np.zeros(1, np.int64), 0, "linear")


def work_of(config: EngineConfig, graph: Graph, operation: Operation) -> list[PartWork]:
    maps, base = [], 0
    for name in operation.sources:
        info = graph.info[name]
        tiles_h, tiles_w = tile_counts(config, info.height, info.width)
        words = -(-info.channels // 4) * tiles_h * tiles_w
        maps.append(image_map(config, info.height, info.width, info.channels, Region(base, words)))
        base += words
    info = graph.info[operation.output]
    tiles_h, tiles_w = tile_counts(config, info.height, info.width)
    plan = spread(config, operation, tiles_h * tiles_w)
    members = np.concatenate([chosen.filters.ravel() for chosen in plan.parts])
    assert sorted(members[members >= 0]) == list(range(operation.filters))
    assert config.clusters % plan.tiles_at_once == 0
    return [part_work(config, operation, join_maps(maps), chosen, 3) for chosen in plan.parts]


@pytest.mark.parametrize("seed", range(25))
def test_schedule_is_complete(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, config = random_graph(rng), random_config(rng)
    for operation in lower(graph).operations:
        works = work_of(config, graph, operation)
        wanted = np.abs(digits(operation.weights.value)).sum(axis=1)
        for work in works:
            _check_work(config, work)
        planes = np.concatenate([work.additions.plane for work in works])
        np.testing.assert_array_equal(np.bincount(planes, minlength=len(wanted)), wanted)


def _check_work(config: EngineConfig, work: PartWork) -> None:
    assert work.fetches.mask.all()
    additions = work.additions
    assert additions.vector.max(initial=0) < work.fetches.vectors
    assert additions.acc_index.max(initial=0) < config.accumulators
    assert additions.stream.max(initial=0) < config.clusters * config.pes
    # Digits are applied from the most significant down, with a doubling for each step between planes.
    doubled = np.cumsum([doublings for _, _, doublings in reversed(work.planes)])[::-1]
    first = 0
    for (plane, last, _), after in zip(work.planes, doubled, strict=True):
        assert plane == after
        vectors = additions.vector[additions.plane == plane]
        assert not len(vectors) or first <= vectors.min() <= vectors.max() <= last
        first = last + 1
    assert first == work.fetches.vectors


def test_vectors_of_the_step_before_come_last_and_wait() -> None:
    config = load_config("nano")
    ready = image_map(config, 5, 5, 4, Region(8, 1))
    late = image_map(config, 5, 5, 8, Region(0, 2))
    late = replace(late, step=np.full(8, 2), written=np.array([2, 2, 2, 2, 1, 1, 1, 1]))
    channel = np.arange(12, dtype=np.int32)
    one = np.zeros(12, np.int16)
    weights = Weights(channel, np.zeros(12, np.int8), channel, one, one, np.ones(12, np.int8))
    requant = Requant(np.ones(12, np.int64), np.zeros(12, np.int64), 0, "linear")
    operation = Operation(("a",), ("late", "ready"), weights, 12, Pool.NONE, 1, 0, requant)
    plan = spread(config, operation, 1)
    (work,) = (part_work(config, operation, join_maps([late, ready]), chosen, 3) for chosen in plan.parts)
    assert work.fetches.plane.tolist() == [8, 1, 0]
    assert work.fetches.after.tolist() == [0, 1, 2]
    (later,) = (part_work(config, operation, join_maps([late, ready]), chosen, 4) for chosen in plan.parts)
    assert later.fetches.after.tolist() == [0, 0, 0]


def random_operation(rng: np.random.Generator) -> Operation:
    """Filters of random size and density, some with weights of several digits."""
    pool = Pool(int(rng.integers(len(Pool))))
    filters, channels, kernel = (int(2 ** rng.uniform(0, 8)), int(2 ** rng.uniform(0, 5)), int(rng.choice([1, 3])))
    shape = (filters, 1 if pool is Pool.NONE else 4, channels, kernel, kernel)
    # Filters differ, so that the heaviest one may decide.
    density = rng.uniform(0, 1) * rng.uniform(0, 1, (filters, 1, 1, 1, 1)) ** rng.integers(0, 5)
    value = rng.choice([-5, -1, 1, 1], shape) * (rng.random(shape) < density)
    return Operation(("conv",), ("image",), nonzeros(value.astype(np.int8)), filters, pool, 1, 0, NO_REQUANT)


def nonzeros(value: NDArray[np.int8]) -> Weights:
    """The weights [filter, phase, channel, row, col] that are not 0."""
    found, phase, channel, row, col = np.nonzero(value)
    return Weights(
        found.astype(np.int32), phase.astype(np.int8), channel.astype(np.int32), row.astype(np.int16),
        col.astype(np.int16), value[found, phase, channel, row, col],
    )  # fmt: skip


def coarse_cycles(config: EngineConfig, operation: Operation, tiles: int, at_once: int) -> float:
    """Cycles of an operation whose work is spread evenly: those of the slowest among loader, PEs and drains, for
    each part over each group of tiles."""
    weights, phases = operation.weights, 1 if operation.pool is Pool.NONE else 4
    additions, vectors = [0] * operation.filters, set()
    for number, value_digits in enumerate(digits(weights.value).T):
        for plane in np.flatnonzero(value_digits).tolist():
            additions[weights.filter[number]] += 1
            vectors.add((plane, weights.channel[number], weights.row[number], weights.col[number]))
    groups, row = config.clusters // at_once, config.pes // phases
    parts = math.ceil(operation.filters / (groups * row * config.accumulators))
    # No PE is done before its share of all, nor before the heaviest filter, which has a PE for each phase.
    busy = max(sum(additions) / (parts * groups * config.pes), max(additions) / phases)
    # A vector has no addition for a PE with this chance. Two such vectors in a row make the next one need a SKIP.
    none = math.exp(-busy / len(vectors)) if vectors else 0.0
    walked = busy + none * none * len(vectors)
    rows = math.ceil(operation.filters / (parts * groups * row))
    drained = rows * config.pes * config.clusters / config.drains
    return math.ceil(tiles / at_once) * parts * max(len(vectors), walked, drained)


@pytest.mark.parametrize("seed", range(150))
def test_as_many_tiles_at_once_as_take_the_fewest_cycles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = random_config(rng).model_copy(update={"clusters": 4})
    operation, tiles = random_operation(rng), int(2 ** rng.uniform(0, 6))
    cycles = {at_once: coarse_cycles(config, operation, tiles, at_once) for at_once in (1, 2, 4)}
    assert spread(config, operation, tiles).tiles_at_once == min(cycles, key=lambda at_once: (cycles[at_once], at_once))


@pytest.mark.parametrize("pool", [Pool.NONE, Pool.MAX])
@pytest.mark.parametrize(("pes", "drains"), [(4, 1), (8, 2), (16, 1), (32, 4)])
@pytest.mark.parametrize("channels", [1, 6, 37])
def test_channels_are_drained_row_by_row_in_each_cluster_by_cluster(
    pool: Pool, pes: int, drains: int, channels: int
) -> None:
    config = load_config("nano").model_copy(update={"pes": pes, "clusters": 4, "drains": drains})
    row = pes if pool is Pool.NONE else pes // 4
    written, words = np.zeros((config.drain_clusters, channels), np.int64), 0
    for start in range(0, channels, row):
        in_row = range(start, min(start + row, channels))
        for cluster in range(config.drain_clusters):
            for first in range(0, len(in_row), WORD_CHANNELS):
                words += 1
                written[cluster, in_row[first : first + WORD_CHANNELS]] = words
    np.testing.assert_array_equal(drained_words(config, pool, channels), written)
