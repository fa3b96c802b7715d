"""`sterna data`, and how lists of faults reach people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support import data_sets

from .conftest import Sterna
from .test_refusals import assert_refused

Got = Callable[[str], None]


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return data_sets.write_voc(tmp_path / "voc")


def test_a_good_data_set_is_counted(sterna: Sterna, voc: Path) -> None:
    ended = sterna("data", voc)
    assert ended.code == 0 and not ended.err
    assert all(word in ended.out for word in ("images", "train", "val", "test", "cat", "dog"))


def test_faults_come_a_line_each_with_their_number_last(sterna: Sterna, voc: Path) -> None:
    for name in ("p0", "p3"):
        (voc / f"Annotations/{name}.xml").write_text("<annotation>")
    ended = sterna("data", voc)
    lines = ended.err.splitlines()
    assert ended.code == 2 and len(lines) == 3
    assert "p3.xml" in "".join(lines[:2]) and "p0.xml" in "".join(lines[:2])
    assert lines[2].startswith("error: ") and "2 faults" in lines[2] and "--skip-bad" in lines[2]


def test_faulty_images_can_be_left_out(sterna: Sterna, voc: Path) -> None:
    for split in ("val", "test"):
        (voc / f"ImageSets/Main/{split}.txt").unlink()
    (voc / "Annotations/p0.xml").write_text("<annotation>")
    assert_refused(sterna("data", voc), "p0.xml", "--skip-bad")
    ended = sterna("data", voc, "--skip-bad")
    assert ended.code == 0 and "faulty images, left out" in ended.out and "p0.xml" in ended.out


def test_splits_can_be_named_and_others_are_said(sterna: Sterna, voc: Path) -> None:
    (voc / "ImageSets/Main/trainval.txt").write_text("p0\np1\np2\np3\n")
    assert "not checked; name them with --splits: trainval" in sterna("data", voc).out
    ended = sterna("data", voc, "--splits", "trainval, test")
    assert ended.code == 0 and "trainval" in ended.out and "not checked" in ended.out


def test_options_that_are_wrong(sterna: Sterna, voc: Path) -> None:
    assert_refused(sterna("data", voc, "--height", "100"), "height", "32")
    assert_refused(sterna("data", voc, "--missing-share", "2"), "missing-share")


def test_a_run_is_evaluated_on_the_images_that_it_held_back(sterna: Sterna, run_folder: Path, tmp_path: Path) -> None:
    for number in range(10):
        data_sets.draw(tmp_path / "plain", number)
        row = data_sets.voc_object("person", (0, 0, 40, 40)) + data_sets.voc_object("vehicle", (0, 0, 20, 20))
        (tmp_path / f"plain/{data_sets.name(number)}.xml").write_text(data_sets.voc_annotation(row))
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    options = json.loads((run / "options.json").read_text())
    held = {"data": str(tmp_path / "plain"), "classes": ["vehicle", "person"], "val_share": 0.2, "test_share": 0.3}
    (run / "options.json").write_text(json.dumps(options | held))
    for split, count in ((None, 3), ("test", 3), ("val", 2), ("train", 5)):
        ended = sterna("eval", run, *(("--split", split) if split else ()))
        assert ended.code == 0 and f"Average precision on {count} images" in ended.out, ended


@pytest.mark.case(
    "evaluation-on-the-run-s-own-data",
    kind="one flag for two meanings",
    expected="eval RUN --data FOLDER with the run's own folder, however it is written, keeps its splits and names",
)
def test_the_own_data_of_a_run_may_be_named(
    sterna: Sterna, run_folder: Path, voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, got: Got
) -> None:
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    options = json.loads((run / "options.json").read_text())
    changed = {"data": str(voc), "rename": {"dog": "person", "cat": "vehicle"}, "test_split": "train"}
    changed["classes"] = ["vehicle", "person"]
    (run / "options.json").write_text(json.dumps(options | changed))
    monkeypatch.chdir(tmp_path)
    own = sterna("eval", run)
    assert own.code == 0 and "Average precision on 3 images" in own.out, own
    for written in (voc, f"{voc}/", "voc", "run/../voc"):
        ended = sterna("eval", run, "--data", written)
        assert (ended.code, ended.out) == (0, own.out), ended
    got("eval RUN, and --data voc, /.../voc/ and run/../voc: the same table, with the names that the run gave")


def test_generated_scenes_have_nothing_to_check(sterna: Sterna) -> None:
    assert_refused(sterna("data", "scenes"), "scenes: generated scenes have no files to check; remedy: ")
