"""The sub-commands and the demo on the simulated engine, and what they say when it computes something else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sterna.cli import compare
from sterna.cli import demo as demo_module
from sterna.cli.guard import guarded
from sterna.compile import compile_graph
from sterna.compile.packages import load as load_package
from sterna.spec.config import load_config

from .conftest import CLASSES, Sterna, make_graph, planted


def test_simulate_counts_cycles_by_layer(sterna: Sterna, package_path: Path, images: Path) -> None:
    cycles = []
    for latency in (0, 200):
        ended = sterna("simulate", package_path, images / "a.png", "--latency", latency)
        assert ended.code == 0, ended.err
        assert "first + pool" in ended.out and "lanes" in ended.out
        cycles.append(int(ended.out.split("a.png: ")[1].split(" cycles")[0].replace(",", "")))
    assert 0 < cycles[0] < cycles[1]


def test_simulate_queues_all_frames_but_the_last(sterna: Sterna, package_path: Path, images: Path) -> None:
    ended = sterna("simulate", package_path, images)
    assert ended.code == 0, ended.err
    alone = sterna("simulate", package_path, images / "a.png")
    assert alone.code == 0, alone.err
    cycles = [
        int(line.rpartition(": ")[2].split()[0].replace(",", ""))
        for line in (ended.out + alone.out).splitlines()
        if line.endswith(" cycles")
    ]
    assert len(cycles) == 4 and cycles[2] == cycles[3] > cycles[1]
    assert "From one queued frame to the next the compiler expects" in ended.out


def test_both_backends_find_the_same(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    found = []
    for backend in ("reference:", "sim:"):
        output = tmp_path / backend
        ended = sterna("detect", package_path, images, "--backend", backend, "-o", output, "--threshold", 0.05)
        assert ended.code == 0, ended.err
        found.append(json.loads((output / "detections.json").read_text())["images"])
    assert found[0] == found[1]


def test_compare_finds_them_equal(sterna: Sterna, package_path: Path, images: Path) -> None:
    ended = sterna("compare", package_path, images)
    assert ended.code == 0, ended.err
    assert ended.out.count("equal on reference and sim") == 3


def test_compare_names_the_place_of_a_planted_error(
    sterna: Sterna, package_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "load_package", lambda path: planted(load_package(path)))
    ended = sterna("compare", package_path, images)
    assert ended.code == 1
    assert "differ: layer 'head', image 0, channel 0, row 0, column 0: " in ended.out


def test_a_difference_in_what_only_outputs_tell_is_said_to_be_one(
    sterna: Sterna, package_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layer that is named may not be the one that is wrong."""
    graph, turned = make_graph(CLASSES), make_graph(CLASSES, flip=True)
    package = compile_graph(graph, load_config("nano"))
    package = replace(package, tape=compile_graph(turned, package.config).tape)
    monkeypatch.setattr(compare, "load_package", lambda path: package)
    ended = sterna("compare", package_path, images)
    assert ended.code == 1 and "differ: layer 'head'" in ended.out
    assert "Only outputs are stored; compile with --trace" in ended.out


def run_demo(graph_path: Path, output: Path) -> int:
    arguments = ["--model", str(graph_path), "--output", str(output), "--judged", "4"]
    return guarded(lambda: demo_module.app(arguments, standalone_mode=False))


def test_demo_reports_what_it_found(graph_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_demo(graph_path, tmp_path) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["layers_equal"] and report["layers_compared"] == 3 and len(report["scenes"]) == 4
    assert [layer["equal"] for layer in report["layers"] if layer["op"] == "CONV"] == [True, True]
    # The cycle model is exact for a frame alone, so a difference means that another frame was counted.
    assert [layer["cycles"] for layer in report["layers"]] == [layer["estimated"] for layer in report["layers"]]
    for name in ("report.html", "sheet.png", *(scene["drawn"] for scene in report["scenes"])):
        assert (tmp_path / name).is_file()
    out = capfd.readouterr().out
    assert "report.json" in out and "All 3 stored layers equal" in out


def test_demo_fails_on_a_planted_error(
    graph_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_module, "compile_graph", lambda *args, **options: planted(compile_graph(*args, **options)))
    assert run_demo(graph_path, tmp_path) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert not report["layers_equal"] and "layer 'head'" in report["difference"]
    assert "differs from the reference" in capfd.readouterr().err
