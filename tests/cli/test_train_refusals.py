"""What people get wrong when they train: each time one clear line that says what, where, and what to do."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph import networks
from sterna.importers import darknet
from support import data_sets
from support.darknet_networks import random_weights

from .conftest import Sterna
from .test_refusals import assert_refused

ANNOTATION = "Annotations/p1.xml"
FEW = (
    "--float-epochs",
    "1",
    "--ternary-epochs",
    "1",
    "--batch",
    "2",
    "--height",
    "32",
    "--width",
    "32",
    "--threads",
    "1",
)


ANCHORS = ("--anchors", "1,1,2,2,3,3,4,4,5,5")


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return data_sets.write_voc(tmp_path / "voc")


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert re.search(old, text), f"{path} has no {old}"
    path.write_text(re.sub(old, new, text, count=1), "utf-8")


Damage = Callable[[Path], None]

DATA: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "a missing image": (lambda voc: (voc / "JPEGImages/p1.jpg").unlink(), ("p1.jpg",)),
    "an image that is none": (lambda voc: (voc / "JPEGImages/p1.jpg").write_bytes(b"GIF"), ("p1.jpg",)),
    "a missing annotation": (lambda voc: (voc / ANNOTATION).unlink(), ("p1.xml", "missing")),
    "a cut annotation": (lambda voc: (voc / ANNOTATION).write_text("<annotation><obj"), ("p1.xml", "cannot be read")),
    "a box outside": (
        lambda voc: changed(voc / ANNOTATION, r"<xmax>\d+</xmax>", "<xmax>999</xmax>"), ("p1.xml", "999"),
    ),
    "a box with swapped edges": (
        lambda voc: changed(voc / ANNOTATION, r"<xmax>\d+</xmax>", "<xmax>0</xmax>"), ("p1.xml", "box"),
    ),
    "a corner that is no number": (
        lambda voc: changed(voc / ANNOTATION, r"<ymin>\d+</ymin>", "<ymin>top</ymin>"), ("p1.xml", "top"),
    ),
    "an object without name": (
        lambda voc: changed(voc / ANNOTATION, r"<name>[^<]*</name>", "<name></name>"), ("p1.xml", "name"),
    ),
    "an empty image set": (lambda voc: (voc / "ImageSets/Main/train.txt").write_text("\n"), ("train.txt", "empty")),
    "no image set": (lambda voc: shutil.rmtree(voc / "ImageSets"), ("--val-share", "train")),
    "an empty folder": (lambda voc: [shutil.rmtree(part) for part in voc.iterdir()] and None, ("voc",)),
}  # fmt: skip


@pytest.mark.parametrize("what", DATA)
def test_data_that_is_wrong(sterna: Sterna, voc: Path, tmp_path: Path, what: str) -> None:
    damage, said = DATA[what]
    damage(voc)
    assert_refused(sterna("train", "--data", voc, "--output", tmp_path / "run", *FEW), *said)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


OPTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no density": (("--density", "0"), ("density", "greater than 0")),
    "more than everything": (("--density", "1.5"), ("density", "less than or equal to 1")),
    "a density that is no number": (("--density", "nan"), ("density",)),
    "a density of a layer that is not there": (("--layer-density", "conv99=0.2"), ("conv99", "conv2")),
    "a density of a layer that is no share": (("--layer-density", "conv2=7"), ("layer_density", "7")),
    "a density without a layer": (("--layer-density", "0.2"), ("layer_density", "NAME=VALUE")),
    "too few anchors": (("--anchors", "1,1,2,2"), ("anchors", "2 pairs", "5 pairs")),
    "an anchor without height": (("--anchors", "1,1,2"), ("anchors", "pairs")),
    "an anchor of no size": (("--anchors", "0,1,1,1,2,2,3,3,4,4"), ("anchors", "above 0")),
    "an unknown class": (("--classes", "unicorn"), ("unicorn",)),
    "an unknown class renamed": (("--rename", "unicorn=horse"), ("unicorn",)),
    "an unknown split": (("--train-split", "everything"), ("everything", "train")),
    "an unknown network": (("--network", "yolov9"), ("yolov9", "yolov2-nano")),
    "an unknown pattern": (("--pattern", "striped"), ("pattern", "balanced")),
    "an unknown optimiser": (("--optimiser", "magic"), ("optimiser", "adamw")),
    "an unknown device": (("--device", "tpu"), ("tpu", "cpu")),
    "a height between cells": (("--height", "100"), ("height", "32")),
    "a batch that cannot be divided": (("--batch", "3", "--accumulate", "2"), ("batch", "multiple")),
    "nothing to train": (("--float-epochs", "0"), ("float_epochs", "start")),
    "unlabelled images that are not there": (("--unlabelled", "nowhere"), ("nowhere", "images")),
    "weights that are not there": (("--start", "nowhere.pt"), ("nowhere.pt",)),
    "darknet weights without their cfg": (("--darknet-weights", "x.weights"), ("--darknet-weights", ".cfg")),
    "a cfg that is not there": (("--network", "nowhere.cfg"), ("nowhere.cfg",)),
    "a learning rate that is too high": (("--float-rate", "1e30"), ("float_rate",)),
}


@pytest.mark.parametrize("what", OPTIONS)
def test_options_that_are_wrong(sterna: Sterna, voc: Path, tmp_path: Path, what: str) -> None:
    options, said = OPTIONS[what]
    assert_refused(sterna("train", "--data", voc, "--output", tmp_path / "run", *FEW, *ANCHORS, *options), *said)


@pytest.fixture
def cfg(tmp_path: Path) -> Path:
    path = tmp_path / "small.cfg"
    anchors = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 3.0], [3.0, 1.0]]
    write_cfg(for_darknet(networks.describe("yolov2-nano"), anchors, 2, 32, 32), path)
    write_weights(random_weights(darknet.read_cfg(path)), path.with_suffix(".weights"))
    return path


CFG: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "an unknown section": (lambda cfg: changed(cfg, r"\[maxpool\]", "[minpool]"), ("small.cfg", "minpool", "line")),
    "a route to nowhere": (lambda cfg: changed(cfg, r"layers=-?\d+", "layers=-99"), ("small.cfg", "-99")),
    "weights that were cut": (
        lambda cfg: cfg.with_suffix(".weights").write_bytes(cfg.with_suffix(".weights").read_bytes()[:-100]),
        ("small.weights", "too short"),
    ),
    "weights that are a web page": (
        lambda cfg: cfg.with_suffix(".weights").write_text("<!DOCTYPE html><html>404</html>"), ("small.weights",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CFG)
def test_darknet_files_that_are_wrong(sterna: Sterna, voc: Path, cfg: Path, tmp_path: Path, what: str) -> None:
    damage, said = CFG[what]
    damage(cfg)
    weights = cfg.with_suffix(".weights")
    ended = sterna(
        "train", "--data", voc, "--output", tmp_path / "run", *FEW, "--network", cfg, "--darknet-weights", weights
    )
    assert_refused(ended, *said)


def test_a_checkpoint_of_something_else(sterna: Sterna, run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    (folder / "checkpoint.pt").write_bytes(b"PK\x03\x04 something else")
    assert_refused(sterna("train", "--resume", "--output", folder), "checkpoint.pt", "a ZIP archive, not a checkpoint")


def test_a_resumed_run_with_other_options(sterna: Sterna, run_folder: Path) -> None:
    assert_refused(sterna("train", "--resume", "--output", run_folder, "--density", "0.1"), "density", "0.28")


def test_options_of_a_run_that_were_edited(sterna: Sterna, run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    options = json.loads((folder / "options.json").read_text())
    (folder / "options.json").write_text(json.dumps({**options, "density": "thick"}))
    assert_refused(sterna("train", "--resume", "--output", folder), "options.json", "damaged or of another version")


def test_no_space_left(voc: Path, tmp_path: Path) -> None:
    """Files of more than 100 kB cannot be written, as on a full disk."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-m", "sterna", "train", "--data", voc, "--output", tmp_path / "run", *FEW, *ANCHORS]
    ended = subprocess.run(
        list(map(str, command)), preexec_fn=limit, capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    errors = [line for line in ended.stderr.splitlines() if line.strip()]
    assert ended.returncode == 2 and "Traceback" not in ended.stderr, ended.stderr
    assert errors[-1].startswith("error: ") and "checkpoint.pt" in errors[-1] and "free disk space" in errors[-1]
    assert not (tmp_path / "run" / "checkpoint.pt.partial").exists()
