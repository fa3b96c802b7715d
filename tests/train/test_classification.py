from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor, nn

from sterna.errors import SternaError
from sterna.graph import file, networks
from sterna.graph.network import RGB, NetworkDescription
from sterna.train import classification
from sterna.train.classification import ClassifierOptions, ClassRun
from sterna.train.data.class_folders import open_classes
from support.float_models import Block, save

SIDE = 12
SHORT = {f"{stage}_epochs": 2 for stage in ("float", "ternary", "quantised", "integer")}


def described(channels: int = RGB) -> NetworkDescription:
    trunk = networks.Trunk("relu", channels)
    trunk.conv(8, 3, stride=2)
    trunk.conv(8, 3)
    trunk.add("conv1")
    trunk.average(6)
    return trunk.classifier()


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A network that scores images of 12x12."""
    with pytest.MonkeyPatch.context() as patch:
        named = {"small-classifier": described, "small-maps": partial(described, 5)}
        patch.setattr(networks.networks, "_registered", named)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bright and dark images with noise, which any network can tell apart."""
    made = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 8)):
        for name, level in (("bright", 200), ("dark", 50)):
            (made / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = (level + rng.integers(-40, 40, (9, 9, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(made / split / name / f"{number}.png")
    return made


def options(folder: Path, output: Path, **changes: object) -> ClassifierOptions:
    given = {"network": "small-classifier", "height": SIDE, "width": SIDE, "batch": 8, "density": 0.5, **SHORT}
    return ClassifierOptions(data=folder, output=output, **given | changes)  # type: ignore[arg-type]


def quiet(given: ClassifierOptions) -> dict[str, object]:
    return classification.train(given, Console(quiet=True)).summary


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "run"
    quiet(options(folder, output, shift=1))
    return output


def test_a_classifier_learns_in_every_form(run: Path, folder: Path) -> None:
    graph = file.load(run / "graph.sterna-graph")
    assert graph.metadata == {"kind": "classifier", "classes": ["bright", "dark"]}
    data = open_classes(folder, SIDE, SIDE)
    assert data.val is data.test and len(data.train) == 48
    found = classification.measure(classification.of_graph(graph), data.test)
    assert found.top1 > 0.9 and found.top5 == 1.0


def test_a_run_repeats_to_the_bit(run: Path, folder: Path, tmp_path: Path) -> None:
    quiet(options(folder, tmp_path / "again", shift=1))
    for name in ("graph.sterna-graph", "log.json", "summary.json"):
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes()
    quiet(options(folder, tmp_path / "other", shift=1, seed=1))
    assert (tmp_path / "other" / "log.json").read_bytes() != (run / "log.json").read_bytes()


def test_labels_that_are_wrong_are_not_learnt(folder: Path, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped"
    for name, other in (("bright", "dark"), ("dark", "bright")):
        (swapped / "train").mkdir(parents=True, exist_ok=True)
        (swapped / "train" / name).symlink_to(folder / "train" / other)
        (swapped / "test").mkdir(exist_ok=True)
        (swapped / "test" / name).symlink_to(folder / "test" / name)
    accuracy = quiet(options(swapped, tmp_path / "run"))["accuracy"]
    assert accuracy["integer"]["top1"] < 0.1  # type: ignore[index]


def test_a_tie_counts_against_the_class() -> None:
    scores = np.array([[3, 1, 0, 0, 0, 0, 0], [3, 3, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0]])
    assert classification.accuracy(scores, np.array([0, 0, 2, 1])) == (0.25, 0.75)


def test_an_image_is_shifted_and_its_edge_repeated() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert classification.shifted(image, 0, 1)[..., 0].tolist() == [[0, 0, 1], [3, 3, 4]]
    assert classification.shifted(image, -1, 0)[..., 0].tolist() == [[3, 4, 5], [3, 4, 5]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "yolov2-nano"}, "train: is no classifier; network = yolov2-nano"),
        ({"height": 16}, "gives more than one score of a class .* = 16, 12; allowed: a size that leaves one pixel"),
        ({"width": 8}, "layer 'average1': has an output that is empty"),
        ({"network": "resnet9"}, "network = resnet9; allowed: yolov2, "),
        ({"float_epochs": 0}, "nothing is learnt"),
        ({"ternary_epochs": 0, "quantised_epochs": 0}, "nothing is learnt"),
        ({"accumulate": 2}, "are for detectors: leave them out"),
        ({"density": 0}, "density = 0"),
        ({"layer_density": {"conv9": 0.5}}, "layer_density = conv9; allowed: conv2"),
    ],
)
def test_options_that_train_nothing_are_refused(
    folder: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SternaError, match=message):
        quiet(options(folder, tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_maps_of_other_channels_are_learnt(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 8)):
        for name, level in (("bright", 200), ("dark", 50)):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count):
                values = (level + rng.integers(-40, 40, (SIDE, SIDE, 5))).astype(np.uint8)
                np.save(tmp_path / split / name / f"{number}.npy", values)
    found = quiet(options(tmp_path, tmp_path / "run", network="small-maps"))["accuracy"]
    assert found["integer"]["top1"] > 0.9  # type: ignore[index]
    assert file.load(tmp_path / "run" / "graph.sterna-graph").input.channels == 5


class Levels(nn.Module):
    """A classifier of another program, for images of 12x12."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.fc = Block(3, 4, 1), nn.Linear(4, 2)

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, 2]."""
        return self.fc(nn.functional.avg_pool2d(self.block(image), 2).mean((2, 3)))


@pytest.mark.parametrize(("names", "order"), [(None, [0, 1]), (["dark", "bright"], [1, 0])])
def test_a_run_starts_from_an_onnx_model(
    folder: Path, tmp_path: Path, names: list[str] | None, order: list[int]
) -> None:
    torch.manual_seed(0)
    module = Levels()
    save(module, tmp_path / "a.onnx", SIDE, **({} if names is None else {"names": str(names)}))
    longer = dict.fromkeys(SHORT, 10)
    given = options(folder, tmp_path / "run", network=str(tmp_path / "a.onnx"), **longer)
    started = classification.begin(ClassRun, given, Console(quiet=True)).start()
    assert started is not None
    pixels = torch.randint(0, 256, (4, 3, SIDE, SIDE))
    with torch.no_grad():
        found, expected = started((pixels - 128) / 128).flatten(1), module(pixels / 255)
    assert float((found - expected[:, order]).abs().max()) < 1e-4
    assert float((found - expected[:, order[::-1]]).abs().max()) > 1e-2
    summary = quiet(given)
    assert summary["accuracy"]["integer"]["top1"] > 0.9  # type: ignore[index]


def test_a_folder_that_holds_a_run_is_refused(run: Path, folder: Path) -> None:
    with pytest.raises(SternaError, match="the folder already holds a run; files = graph"):
        quiet(options(folder, run))


def test_the_graph_of_a_detector_is_refused() -> None:
    import sterna

    with pytest.raises(SternaError, match="graph: is no classifier; kind = yolov2; allowed: classifier"):
        classification.of_graph(sterna.load("demo-nano"))  # type: ignore[arg-type]
