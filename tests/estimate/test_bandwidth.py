"""Frames per second against the memory, and what `sterna estimate` says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.clock import Clock
from sterna.compile.compiler import compile_timed
from sterna.errors import SternaError
from sterna.estimate.bandwidth import LATENCIES, SHARES, bus_bandwidth, memory_of, sweep
from sterna.estimate.performance import performance
from sterna.estimate.plot import check_image, draw_memories
from sterna.package.package import Package
from sterna.spec.config import load_config
from support.random_graphs import random_graph

NANO = load_config("nano")
MHZ = 100


@pytest.fixture(scope="module")
def compiled() -> tuple[Package, Clock]:
    return compile_timed(random_graph(np.random.default_rng(0), max_size=40, max_channels=40), NANO)


def test_without_cycles_there_is_no_performance(compiled: tuple[Package, Clock]) -> None:
    untimed = compile_graph(compiled[0].graph, NANO, cycles=False)
    with pytest.raises(SternaError, match=r"performance: the package does not tell its cycles.* without --no-cycles"):
        performance(untimed, MHZ)


@pytest.mark.parametrize(("bandwidth", "moved"), [(1.6, 1.0), (30.0, 1.0), (0.8, 0.5), (0.56, 0.35), (0.001, 0.01)])
def test_a_memory_of_a_bandwidth(bandwidth: float, moved: float) -> None:
    assert bus_bandwidth(NANO, MHZ) == 1.6
    memory = memory_of(NANO, MHZ, bandwidth, 60)
    assert memory.share == pytest.approx(moved) and memory.latency == 60


def test_frames_follow_bandwidth_and_latency(compiled: tuple[Package, Clock]) -> None:
    package, clock = compiled
    said: list[str] = []
    points = sweep(clock, package, MHZ, [0.4, 1.0, 1.6, 20.0], [20, 400], lambda *what: said.append(what[2]))
    near, far = [point.cycles for point in points[:4]], [point.cycles for point in points[4:]]
    assert near[0] > near[1] > near[2] == near[3]
    assert all(a < b for a, b in zip(near, far, strict=True))
    assert len(said) == 6, "what the bus cannot take is not counted again"
    # The same gaps and no latency to speak of: as the engine of the config counts them.
    config = NANO.model_copy(update={"memory": "ideal"})
    assert near[2] == compile_timed(package.graph, config)[0].schedule.queued_cycles


def test_what_is_needed_and_what_is_sustained(compiled: tuple[Package, Clock]) -> None:
    package, _ = compiled
    found = performance(package, MHZ)
    assert found.cycles < found.cycles_alone and found.frames > found.frames_alone
    assert found.sustained_bandwidth == pytest.approx(1.6e9 * NANO.memory_timing.share)
    assert found.bandwidth == pytest.approx(found.frame_traffic * found.frames) and found.bandwidth < 1.6e9


def test_the_plot(compiled: tuple[Package, Clock], tmp_path: Path) -> None:
    package, clock = compiled
    points = sweep(clock, package, MHZ)
    assert [(point.latency, point.bandwidth) for point in points] == [
        (latency, share * 1.6) for latency in LATENCIES for share in SHARES
    ]
    draw_memories(points, performance(package, MHZ), tmp_path / "memories.svg")
    drawn = (tmp_path / "memories.svg").read_text()
    assert "<svg" in drawn


def test_a_plot_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"is not an image name; output = \.txt; .*give for example speed\.png"):
        check_image(tmp_path / "speed.txt", tmp_path / "graph")
