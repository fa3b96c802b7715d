"""`sterna estimate` shows a size and a speed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path as File

import pytest
import yaml
from rich.console import Console

from sterna.cli.estimate import slow_paths, wide_table
from sterna.cli.power import power_lines, power_table
from sterna.estimate.band import Band
from sterna.estimate.hierarchy import Part
from sterna.estimate.model import Model, Register
from sterna.estimate.paths import End, Path, Place, WideNet
from sterna.estimate.power import ModulePower, Power
from sterna.estimate.supported_clock import SupportedClock
from sterna.estimate.whole import SMALL
from sterna.spec.fpga import load_fpga

from .conftest import Sterna

EMPTY = Model({}, {}, {}, [], {}, frozenset(), {})


@pytest.fixture
def small(tmp_path: File) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump({"small": SMALL.model_dump(exclude={"name"}) | {"fm_words": 8192}}))
    return f"{path}:small"


def test_estimate_shows_size_and_speed(sterna: Sterna, graph_path: File, small: str) -> None:
    ended = sterna("estimate", graph_path, "--config", small, "--fpga", "gx1150")
    assert ended.code == 0, ended.err
    size = ("gather", "shell", "ALMs: ", "of 427,200", "Shell: ")
    for text in (*size, "Queued: ", "Alone: ", "ddr4-2133 sustains", "Clock: ", ".sv:"):
        assert text in ended.out


def test_estimate_with_another_memory(sterna: Sterna, graph_path: File, small: str, tmp_path: File) -> None:
    plot = tmp_path / "speed.svg"
    common = ("estimate", "--config", small, "--fpga", "gx1150")
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


def test_estimate_of_power(sterna: Sterna, graph_path: File, small: str) -> None:
    ended = sterna("estimate", graph_path, "--config", small, "--fpga", "gx1150", "--power")
    assert ended.code == 0, ended.err
    for text in ("Power at ", "leakage", "rest of board", "W at 240 MHz, within a factor of "):
        assert text in ended.out
    assert ended.out.count("frames/J, queued") == 2


def test_power_without_energies_is_refused_before_any_work(sterna: Sterna, small: str) -> None:
    ended = sterna("estimate", "--config", small, "--fpga", "de10-nano", "--power")
    assert ended.code == 2 and ended.out == ""
    assert "no such family of energies; family of energies = cyclone5; allowed: arria10" in ended.err


def test_power_is_shown_by_part_with_its_band() -> None:
    none = Band(0, 0)
    parts = (
        ModulePower("sterna_pe", Band(1, 4), Band(0.001, 0.004), Band(2, 3), none),
        ModulePower("sterna_fifo", Band(0.01, 0.02), none, none, none),
        ModulePower("sterna_drain", Band(0.01, 0.01), none, none, none),
    )
    power = Power(100, parts, memory=Band(1, 2), static=Band(2, 4), board=Band(3, 7))
    console = Console(width=80, record=True, file=StringIO())
    console.print(power_table(power))
    rows = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "pe 1.0 .. 4.0 2.0 .. 3.0 3.0 .. 7.0" in rows
    assert "2 others" in rows
    assert "leakage 2.0 .. 4.0" in rows and "sum 9.0 .. 20.0" in rows
    watts, traffic = power_lines(power, None)
    assert watts.startswith("Power: 13 W at 100 MHz, within a factor of 1.5 (9 .. 20 W); ")
    assert watts.endswith("of this the FPGA takes 5 .. 11 W (estimate)")
    assert "give a graph" in traffic


def test_what_does_not_fit_is_said(sterna: Sterna, tmp_path: File, small: str) -> None:
    fits = sterna("estimate", "--config", small, "--fpga", "gx1150", "--power").out
    assert "(fits; the limit is 85%)" in fits and "does not fit" not in fits
    assert "give a graph for its traffic" in fits and "frames/J, queued" not in fits
    chip = load_fpga("gx1150").model_dump(exclude={"name"}, mode="json") | {"block_rams": 100}
    (tmp_path / "chips.yaml").write_text(yaml.safe_dump({"less": chip}))
    ended = sterna("estimate", "--config", small, "--fpga", f"{tmp_path / 'chips.yaml'}:less")
    assert ended.code == 0 and "block RAM" in ended.out and "does not fit" in ended.out


def test_slow_paths_are_shown_by_instance_and_source() -> None:
    top = Place("", Part("sterna_engine", ()), EMPTY, None, 0)
    leaf = Place("u_leaf", Part("sterna_fifo", ()), EMPTY, top, 0)
    start, end = End(top, Register("", "sterna_engine.sv:7")), End(leaf, Register("some_q", "cells/sterna_fifo.sv:9"))
    slow = (Path(12_501, 3, start, end, ()), Path(9_000, 1, end, start, ()))
    clock = SupportedClock(slow, (WideNet(leaf, "a_o", 1300, 999),), {})
    first, *paths, verdict = slow_paths(clock, load_fpga("de10-nano"))
    assert "a period of 100 MHz is 10.00 ns" in first
    assert paths[0].split() == ["12.50", "ns,", "3", "levels:", "sterna_engine", "sterna_engine.sv:7"]
    assert paths[1].split() == ["to", "u_leaf", "cells/sterna_fifo.sv:9", "(some_q)"]
    assert len(paths) == 4
    assert "Clock: 79 MHz" in verdict and "125.0% of the period" in verdict
    assert wide_table(clock).row_count == 1


def test_unknown_fpga_is_refused(sterna: Sterna, small: str) -> None:
    ended = sterna("estimate", "--config", small, "--fpga", "gx9")
    assert ended.code == 2 and "no such FPGA" in ended.err
