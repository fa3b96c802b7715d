"""Every filter is computed once, by a unit with a slot for it, and every addition finds its line in its block."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile.lower import Operation, lower
from sterna.compile.memory import Region, join_maps, plain_map, tile_counts
from sterna.compile.schedule import PassWork, pass_work, spread
from sterna.graph import Graph
from sterna.graph.csd import digits
from sterna.spec.config import EngineConfig
from support.random_configs import random_config
from support.random_graphs import random_graph


def work_of(config: EngineConfig, graph: Graph, operation: Operation) -> list[PassWork]:
    maps, base = [], 0
    for name in operation.sources:
        info = graph.info[name]
        tiles_h, tiles_w = tile_counts(config, info.height, info.width)
        words = -(-info.channels // 4) * tiles_h * tiles_w
        maps.append(plain_map(config, info.height, info.width, info.channels, Region(base, words)))
        base += words
    info = graph.info[operation.output]
    tiles_h, tiles_w = tile_counts(config, info.height, info.width)
    plan = spread(config, operation, tiles_h * tiles_w)
    members = np.concatenate([chosen.filters.ravel() for chosen in plan.passes])
    assert sorted(members[members >= 0]) == list(range(operation.filters))
    assert config.clusters % plan.tiles_at_once == 0
    return [pass_work(config, operation, join_maps(maps), chosen) for chosen in plan.passes]


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


def _check_work(config: EngineConfig, work: PassWork) -> None:
    lines = np.array([block.lines for block in work.blocks])
    assert lines.min() > 0
    assert lines.max() <= config.block_lines
    additions = work.additions
    assert (additions.line < lines[additions.block]).all()
    assert additions.slot.max(initial=0) < config.slots
    assert additions.stream.max(initial=0) < config.clusters * config.units
    # Digits are applied from the most significant down, with a doubling for each step between planes.
    doubled = np.cumsum([step[3] for step in reversed(work.sweeps)])[::-1]
    for (_, _, plane, _), after in zip(work.sweeps, doubled, strict=True):
        assert plane == after
