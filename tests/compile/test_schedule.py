"""Every filter is computed once, by a unit with a slot for it, and every addition finds its line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sterna.compile.lower import Operation, Weights, lower
from sterna.compile.memory import Region, image_map, join_maps, tile_counts
from sterna.compile.schedule import PassWork, pass_work, spread
from sterna.graph import Graph, Requant
from sterna.graph.csd import digits
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.tape import Pool
from support.random_configs import random_config
from support.random_graphs import random_graph


def work_of(config: EngineConfig, graph: Graph, operation: Operation) -> list[PassWork]:
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
    members = np.concatenate([chosen.filters.ravel() for chosen in plan.passes])
    assert sorted(members[members >= 0]) == list(range(operation.filters))
    assert config.clusters % plan.tiles_at_once == 0
    return [pass_work(config, operation, join_maps(maps), chosen, 3) for chosen in plan.passes]


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
    assert work.fetches.mask.all()
    additions = work.additions
    assert additions.line.max(initial=0) < work.fetches.lines
    assert additions.slot.max(initial=0) < config.slots
    assert additions.stream.max(initial=0) < config.clusters * config.units
    # Digits are applied from the most significant down, with a doubling for each step between planes.
    doubled = np.cumsum([doublings for _, _, doublings in reversed(work.planes)])[::-1]
    first = 0
    for (plane, last, _), after in zip(work.planes, doubled, strict=True):
        assert plane == after
        lines = additions.line[additions.plane == plane]
        assert not len(lines) or first <= lines.min() <= lines.max() <= last
        first = last + 1
    assert first == work.fetches.lines


def test_lines_of_the_step_before_come_last_and_wait() -> None:
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
    (work,) = (pass_work(config, operation, join_maps([late, ready]), chosen, 3) for chosen in plan.passes)
    assert work.fetches.plane.tolist() == [8, 1, 0]
    assert work.fetches.after.tolist() == [0, 1, 2]
    (later,) = (pass_work(config, operation, join_maps([late, ready]), chosen, 4) for chosen in plan.passes)
    assert later.fetches.after.tolist() == [0, 0, 0]
