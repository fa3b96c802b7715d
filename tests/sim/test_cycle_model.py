"""The compiler's cycle model equals the cycles and waits counted by the simulated engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.graph import file
from sterna.package.counters import StepCounters
from sterna.package.package import Package
from sterna.run.backend import Backend
from sterna.spec import load_config
from sterna.spec.paths import ROOT
from support.engines import count_frames, simulated
from support.first_layers import first_graph
from support.network_graphs import random_network_graph
from support.random_configs import random_config
from support.random_graphs import random_graph

MARK = pytest.mark.case(
    "cycle-model-of-four-drains", kind="hardware", expected="the estimated cycles and waits are those counted"
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Backend]:
    with simulated(load_config("nano")) as backend:
        yield backend


def check(engine: Backend, package: Package) -> None:
    """Every counter of every step of a frame alone, and the cycles from one queued frame to the next."""
    alone, queued = count_frames(engine, package)
    assert tuple(map(StepCounters.expected, package.schedule.steps)) == alone.steps
    assert package.schedule.queued_cycles == queued.cycles


@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_random_graphs(engine: Backend, seed: int, trace: bool) -> None:
    """With `trace`, STORE steps go on beside what computes."""
    general = load_config("nano").general_requant
    graph = random_graph(np.random.default_rng(seed), max_size=40, max_channels=40, general_requant=general)
    check(engine, compile_graph(graph, load_config("nano"), trace=trace))


@pytest.mark.parametrize(("memory", "burst_beats"), [("ideal", 64), ("slow", 16)])
def test_other_memories(memory: str, burst_beats: int, tmp_path: Path) -> None:
    """Of which one is as slow as memory of a host, moves less than half of the beats and takes short bursts only."""
    (tmp_path / "own.yaml").write_text(
        "slow: {latency: 240, refresh_every: 500, refresh_cycles: 90, gap_every: 7, gap_cycles: 4}"
    )
    name = memory if memory == "ideal" else f"{tmp_path}/own.yaml:{memory}"
    config = load_config("nano").model_copy(update={"memory": name, "burst_beats": burst_beats})
    with simulated(config) as backend:
        for seed in range(4):
            graph = random_graph(np.random.default_rng(seed), max_size=40, max_channels=40)
            check(backend, compile_graph(graph, config, trace=seed % 2 == 1))


def test_input_tables() -> None:
    config = random_config(np.random.default_rng(1), act_bits=6).model_copy(update={"input_table": True})
    with simulated(config) as backend:
        for seed in range(6):
            rng = np.random.default_rng(seed)
            graph = random_graph(rng, act_bits=config.act_w, max_size=40, max_channels=40, input_table=True)
            check(backend, compile_graph(graph, config))


def test_first_layers() -> None:
    """With and without a pool, of one and two groups of filters and of three sizes."""
    config = load_config("nano").model_copy(update={"first_layer": True, "acc_w": 24})
    with simulated(config) as backend:
        for pool in (True, False):
            for filters, (height, width) in ((32, (30, 26)), (7, (11, 9)), (18, (2, 33))):
                graph = first_graph(np.random.default_rng(0), height, width, filters, pool)
                package = compile_graph(graph, config, trace=filters == 7)
                assert package.plan.first_layer
                check(backend, package)


@pytest.mark.slow
def test_first_layers_of_random_graphs() -> None:
    """On tiles of other sizes, with input tables and narrow activations."""
    options = {"first_layer": True, "input_table": True}
    config = random_config(np.random.default_rng(4), act_bits=6).model_copy(update=options)
    with simulated(config) as backend:
        for seed in range(10):
            graph = random_graph(np.random.default_rng(seed), act_bits=6, max_size=40, max_channels=40, **options)
            check(backend, compile_graph(graph, config, trace=seed % 2 == 1))


def test_the_kept_model(engine: Backend) -> None:
    check(engine, compile_graph(file.load(ROOT / "models" / "demo-nano.sterna-graph"), load_config("nano")))


# Seeds of configs of 1, 2 and 4 drains that differ in all else as well.
CONFIGS = (1, 2, 29)
SLOW_CONFIGS = (0, 3, 5, 7, 12, 19, 28, 34, 38, 44, 55)


@MARK
@pytest.mark.parametrize("seed", [*CONFIGS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in SLOW_CONFIGS)])
def test_random_configs(seed: int, got: Callable[[object], None]) -> None:
    config = random_config(np.random.default_rng(seed))
    with simulated(config) as backend:
        for graph_seed in range(10):
            graph = random_graph(np.random.default_rng(graph_seed), max_size=40, max_channels=40)
            check(backend, compile_graph(graph, config, trace=graph_seed % 2 == 1))
    got(f"{config.drains} drains of {config.clusters} clusters: every counter of every step equal in 10 graphs")


@pytest.mark.slow
@pytest.mark.parametrize("density", [0.3, 0.1])
def test_yolov2_as_on_arria10(density: float) -> None:
    """Tiles of 3x3 of a small image: as many tiles and the same weights as those of 13x13 of 416x416."""
    config = load_config("arria10").model_copy(update={"name": "small-tiles", "tile_h": 3, "tile_w": 3})
    graph = random_network_graph(np.random.default_rng(0), "yolov2", 96, 96, density=density)
    with simulated(config) as backend:
        check(backend, compile_graph(graph, config))
