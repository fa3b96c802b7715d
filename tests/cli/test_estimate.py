"""`sterna estimate` shows a size and a speed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sterna.cli.estimate import path_table, path_verdict
from sterna.estimate import usage
from sterna.estimate.engine import EngineEstimate
from sterna.estimate.fpgas import load_fpga
from sterna.estimate.hierarchy import Part
from sterna.estimate.usage import Usage
from sterna.estimate.whole import SMALL

from .conftest import Sterna


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump({"small": SMALL.model_dump(exclude={"name"}) | {"fm_words": 8192}}))
    return f"{path}:small"


def test_estimate_shows_size_and_speed(sterna: Sterna, graph_path: Path, small: str) -> None:
    ended = sterna("estimate", graph_path, "--config", small, "--fpga", "de10-nano")
    assert ended.code == 0, ended.err
    shown = ("lane_group", "gather", "ALMs: ", "of 41,910", "Queued: ", "Alone: ", "ddr4-2133 sustains", "estimate")
    for text in shown:
        assert text in ended.out


def test_estimate_with_another_memory(sterna: Sterna, graph_path: Path, small: str, tmp_path: Path) -> None:
    plot = tmp_path / "speed.svg"
    common = ("estimate", "--config", small, "--fpga", "de10-nano")
    ended = sterna(*common, graph_path, "--memory", "ideal", "--plot", plot)
    assert ended.code == 0, ended.err
    assert "that ideal sustains" in ended.out and f"Plot: {plot}" in ended.out and plot.is_file()
    for options, said in (
        (("--plot", plot), "there is no graph"),
        ((graph_path, "--plot", tmp_path / "speed.txt"), "is not an image name"),
        ((graph_path, "--memory", "fast"), "no such memory timing; memory timing = fast; allowed: ideal, ddr4-2133"),
    ):
        ended = sterna(*common, *options)
        assert ended.code == 2 and said in ended.err


def test_what_does_not_fit_is_said(sterna: Sterna, tmp_path: Path, small: str) -> None:
    ended = sterna("estimate", "--config", small, "--fpga", "gx1150")
    assert "(fits; the limit is 85%)" in ended.out and "does not fit" not in ended.out
    path = Path(small.rpartition(":")[0])
    path.write_text(path.read_text().replace("fm_words: 8192", "fm_words: 65536"))
    ended = sterna("estimate", "--config", small, "--fpga", "de10-nano")
    assert "block RAM" in ended.out and "does not fit" in ended.out


def sized(*picoseconds: int) -> EngineEstimate:
    """An engine of modules with these delays, of wires alone."""
    modules = []
    for at, delay in enumerate(picoseconds):
        path = usage.Path(delay // 2, 0, 1, "port", "port")
        found = Usage(0, 0, 0, 0, 0, 0, 0, paths=dict.fromkeys(("cyclone5", "arria10"), path))
        modules.append((Part(f"sterna_m{at}", ()), 1, found))
    return EngineEstimate(SMALL, load_fpga("gx1150"), (), tuple(modules))


@pytest.mark.parametrize(
    ("delays", "rows", "verdict"),
    [
        ([5000] * 10 + [4166] * 5, 10, "takes 120.0% of the period (10 of 15 modules are over)"),
        ([1000] * 11 + [4168], 8, "takes 100.0% of the period (1 of 12 modules are over)"),
        ([1000, 4166], 2, "takes 100.0% of the period (all are within)"),
    ],
)
def test_paths_over_the_period_are_all_shown(delays: list[int], rows: int, verdict: str) -> None:
    size = sized(*delays)
    assert path_table(size).row_count == rows
    assert verdict in path_verdict(size)


def test_unknown_fpga_is_refused(sterna: Sterna, small: str) -> None:
    ended = sterna("estimate", "--config", small, "--fpga", "gx9")
    assert ended.code == 2 and "no such FPGA" in ended.err
