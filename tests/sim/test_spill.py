"""Maps that spill to scratch memory: the simulated engine against the reference, alone and queued, and its cycles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.package.counters import StepCounters
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.run.transports.sim import MemoryTiming
from sterna.spec.config import EngineConfig
from support.engines import count_frames, simulated
from support.network_graphs import passthrough_graph
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image

#: So few words that most graphs below spill and few are refused.
WORDS = 96
#: Of configs.
SEEDS = (pytest.param(2, marks=pytest.mark.slow), 38)


def small_memory(seed: int) -> EngineConfig:
    return random_config(np.random.default_rng(seed)).model_copy(update={"fm_words": WORDS})


def spilling(config: EngineConfig, first: int, count: int) -> Iterator[Package]:
    """Random graphs, some with a passthrough, that spill; every second one is traced."""
    seed = first
    while count:
        rng = np.random.default_rng(seed)
        sizes = (2 * int(size) for size in rng.integers(6, 14, 2))
        graph = passthrough_graph(rng, *sizes) if seed % 4 == 3 else random_graph(rng, max_size=30)
        try:
            package = compile_graph(graph, config, trace=seed % 2 == 1)
        except SternaError:
            continue
        finally:
            seed += 1
        if package.plan.bands:
            count -= 1
            yield package


@pytest.mark.parametrize("seed", SEEDS)
def test_what_spills_comes_back(seed: int) -> None:
    """Four frames in sequence, with a memory that stalls for every other graph."""
    config = small_memory(seed)
    for timing in (None, MemoryTiming(latency=(5, 60), stall=0.3, seed=seed)):
        with simulated(config, timing=timing) as engine, open_backend("reference:") as reference:
            for package in spilling(config, 100 * seed + 50 * (timing is None), 8):
                rng = np.random.default_rng(seed)
                images = np.stack([random_image(rng, package.graph) for _ in range(4)])
                comparison = compare_backends(reference, engine, package, images)
                assert comparison.equal, str(comparison.first)


@pytest.mark.parametrize("seed", SEEDS)
def test_cycles_are_those_that_are_counted(seed: int) -> None:
    config = small_memory(seed)
    with simulated(config) as engine:
        for package in spilling(config, 7000 + 100 * seed, 8):
            alone, queued = count_frames(engine, package)
            assert tuple(map(StepCounters.expected, package.schedule.steps)) == alone.steps
            assert package.schedule.queued_cycles == queued.cycles
