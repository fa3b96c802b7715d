"""Every filter is computed once, by a PE with an accumulator for it, and spread so that it takes few cycles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sterna.compile.lower import Operation, Weights, lower
from sterna.compile.schedule import row_channels, spread
from sterna.graph import Requant
from sterna.graph.csd import digits
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Pool
from support.random_configs import random_config
from support.random_graphs import random_graph

NO_REQUANT = Requant(np.ones(1, np.int64), np.zeros(1, np.int64), 0, "linear")


@pytest.mark.parametrize("seed", range(25))
def test_every_filter_has_a_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, config = random_graph(rng), random_config(rng)
    for operation in lower(graph).operations:
        plan = spread(config, operation, int(rng.integers(1, 50)))
        members = np.concatenate([chosen.filters.ravel() for chosen in plan.parts])
        assert sorted(members[members >= 0]) == list(range(operation.filters))
        assert config.clusters % plan.tiles_at_once == 0
        for chosen in plan.parts:
            assert chosen.channels <= row_channels(config, operation.pool) * config.accumulators


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
