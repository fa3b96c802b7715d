"""A Siamese network learns which images show the same, in every form, and its graph tells it of two images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from sterna.errors import SternaError
from sterna.graph import Graph, file, networks
from sterna.graph.network import NetworkDescription
from sterna.train import pairs
from sterna.train.data import DataOptions, Dataset
from sterna.train.data.class_folders import open_classes
from sterna.train.pairs import PairOptions

SIDE = 12
SHORT = {f"{stage}_epochs": 2 for stage in ("float", "ternary", "quantised", "integer")}


def described() -> NetworkDescription:
    trunk = networks.Trunk("relu")
    trunk.conv(8, 3, stride=2)
    trunk.conv(8, 3)
    trunk.average(6)
    return trunk.classifier()


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A network that takes images of 12x12."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks.networks, "_registered", {"small-features": described})
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three levels, with noise."""
    made = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    for split, count in (("train", 16), ("test", 8)):
        for level in (40, 128, 210):
            (made / split / str(level)).mkdir(parents=True)
            for number in range(count):
                pixels = (level + rng.integers(-20, 20, (SIDE, SIDE, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(made / split / str(level) / f"{number}.png")
    return made


def train(folder: Path, output: Path, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "network": "small-features", "height": SIDE, "width": SIDE, "batch": 8, "density": 0.5, "features": 4,
        "pairs": 60, **SHORT,
    }  # fmt: skip
    options = PairOptions(data=folder, output=output, **given | changes)
    return pairs.train(options, Console(quiet=True)).summary


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, dict[str, Any], Dataset]:
    output = tmp_path_factory.mktemp("runs") / "run"
    summary = train(folder, output)
    return (
        file.load(output / "graph.sterna-graph"),
        summary,
        open_classes(DataOptions(data=str(folder), height=SIDE, width=SIDE)).test,
    )


def test_the_graph_tells_which_images_show_the_same(run: tuple[Graph, dict[str, Any], Dataset]) -> None:
    graph, summary, images = run
    assert graph.input.channels == 6 and graph.metadata["kind"] == "pairs"
    chosen = pairs.some_pairs(pairs.kinds(images), 60, 1)
    apart = pairs.measure(pairs.of_pairs(graph), images, chosen)
    assert pairs.accuracy(apart, chosen.alike, graph.metadata["threshold"]) > 0.9
    assert pairs.accuracy(apart, ~chosen.alike, graph.metadata["threshold"]) < 0.1
    assert all(each["accuracy"] > 0.9 for each in summary["accuracy"].values())
    assert summary["pairs"] == 60 and list(summary["accuracy"]) == ["float", "ternary", "integer"]


def test_labels_that_mean_nothing_are_not_learnt(folder: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    for split in ("train", "test"):
        files = sorted((folder / split).rglob("*.png"), key=lambda path: int(path.stem))
        for number, path in enumerate(files):
            target = mixed / split / str(number // 3 % 2) / f"{number}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    found = train(mixed, tmp_path / "run")["accuracy"]
    assert found["integer"]["accuracy"] < 0.8


def test_half_of_the_pairs_are_of_one_class() -> None:
    labels = np.arange(30) % 3
    chosen = pairs.some_pairs(labels, 40, 0)
    assert chosen.alike.sum() == 20 == (~chosen.alike).sum()
    np.testing.assert_array_equal(labels[chosen.first] == labels[chosen.second], chosen.alike)
    assert (chosen.first != chosen.second).all()
    assert len({*zip(chosen.first.tolist(), chosen.second.tolist(), strict=True)}) == 40
    assert pairs.some_pairs(labels, 40, 1).first.tolist() != chosen.first.tolist()


def test_the_loss_draws_together_and_pushes_up_to_the_margin() -> None:
    apart, alike = torch.tensor([0.0, 0.5, 0.25, 1.0, 3.0]), torch.tensor([True, True, False, False, False])
    assert float(pairs.contrast(apart, alike, 1.0)) == 0.5**2 + 0.75**2
    assert float(pairs.contrast(apart[3:], alike[3:], 1.0)) == 0
    features = torch.tensor([[0.0, 0.0], [1.0, -2.0], [1.0, 1.0]])[:, :, None, None]
    assert pairs.between_all(features).tolist() == [1.5, 1.0, 1.5]


def test_the_threshold_is_the_best_one() -> None:
    apart, alike = np.array([1, 2, 3, 4, 5]), np.array([True, True, False, True, False])
    assert pairs.best_threshold(apart, alike) in (2, 4)
    assert pairs.accuracy(apart, alike, 2) == 0.8
    assert pairs.best_threshold(apart, apart < 4) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": 0}, "features = 0"),
        ({"margin": 0}, "margin = 0"),
        ({"network": "yolov2-nano"}, "train: is no classifier; network = yolov2-nano"),
    ],
)
def test_wrong_options_are_refused(folder: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SternaError, match=message):
        train(folder, tmp_path / "run", **changes)
