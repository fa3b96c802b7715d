"""Classifiers of ONNX models in floats compute what the models do, and what has no counterpart is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.graph.layers import Concat, Reorg
from sterna.graph.network import AveragePool, Classifier, Conv
from sterna.importers.importer import Given, Imported
from sterna.importers.onnx.floats import load
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from sterna.train.model.export import to_graph
from sterna.train.model.form import Form
from sterna.train.model.imported import to_network
from sterna.train.model.network import Network
from support.float_models import Block, save
from support.onnx_builder import ModelBuilder

GREY = Given(pixels=(-1.0, 127 / 128))
"""Pixels of which grey is 0, so that what is around the image is the same in Sterna."""
CLASSES = 5


class SmallResNet(nn.Module):
    """In the manner of torchvision's: strides without padding that keeps cells, means of the whole map, a Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.pool = Block(3, 8, 7), nn.MaxPool2d(3, 2, 1)
        self.stem.conv.stride = (2, 2)
        self.deep, self.shortcut = Block(8, 16, 3, nn.Identity()), Block(8, 16, 1, nn.Identity())
        self.deep.conv.stride = self.shortcut.conv.stride = (2, 2)
        self.mean, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(16, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, CLASSES]."""
        x = self.pool(self.stem(image))
        x = torch.relu(self.deep(x) + self.shortcut(x))
        return self.fc(torch.flatten(self.mean(x), 1))


class SmallAlexNet(nn.Module):
    """In the manner of torchvision's: a large first kernel, pools that leave rows out, a classifier of a whole map."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(8, 12, 5, padding=2), nn.ReLU()
        )
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(12 * 9, 24), nn.ReLU(), nn.Dropout(), nn.Linear(24, 16), nn.ReLU(),
            nn.Linear(16, CLASSES),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, CLASSES]."""
        x = nn.functional.adaptive_avg_pool2d(self.features(image), 3)
        return self.classifier(torch.flatten(x, 1))


class Plain(nn.Module):
    """Scores of what `middle` makes of a map [N, 6, side, side]."""

    def __init__(self, middle: Callable[[Tensor], Tensor], features: int) -> None:
        super().__init__()
        self.middle, self.first, self.fc = middle, Block(3, 6), nn.Linear(features, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, CLASSES]."""
        return self.fc(self.middle(self.first(image)))


class C2f(nn.Module):
    """A convolution whose channels are split, and joined again with what is made of one part."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.block, self.two = Block(3, 10), Block(4, 4), Block(18, 8, 1)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, CLASSES]."""
        whole = self.one(image)
        parts = list(whole.split((6, 4), 1))
        parts.append(self.block(parts[-1]))
        parts.append(self.block(parts[-1]))
        return self.fc(self.two(torch.cat(parts, 1)).mean([2, 3]))


class Shuffle(nn.Module):
    """Halves of channels by slices, one of which is split again, and a shuffle of what was joined."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.deep, self.last, self.fc = Block(3, 8), Block(2, 4), Block(10, 6, 1), nn.Linear(6, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, CLASSES]."""
        whole = self.one(image)
        first, second = whole[:, :4], nn.functional.max_pool2d(whole[:, 4:], 3, 1, 1)
        joined = torch.cat([first[:, 2:], second, self.deep(first[:, :2])], 1)
        shuffled = joined.view(-1, 2, 5, *joined.shape[2:]).transpose(1, 2).reshape(joined.shape)
        return self.fc(self.last(shuffled).mean([2, 3]))


@torch.no_grad()
def distance(module: nn.Module, found: Imported, side: int) -> float:
    """The largest difference between the scores of both."""
    image = torch.randint(0, 256, (2, 3, side, side)) / 128 - 1
    made, expected = to_network(found)(image).flatten(1), module(image)
    assert expected.std() > 0.02
    return float((made - expected).abs().max())


def imported(module: nn.Module, path: Path, side: int, *, folds: bool = True) -> Imported:
    save(module, path / "a.onnx", side, folds=folds)
    return load(path / "a.onnx", GREY)


@pytest.mark.parametrize("folds", [True, False])
@pytest.mark.parametrize(
    ("kind", "side"), [(SmallResNet, 32), (SmallResNet, 128), (SmallAlexNet, 32), (C2f, 4), (Shuffle, 4)]
)
def test_a_classifier(kind: type[nn.Module], side: int, folds: bool, tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = kind()
    found = imported(module, tmp_path, side, folds=folds)
    assert distance(module, found, side) < 1e-4
    described = found.described
    assert isinstance(described.network.last, Classifier) and described.classes == CLASSES
    assert not found.fresh and not found.replaced and not described.anchors
    assert (described.height, described.width) == (side, side)


@pytest.mark.parametrize(
    ("middle", "features", "side"),
    [
        (lambda x: x.flatten(1), 6 * 16, 4),
        (lambda x: x.flatten(1), 6 * 256, 16),
        (lambda x: x.permute(0, 2, 3, 1).flatten(1), 6 * 16, 4),
        (lambda x: x.mean((2, 3)), 6, 14),
        (lambda x: x.mean((2, 3), keepdim=True).flatten(1), 6, 5),
        (lambda x: nn.functional.adaptive_avg_pool2d(x, 1).view(x.shape[0], -1), 6, 1),
    ],
)
def test_what_stands_before_the_scores(
    middle: Callable[[Tensor], Tensor], features: int, side: int, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    module = Plain(middle, features)
    assert distance(module, imported(module, tmp_path, side), side) < 1e-4


def test_scores_whose_weights_are_in_another_order_are_noticed(tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = Plain(lambda x: x.flatten(1), 6 * 16)
    found = imported(module, tmp_path, 4)
    assert [type(layer) for layer in found.described.network.layers] == [Conv, Reorg, Reorg, Classifier]
    head = found.weights["head"]
    moved = {**found.weights, "head": replace(head, weights=np.roll(head.weights, 6, axis=1))}
    assert distance(module, replace(found, weights=moved), 4) > 1e-2


def test_means_of_large_maps_are_taken_by_halves(tmp_path: Path) -> None:
    module = Plain(lambda x: x.mean((2, 3)), 6)
    layers = imported(module, tmp_path, 28).described.network.layers
    assert [layer.kernel for layer in layers if isinstance(layer, AveragePool)] == [2, 2, 7]


def test_a_split_convolution_becomes_several(tmp_path: Path) -> None:
    torch.manual_seed(1)
    found = imported(C2f(), tmp_path, 4)
    layers = {layer.name: layer for layer in found.described.network.layers}
    assert [layers[f"conv1_{number}"].filters for number in (1, 2)] == [6, 4]  # type: ignore[attr-defined]
    assert "conv1" not in layers and all(layers[f"conv1_{number}"].bits == 8 for number in (1, 2))  # type: ignore[attr-defined]
    (joined,) = (layer for layer in layers.values() if isinstance(layer, Concat))
    assert joined.inputs[:2] == ("conv1_1", "conv1_2")


def test_a_split_map_may_be_read_as_a_whole_as_well(tmp_path: Path) -> None:
    class Both(C2f):
        def forward(self, image: Tensor) -> Tensor:
            whole = self.one(image)
            _, second = whole.split((6, 4), 1)
            return self.fc(self.two(torch.cat([whole, second, self.block(second)], 1)).mean([2, 3]))

    torch.manual_seed(1)
    module = Both()
    found = imported(module, tmp_path, 4)
    assert distance(module, found, 4) < 1e-4
    assert any(isinstance(layer, Concat) and layer.name == "conv1" for layer in found.described.network.layers)


def test_probabilities_become_scores(tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = SmallResNet()
    found = imported(nn.Sequential(module, nn.Softmax(1)), tmp_path, 32)
    assert distance(module, found, 32) < 1e-4


def test_a_classifier_runs_on_an_engine(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Network(imported(SmallAlexNet(), tmp_path, 32).described.network, CLASSES, Form.TERNARY)
    network(torch.rand(2, 3, 32, 32) - 0.5)
    graph = to_graph(network.eval(), (), tuple("abcde"), 32, 32)
    assert graph.metadata == {"kind": "classifier", "classes": list("abcde")}
    images = np.random.default_rng(0).integers(-128, 128, (2, 3, 32, 32)).astype(np.int8)
    package = compile_graph(graph, load_config("nano"), trace=True, cycles=False)
    with open_backend("reference:") as reference, open_backend("emulator:") as emulator:
        assert compare_backends(reference, emulator, package, images).equal


def conv(made: ModelBuilder, filters: int = 4, channels: int = 3) -> None:
    made.add("Conv", np.ones((filters, channels, 3, 3), np.float32), kernel_shape=[3, 3], pads=[1] * 4)
    made.add("Relu")


def scored(*before: Callable[[ModelBuilder], object], features: int) -> Callable[[ModelBuilder], None]:
    def add(made: ModelBuilder) -> None:
        conv(made)
        for each in before:
            each(made)
        made.add("Gemm", np.ones((features, 2), np.float32))

    return add


def flattened(made: ModelBuilder) -> None:
    made.add("Flatten")


def split_of_a_pool(made: ModelBuilder) -> None:
    made.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    first_of_two(made, 1)


def first_of_two(made: ModelBuilder, axis: int) -> None:
    made.add("Slice", *(np.array([each], np.int64) for each in (0, 2, axis)))
    made.add("GlobalAveragePool")
    flattened(made)


def split_rows(made: ModelBuilder) -> None:
    first_of_two(made, 2)


def split_sizes(made: ModelBuilder) -> None:
    made.add("Split", np.array([3], np.int64), axis=1)
    flattened(made)


def columns(made: ModelBuilder) -> None:
    made.add("Reshape", np.array([1, 4, 36], np.int64))


REFUSED: dict[str, tuple[Callable[[ModelBuilder], None], int, str]] = {
    "odd map": (
        scored(flattened, features=144), 6, r"'Gemm3' \(Gemm\): gives scores of a map of several pixels; got 3x3"
    ),
    "matrix": (scored(columns, features=36), 6, r"'Gemm3' \(Gemm\): multiplies more than the features of an image"),
    "features": (scored(flattened, features=143), 6, r"'Gemm3' \(Gemm\): has weights for other features"),
    "large map": (
        scored(flattened, features=4 * 81), 9, r"'Gemm3' \(Gemm\): reads a map that no convolution sees as a whole"
    ),
    "large mean": (
        scored(lambda made: made.add("GlobalAveragePool"), flattened, features=4), 9,
        r"'GlobalAveragePool2' .*: takes means that no layer takes; got of 9x9 pixels; allowed: squares",
    ),
    "mean of channels": (
        scored(lambda made: made.add("ReduceMean", axes=[1], keepdims=1), flattened, features=36), 6,
        r"'ReduceMean2' \(ReduceMean\): takes means of other axes; axes = \[1\]; allowed: 2, 3",
    ),
    "split pool": (
        scored(split_of_a_pool, features=2), 6,
        r"'Gemm6' \(Gemm\): reads a map that is not square, or not all of it; got 2 of \(4, 1, 1\)",
    ),
    "split rows": (scored(split_rows, features=144), 6, r"'GlobalAveragePool3' .*: reads pixels in an order"),
    "split sizes": (scored(split_sizes, features=4), 6, r"'Split2' .*: splits into other sizes .*; got \[3\]; .*: 4"),
    "image": (lambda made: (flattened(made), made.add("Gemm", np.ones((12, 2), np.float32)))[0], 2, "of the image"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_refused_by_name(name: str, tmp_path: Path) -> None:
    add, side, message = REFUSED[name]
    made = ModelBuilder((3, side, side))
    add(made)
    onnx.save(made.model(), tmp_path / "a.onnx")
    with pytest.raises(SternaError, match=message):
        load(tmp_path / "a.onnx")


def test_a_detector_has_no_scores_of_the_whole_image(tmp_path: Path) -> None:
    made = ModelBuilder((3, 8, 8))
    conv(made)
    made.add("GlobalAveragePool")
    conv(made, channels=4)
    onnx.save(made.model(), tmp_path / "a.onnx")
    with pytest.raises(SternaError, match=r"'GlobalAveragePool2' .*: takes means of whole maps; .*--onnx-until"):
        load(tmp_path / "a.onnx")
