"""The sub-commands do what they say, on real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna import __version__
from sterna.compile.packages import load as load_package
from sterna.vision.boxes import MOST_BOXES
from sterna.vision.defaults import OVERLAP, SHOWN

from .conftest import Sterna


def test_version(sterna: Sterna) -> None:
    ended = sterna("--version")
    assert (ended.code, ended.out.strip()) == (0, __version__)


def test_compile_writes_a_package_that_loads(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "small.sterna"
    ended = sterna("compile", graph_path, "--config", "nano", "-o", output)
    assert ended.code == 0, ended.err
    package = load_package(output)
    assert package.config.name == "nano"
    assert f"{len(package.tape):,} bytes" in ended.out


def test_cycles_are_told_unless_they_are_not_wanted(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    told = []
    for option in ("--cycles", "--no-cycles"):
        ended = sterna("compile", graph_path, option, "-o", tmp_path / "small.sterna")
        told.append((load_package(tmp_path / "small.sterna").schedule.timed, "cycles for a" in ended.out))
    assert told == [(True, True), (False, False)]


def test_trace_stores_more(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    stored = []
    for option in ("--no-trace", "--trace"):
        assert sterna("compile", graph_path, option, "-o", tmp_path / "small.sterna").code == 0
        stored.append({store.layer for store in load_package(tmp_path / "small.sterna").schedule.stores})
    assert stored[0] < stored[1]


def test_generate_with_package(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "engine"
    ended = sterna("generate", "--config", "nano", "--package", package_path, "-o", output)
    assert ended.code == 0, ended.err
    listed = (output / "files.f").read_text().split()
    assert listed and all((output / name).is_file() for name in listed)
    assert (output / "memory" / "tape.bin").read_bytes() == load_package(package_path).tape


def test_detect_draws_every_image(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    output = tmp_path / "found"
    ended = sterna("detect", package_path, images, "-o", output, "--threshold", 0.05)
    assert ended.code == 0, ended.err
    report = json.loads((output / "detections.json").read_text())
    assert [Path(each["image"]).name for each in report["images"]] == ["a.png", "b.jpg", "grey.png"]
    found = 0
    for each in report["images"]:
        with Image.open(each["image"]) as image, Image.open(output / each["drawn"]) as drawn:
            assert drawn.width % image.width == 0 and drawn.height % image.height == 0
            for box in each["boxes"]:
                left, top, right, bottom = box["box"]
                assert 0 <= left <= right <= image.width and 0 <= top <= bottom <= image.height
                assert box["class"] in {"vehicle", "person"} and 0.05 <= box["score"] <= 1
        found += len(each["boxes"])
    assert found, "the threshold should let boxes through, or the test shows nothing"


def test_detect_says_the_threshold_and_overlap_that_it_uses(
    sterna: Sterna, package_path: Path, images: Path, tmp_path: Path
) -> None:
    for flags, used in (((), (SHOWN, OVERLAP)), (("--threshold", 0, "--overlap", 1), (0, 1))):
        assert sterna("detect", package_path, images / "b.jpg", "-o", tmp_path, *flags).code == 0
        report = json.loads((tmp_path / "detections.json").read_text())
        assert (report["threshold"], report["overlap"]) == used
    assert len(report["images"][0]["boxes"]) == MOST_BOXES


def test_boxes_are_drawn(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    drawn = []
    for threshold in (0.05, 1.0):
        output = tmp_path / str(threshold)
        assert sterna("detect", package_path, images / "b.jpg", "-o", output, "--threshold", threshold).code == 0
        with Image.open(output / "0000_b.png") as image:
            drawn.append(np.asarray(image))
    assert (drawn[0] != drawn[1]).any()


def test_compare_of_equal_backends(sterna: Sterna, package_path: Path, images: Path) -> None:
    ended = sterna("compare", package_path, images, "--backends", "reference,reference")
    assert ended.code == 0, ended.err
    assert ended.out.count("layers are equal") == 3


def test_eval_prints_precision(sterna: Sterna, graph_path: Path) -> None:
    ended = sterna("eval", graph_path, "--scenes", 4)
    assert ended.code == 0, ended.err
    assert "vehicle" in ended.out and "mAP50-95" in ended.out and "on 4 images" in ended.out
    assert "integer" in ended.out and "float" not in ended.out


def test_eval_of_a_run_shows_its_forms_and_writes_them(sterna: Sterna, run_folder: Path, tmp_path: Path) -> None:
    metrics, report = tmp_path / "new" / "metrics.json", tmp_path / "report"
    ended = sterna("eval", run_folder, "--json", metrics, "--report", report)
    assert ended.code == 0, ended.err
    for part in ("float", "ternary", "integer", "on 3 images", "conv10", "rho", str(metrics), str(report)):
        assert part in ended.out.replace("\n", "")
    written = json.loads(metrics.read_text())
    assert list(written["precision"]) == ["float", "ternary", "integer"] and written["images"] == 3
    summary = json.loads((run_folder / "summary.json").read_text())
    assert {form: each["map50"] for form, each in written["precision"].items()} == {
        form: each["map50"] for form, each in summary["precision"].items()
    }
    assert written["layers"] == summary["layers"]
    assert "Training" in (report / "summary.html").read_text("utf-8")
    with Image.open(report / "precision_recall.png") as image:
        assert image.width > 300


def test_eval_with_corruptions_measures_all_forms_on_images_made_worse(
    sterna: Sterna, run_folder: Path, tmp_path: Path
) -> None:
    metrics, report = tmp_path / "metrics.json", tmp_path / "report"
    ended = sterna("eval", run_folder, "--scenes", 1, "--corruptions", "--json", metrics, "--report", report)
    assert ended.code == 0, ended.err
    assert "images made worse" in ended.out and "darkness 5" in ended.out and "attack 3" in ended.out
    written = json.loads(metrics.read_text())["hardships"]
    assert len(written) == 23 and list(written[-1]["map50"]) == ["float", "ternary", "integer"]
    assert "darkness 5" in (report / "summary.html").read_text("utf-8")
    again = sterna("eval", run_folder, "--scenes", 1, "--json", metrics)  # metrics of another kind are replaced
    assert again.code == 0 and json.loads(metrics.read_text())["hardships"] == []


def test_eval_of_a_graph_alone_has_no_attack(sterna: Sterna, graph_path: Path) -> None:
    ended = sterna("eval", graph_path, "--scenes", 1, "--corruptions")
    assert ended.code == 0, ended.err
    assert "jpeg 5" in ended.out and "attack 1" not in ended.out and "needs the networks of a run" in ended.out


def test_eval_of_a_run_on_other_images(sterna: Sterna, run_folder: Path) -> None:
    ended = sterna("eval", run_folder, "--scenes", 2, "--split", "val")
    assert ended.code == 0, ended.err
    assert "on 2 images" in ended.out


def test_doctor_is_content_here(sterna: Sterna) -> None:
    ended = sterna("doctor")
    assert ended.code == 0, ended.out
    for tool in ("Python", "g++", "make", "perl", "verilator", "torch"):
        assert tool in ended.out


@pytest.mark.parametrize(
    "command",
    [
        *("train", "eval", "compile", "export", "import", "generate", "simulate", "detect", "backends", "compare"),
        *("estimate", "explore", "doctor", "board"),
    ],
)
def test_help(sterna: Sterna, command: str) -> None:
    ended = sterna(command, "--help")
    assert ended.code == 0
    assert f"sterna {command}" in ended.out or f"{command} [OPTIONS]" in ended.out
