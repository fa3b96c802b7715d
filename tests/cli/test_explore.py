"""`sterna explore` prints a table, draws an image and refuses what cannot be had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from rich.console import Console

from sterna.cli import explore as command
from sterna.estimate import explore
from sterna.estimate.explore import Point
from sterna.graph import file as graph_file
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import load_fpga

from .conftest import CLASSES, Sterna, make_graph


@pytest.fixture(autouse=True)
def few_plain_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A few engines, of sizes that need no synthesis, and a cache of its own."""

    def size(config: EngineConfig, fpga: object, progress: object) -> SimpleNamespace:
        resources = SimpleNamespace(mlabs=0, block_rams=config.lanes, dsps=config.clusters * config.lanes)
        return SimpleNamespace(alms=25 * config.lanes * config.clusters * config.pes, resources=resources)

    monkeypatch.setattr(explore, "estimate_engine", size)
    every = explore.candidates
    monkeypatch.setattr(explore, "candidates", lambda *given: every(*given)[:120:30])
    monkeypatch.setenv("STERNA_BUILD_DIR", str(tmp_path / "build"))


def test_explore_shows_and_draws(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    image = tmp_path / "new" / "front.png"
    ended = sterna("explore", graph_path, "--min-fps", 1, "-o", image)
    assert ended.code == 0, ended.err
    assert "frames/s" in ended.out and "4 engines reach 1 frames/s" in ended.out
    with Image.open(image) as drawn:
        assert drawn.width > 500


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    config = load_config("arria10").model_copy(update={"name": "15x15-4x32-32-4", "fm_words": 65536})
    table = command.point_table([Point(config, 24_000_000, 1, 400_000, 20_000, 2_713, 1_518)], load_fpga("gx1150"))
    console = Console(width=80)
    with console.capture() as shown:
        console.print(table)
    assert "15x15-4x32-32-4" in shown.get() and "…" not in shown.get()


def test_too_fast_is_refused(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    ended = sterna("explore", graph_path, "--min-fps", 1e9, "-o", tmp_path / "front.png")
    assert ended.code == 2 and "no engine is fast enough" in ended.err


@pytest.mark.parametrize(
    ("output", "said"), [("front.txt", "allowed: .png .svg .pdf"), ("folder.png", "folder.png"), ("file/a.png", "file")]
)
def test_an_image_that_cannot_be_written_is_refused_at_once(
    sterna: Sterna, graph_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, said: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(explore, "Explorer", None)
    ended = sterna("explore", graph_path, "-o", tmp_path / output)
    assert ended.code == 2 and said in ended.err and ended.err.count("\n") == 1


def test_a_graph_that_no_engine_can_run_is_refused_for_that(sterna: Sterna, tmp_path: Path) -> None:
    graph = replace(make_graph(CLASSES), act_bits=7)
    graph_file.save(graph, tmp_path / "seven.sterna-graph")
    ended = sterna("explore", tmp_path / "seven.sterna-graph", "-o", tmp_path / "front.png")
    assert ended.code == 2 and "act_bits = 7; allowed: 8" in ended.err
