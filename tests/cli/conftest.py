"""A small detector, its package and images for it; `sterna` runs the command in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from sterna.cli.guard import guarded
from sterna.cli.main import app
from sterna.compile import compile_graph
from sterna.graph import Conv, Graph, Input, MaxPool, Output, Requant
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.package.package import Package
from sterna.spec.config import load_config
from sterna.train import train
from sterna.train.options import parse
from support.engines import SIMULATORS

CLASSES = ["vehicle", "person"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Sterna = Callable[..., Ended]


@pytest.fixture(autouse=True)
def shared_simulators(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulators that other tests and the demo have built."""
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))


@pytest.fixture
def sterna(capfd: pytest.CaptureFixture[str]) -> Sterna:
    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        code = guarded(lambda: app([str(each) for each in arguments], standalone_mode=False))
        sys.stdout.flush()
        return Ended(code, *capfd.readouterr())

    return run


def make_graph(classes: list[str], *, flip: bool = False) -> Graph:
    """A detector of two layers on images of 40x40, with one anchor and a head for two classes.

    `flip` turns the sign of one weight of the head.
    """
    rng = np.random.default_rng(3)

    def conv(name: str, source: str, filters: int, channels: int, kernel: int) -> Conv:
        weights = rng.integers(-1, 2, (filters, channels, kernel, kernel)).astype(np.int8)
        if flip and name == "head":
            weights.flat[np.flatnonzero(weights)[0]] *= -1
        requant = Requant(np.full(filters, 900), np.zeros(filters, np.int64), 13, "leaky")
        return Conv(name, source, weights, 1, (kernel // 2,) * 4, requant, 0.05)

    layers = (
        Input("image", 3, 40, 40, 1 / 128, 0),
        conv("first", "image", 6, 3, 3),
        MaxPool("pool", "first", 2),
        conv("head", "pool", 7, 6, 1),
        Output("boxes", "head"),
    )
    return Graph(layers, metadata={"kind": "yolov2", "classes": classes, "anchors": [[2.0, 3.0]]})


def planted(package: Package) -> Package:
    """`package` whose tape has the sign of one weight of the head turned."""
    return replace(package, tape=compile_graph(make_graph(CLASSES, flip=True), package.config, trace=True).tape)


@pytest.fixture(scope="session")
def graph_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "small.sterna-graph"
    graph_file.save(make_graph(CLASSES), path)
    return path


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest run that trains, to its end."""
    folder = tmp_path_factory.mktemp("run") / "run"
    counts = {"train_scenes": 4, "val_scenes": 1, "test_scenes": 3, "batch": 4}
    counts |= {"float_epochs": 1, "ternary_epochs": 1, "quantised_epochs": 1, "integer_epochs": 1}
    train(parse(**counts, height=32, width=32, threads=1, output=folder), Console(quiet=True))
    return folder


@pytest.fixture(scope="session")
def package_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "small.sterna"
    package_file.save(compile_graph(make_graph(CLASSES), load_config("nano"), trace=True), path)
    return path


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(4)
    for name, size in (("a.png", (30, 40, 3)), ("b.jpg", (20, 20, 3)), ("grey.png", (25, 15))):
        Image.fromarray(rng.integers(0, 256, size).astype(np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    return folder
