"""The compiler's cycle model against cycles and waits counted by the simulated engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.graph import file
from sterna.run.device import Counters, Device, StepCounters
from sterna.run.package import Package, StepInfo
from sterna.spec import load_config
from sterna.spec.paths import ROOT
from support.engines import simulated
from support.network_graphs import random_network_graph
from support.random_graphs import random_graph

#: Largest error of cycles, and of a share of unit-cycles that wait.
MOST_ERROR, MOST_WAIT_ERROR = 0.02, 0.02
#: Steps of fewer cycles are judged with their graph only.
SHORT = 300
WAITS = ("busy", "wait_lines", "wait_weights", "wait_drain")


@pytest.fixture(scope="module")
def engine() -> Iterator[Device]:
    with simulated(load_config("nano")) as device:
        yield device


def count(engine: Device, package: Package) -> tuple[Counters, Counters]:
    """Counters of a frame alone, and of the second of three that are queued."""
    shape = package.graph.info[package.graph.input.name].shape
    images = np.random.default_rng(0).integers(-128, 128, (3, *shape)).astype(np.int8)
    engine.load(package)
    engine.infer(images[:1])
    seen = [engine.counters()]
    # When the last frame has just ended, the device still shows the counters of the one before.
    engine.infer(images, progress=lambda *_: seen.append(engine.counters()))
    assert seen[0] is not None and seen[-1] is not None
    return seen[0], seen[-1]


def check(step: StepInfo, counted: StepCounters, units: int) -> None:
    assert abs(step.cycles / counted.cycles - 1) < MOST_ERROR
    for wait in WAITS:
        assert abs(getattr(step, wait) - getattr(counted, wait)) < MOST_WAIT_ERROR * units * counted.cycles


@pytest.mark.parametrize("seed", range(8))
def test_random_graphs(engine: Device, seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed), max_size=40, max_channels=40)
    package = compile_graph(graph, load_config("nano"))
    alone, queued = count(engine, package)
    estimated = sum(step.cycles for step in package.schedule.steps)
    assert abs(estimated / alone.cycles - 1) < MOST_ERROR
    assert abs(package.schedule.queued_cycles / queued.cycles - 1) < MOST_ERROR
    for step, counted in zip(package.schedule.steps, alone.steps, strict=True):
        assert step.busy == counted.busy
        if counted.cycles >= SHORT:
            check(step, counted, package.config.all_units)


def test_the_kept_model(engine: Device) -> None:
    graph = file.load(ROOT / "models" / "demo-nano.sterna-graph")
    package = compile_graph(graph, load_config("nano"))
    alone, queued = count(engine, package)
    assert abs(package.schedule.queued_cycles / queued.cycles - 1) < MOST_ERROR
    judged = [pair for pair in zip(package.schedule.steps, alone.steps, strict=True) if pair[1].cycles >= SHORT]
    assert len(judged) >= 10
    for step, counted in judged:
        check(step, counted, package.config.all_units)


@pytest.mark.slow
@pytest.mark.parametrize("density", [0.3, 0.1])
def test_yolov2_as_on_arria10(density: float) -> None:
    """Tiles of 3x3 of a small image: as many tiles and the same weights as those of 13x13 of 416x416."""
    config = load_config("arria10").model_copy(update={"name": "small-tiles", "tile_h": 3, "tile_w": 3})
    graph = random_network_graph(np.random.default_rng(0), "yolov2", 96, 96, density=density)
    package = compile_graph(graph, config)
    with simulated(config) as device:
        alone, queued = count(device, package)
    assert abs(package.schedule.queued_cycles / queued.cycles - 1) < MOST_ERROR
    for step, counted in zip(package.schedule.steps, alone.steps, strict=True):
        if counted.cycles >= SHORT:
            check(step, counted, config.all_units)
