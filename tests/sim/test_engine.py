"""The simulated engine equals the reference on every layer of random graphs, on random configs."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.run.compare import compare_backends
from sterna.run.transports.sim import MemoryTiming
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from support.engines import simulated
from support.network_graphs import passthrough_graph
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image

# Seeds of configs that together hold every number of clusters, several tile shapes, bus and activation widths.
CONFIGS = ((1, 6), (2, 8), (38, 8))
SLOW_CONFIGS = tuple((seed, (8, 6, 8, 4, 8, 5, 8, 7)[seed % 8]) for seed in range(20))
GRAPHS = 100
SLOW_GRAPHS = 1000


def config_of(
    seed: int, act_bits: int, *, input_table: bool = False, general_requant: bool = False, first_layer: bool = False
) -> EngineConfig:
    config = random_config(np.random.default_rng(seed), act_bits=act_bits)
    options = {"input_table": input_table, "general_requant": general_requant, "first_layer": first_layer}
    return config.model_copy(update=options)


def check_graphs(config: EngineConfig, first: int, count: int) -> None:
    """Run graphs of seeds first, first+1, ... and compare every layer; odd ones with a slow, stalling memory."""
    for timing in (None, MemoryTiming(latency=(5, 60), stall=0.3, seed=first + 1)):
        with simulated(config, timing=timing) as engine, open_backend("reference:") as reference:
            for seed in range(first + (timing is not None), first + count, 2):
                check_graph(config, seed, engine, reference)


def check_graph(config: EngineConfig, seed: int, engine: Backend, reference: Backend) -> None:
    rng = np.random.default_rng(seed)
    names = ("input_table", "general_requant", "first_layer")
    graph = random_graph(rng, act_bits=config.act_w, acc_bits=20, **{name: getattr(config, name) for name in names})
    package = compile_graph(graph, config, trace=True)
    images = np.stack([random_image(rng, graph) for _ in range(rng.integers(1, 3))])
    comparison = compare_backends(reference, engine, package, images)
    assert comparison.equal, f"graph {seed}: {comparison.first}"
    counters = engine.counters()
    assert counters is not None
    operations = sum(step.busy for step in counters.steps)
    additions = sum(step.nonzeros for step in package.schedule.steps)
    assert WORD_CHANNELS * operations >= additions, f"graph {seed}: fewer operations counted than the tape needs"


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize(("seed", "act_bits"), CONFIGS)
def test_engine_equals_reference(seed: int, act_bits: int, part: int) -> None:
    share = GRAPHS // 4
    check_graphs(config_of(seed, act_bits), 1000 * seed + share * part, share)


def test_an_engine_starts_whatever_its_registers_hold() -> None:
    """The seed of the memory is also that of what registers hold before the reset."""
    config = config_of(4, 8)
    package = compile_graph(random_graph(np.random.default_rng(0)), config, cycles=False)
    for seed in range(30):
        with simulated(config, timing=MemoryTiming(seed=seed)) as engine:
            engine.load(package)


def test_an_engine_with_input_tables() -> None:
    """The tables of a graph, or those that shift if it has none."""
    check_graphs(config_of(1, 6, input_table=True), 5000, GRAPHS // 4)


@pytest.mark.parametrize("act_bits", [pytest.param(5, marks=pytest.mark.slow), 8])
def test_an_engine_with_clamps_and_ties_to_even(act_bits: int) -> None:
    check_graphs(config_of(2, act_bits, general_requant=True), 6000 * act_bits, GRAPHS // 2)


@pytest.mark.slow
@pytest.mark.parametrize("act_bits", [4, 7])
def test_an_engine_that_computes_first_layers(act_bits: int) -> None:
    """With tables and limits of its own."""
    config = config_of(4, act_bits, input_table=True, general_requant=True, first_layer=True)
    check_graphs(config, 7000 * act_bits, GRAPHS // 4)


@pytest.mark.parametrize("seed", range(4))
def test_passthrough_frames_follow_each_other(seed: int) -> None:
    """Maps split by phase, and frames that are queued and find their image loaded."""
    rng = np.random.default_rng(seed)
    height, width = (2 * int(size) for size in rng.integers(4, 16, 2))
    graph = passthrough_graph(rng, height, width)
    images = rng.integers(-128, 128, (4, 3, height, width)).astype(np.int8)
    timing = MemoryTiming(latency=(5, 60), stall=0.3, seed=seed) if seed % 2 else None
    for trace in (True, False):
        package = compile_graph(graph, config_of(2, 8), trace=trace)
        with simulated(package.config, timing=timing) as engine, open_backend("reference:") as reference:
            comparison = compare_backends(reference, engine, package, images)
            assert comparison.equal, str(comparison.first)


def check_many(seed: int, act_bits: int, first: int, count: int) -> None:
    """Some of the graphs of a slow config."""
    config = config_of(
        seed, act_bits, input_table=seed % 3 == 0, general_requant=seed % 2 == 0, first_layer=seed % 5 == 0
    )  # fmt: skip
    check_graphs(config, 10_000 * (seed + 1) + first, count)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "act_bits"), SLOW_CONFIGS)
def test_engine_equals_reference_on_many(seed: int, act_bits: int) -> None:
    check_many(seed, act_bits, 0, SLOW_GRAPHS)
