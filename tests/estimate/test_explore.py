"""The search for engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.estimate import explore
from sterna.estimate.engine import FULL
from sterna.estimate.explore import Explorer, Point, candidates, front
from sterna.graph import Graph
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import load_fpga
from support.network_graphs import passthrough_graph

FPGA = load_fpga("gx1150")
BASE = load_config("arria10")


@pytest.fixture
def graph() -> Graph:
    return passthrough_graph(np.random.default_rng(1), 64, 64)


@pytest.fixture
def configs() -> list[EngineConfig]:
    return candidates(BASE, FPGA)[:200:40]


@pytest.fixture(autouse=True)
def plain_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that need no synthesis."""

    def size(config: EngineConfig, fpga: object, progress: object) -> SimpleNamespace:
        lanes = config.lanes * config.clusters * config.pes
        return SimpleNamespace(
            alms=25 * lanes, resources=SimpleNamespace(mlabs=lanes, block_rams=lanes, dsps=config.lanes)
        )

    monkeypatch.setattr(explore, "estimate_engine", size)


def search(graph: Graph, configs: list[EngineConfig], cache: Path, frames: float = 1.0) -> list[Point]:
    return list(Explorer(graph, FPGA, cache).points(configs, frames, lambda *_: None))


def compiled_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the configs that are compiled from now on."""
    compiled = []

    def counted(source: Graph, config: EngineConfig) -> object:
        compiled.append(config.name)
        return compile_graph(source, config)

    monkeypatch.setattr(explore, "compile_graph", counted)
    return compiled


def test_candidates_are_different_and_may_fit() -> None:
    found = candidates(BASE, FPGA)
    assert len({config.hash for config in found}) == len(found) > 50
    assert all(config.lanes * config.clusters * config.pes * 40 <= FULL * FPGA.alms for config in found)
    assert any((config.tile_h, config.clusters, config.pes, config.accumulators) == (13, 4, 8, 16) for config in found)
    windows = {config.all_pes: config.block_windows for config in found}
    assert BASE.block_windows == 7 and [windows[pes] for pes in (4, 8, 16, 32, 64)] == [0, 1, 3, 7, 14]


def test_engines_that_are_too_small_are_not_compiled(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first candidate tells how much work there is; with all adders busy the last one could not do it in time."""
    largest, *_, smallest = candidates(BASE, FPGA)
    speed = search(graph, [largest], tmp_path / "first")[0].frames(FPGA)
    compiled = compiled_names(monkeypatch)
    assert len(search(graph, [largest, smallest], tmp_path / "second", 4 * speed)) == 0
    assert compiled == [largest.name]


def test_points_run_the_graph_as_fast_with_the_memory_they_name(
    graph: Graph, configs: list[EngineConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "WORDS_STEP", 1)
    points = search(graph, configs, tmp_path)
    assert len(points) == len(configs)
    for point in points:
        package = compile_graph(graph, point.config)
        assert package.schedule.queued_cycles == point.cycles
        assert point.alms == 25 * point.config.lanes * point.config.clusters * point.config.pes
        with pytest.raises(SternaError):
            compile_graph(graph, point.config.model_copy(update={"fm_words": point.config.fm_words // 6}))


def test_an_interrupted_search_goes_on(
    graph: Graph, configs: list[EngineConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> Iterator[EngineConfig]:
        yield from configs[:2]
        raise KeyboardInterrupt

    class Breaks(list[EngineConfig]):
        def __iter__(self) -> Iterator[EngineConfig]:
            return interrupted()

    with pytest.raises(KeyboardInterrupt):
        search(graph, Breaks(configs), tmp_path)
    compiled = compiled_names(monkeypatch)
    assert len(search(graph, configs, tmp_path)) == len(configs)
    assert compiled == [config.name for config in configs[2:]]


def test_a_changed_compiler_is_asked_again(
    graph: Graph, configs: list[EngineConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.py"
    source.write_text("1")
    monkeypatch.setattr(explore, "SOURCES", [source])
    compiled = compiled_names(monkeypatch)
    for text, times in (("1", 1), ("1", 1), ("2", 2)):
        source.write_text(text)
        search(graph, configs[:1], tmp_path / "cache")
        assert len(compiled) == times


def test_cycle_model_and_formats_belong_to_the_compiler() -> None:
    assert {"compiler.py", "timing.py", "tape.py", "config.py"} <= {path.name for path in explore.SOURCES}


def test_slow_engines_are_left_out(graph: Graph, configs: list[EngineConfig], tmp_path: Path) -> None:
    every = search(graph, configs, tmp_path)
    middle = sorted(point.frames(FPGA) for point in every)[len(every) // 2]
    fast = search(graph, configs, tmp_path, middle)
    assert 0 < len(fast) < len(every)
    assert fast == [point for point in every if point.frames(FPGA) >= middle]


def test_the_front_holds_what_nothing_beats() -> None:
    def point(cycles: int, alms: int, block_rams: int) -> Point:
        return Point(BASE, cycles, 0, alms, block_rams=block_rams)

    fast, small, beaten, few_blocks = point(1, 9, 9), point(5, 2, 9), point(6, 3, 9), point(7, 9, 1)
    assert front([beaten, few_blocks, small, fast]) == [fast, small, few_blocks]
    assert front([fast, fast]) == [fast, fast]


def test_what_fits() -> None:
    def fits(alms: int, mlabs: int, block_rams: int, dsps: int) -> bool:
        return Point(BASE, 1, 0, alms, mlabs, block_rams, dsps).fits(FPGA)

    # 85 % of each, less what the board's shell takes.
    assert fits(336_000, 17_000, 2170, 1200)
    assert not any([fits(337_000, 1, 1, 1), fits(1, 18_000, 1, 1), fits(1, 1, 2180, 1), fits(1, 1, 1, 1300)])
