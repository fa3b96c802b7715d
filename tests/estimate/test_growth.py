"""No module of the engine grows unnoticed: docs/results/modules.json keeps what each takes and its longest path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from results import modules
from results.record import read_all
from sterna.estimate.engine import default_synthesis, estimate_engine
from sterna.estimate.supported_clock import estimate_clock
from sterna.estimate.synthesis import Synthesis
from sterna.spec.fpga import load_fpga
from sterna.spec.paths import RTL, build_cache
from support.engines import SIMULATORS

REMEDY = "if it has to be, make results-modules"


@pytest.fixture(autouse=True)
def shared_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests and makers have synthesised."""
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))


def grown(config: str, synthesis: Synthesis, *, timed: bool) -> list[str]:
    """The modules of an engine that grew."""
    size = estimate_engine(modules.engine(config), load_fpga(modules.FPGA), synthesis)
    rows = modules.sizes(size)
    if timed:
        rows = modules.with_paths(rows, estimate_clock(size, synthesis))
    return list(modules.grown(read_all()["modules"].rows, rows))


def test_no_module_grows() -> None:
    assert grown(modules.SMALL, default_synthesis(), timed=False) == [], REMEDY


@pytest.mark.slow
@pytest.mark.parametrize("config", [modules.SMALL, *modules.NAMED])
def test_no_module_and_no_path_grows(config: str) -> None:
    assert grown(config, default_synthesis(), timed=True) == [], REMEDY


def test_a_module_that_grows_is_named(tmp_path: Path) -> None:
    """A counter more in each serializer."""
    rtl = Path(shutil.copytree(RTL, tmp_path / "rtl"))
    path = rtl / "cells" / "sterna_word_serializer.sv"
    text = path.read_text()
    planted = text.replace(
        "  assign word_data_o = data_q[63:0];",
        "  logic [15:0] count_q;\n  always_ff @(posedge clk_i) count_q <= count_q + 16'(word_valid_o);\n"
        "  assign word_data_o = data_q[63:0] ^ 64'(count_q);",
    )
    assert planted != text
    path.write_text(planted)
    found = grown(modules.SMALL, Synthesis(rtl, build_cache() / "synthesis"), timed=False)
    assert any(line.startswith("sterna_word_serializer of small: ALM grew from") for line in found)


def test_each_number_is_compared() -> None:
    kept = {"config": "c", "module": "m", "instances": 1, "ALM": 100, "block_RAM": 50, "DSP": 0, "path_ns": 5.0}
    assert list(modules.grown([kept], [kept | {"ALM": 102, "block_RAM": 51, "path_ns": 5.1}])) == []
    for key, value in (("ALM", 103), ("block_RAM", 52), ("DSP", 1), ("path_ns", 5.11)):
        (found,) = modules.grown([kept], [kept | {key: value}])
        assert found == f"m of c: {key} grew from {kept[key]} to {value}"
    assert list(modules.grown([kept], [kept | {"module": "n"}])) == ["n of c is new"]
