from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph import networks
from sterna.graph.layers import MaxPool
from sterna.graph.network import Conv, Head, NetworkDescription
from sterna.importers import darknet
from sterna.train import options
from sterna.train.data.frames import Labels
from sterna.train.data.scenes import SceneSet
from sterna.train.loop import forms, start
from sterna.train.loop.forms import Trained
from sterna.train.loop.start import Start
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.options import FLOAT_EPOCHS, TrainOptions
from support.darknet_networks import random_weights

ANCHORS = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 3.0], [3.0, 1.0]]
LAYERS = networks.describe("yolov2-nano")


def said() -> Console:
    return Console(file=io.StringIO(), width=200)


def weights(chosen: TrainOptions, classes: tuple[str, ...], console: Console) -> start.Start | None:
    """As a run has them: read, then fitted to the classes of the data."""
    return start.weights(chosen, start.read(chosen), classes, console)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def from_darknet(tmp_path: Path) -> Callable[..., TrainOptions]:
    """Options that start from darknet weights of the classes red and green, and more options."""
    cfg, weights = tmp_path / "own.cfg", tmp_path / "own.weights"
    write_cfg(for_darknet(LAYERS, ANCHORS, 2, 64, 64), cfg)
    write_weights(random_weights(darknet.read_cfg(cfg)), weights)
    (tmp_path / "own.names").write_text("red\ngreen\n")

    def made(named: bool = True, **more: object) -> TrainOptions:
        names = {"darknet_names": tmp_path / "own.names"} if named else {}
        sizes = {"height": 64, "width": 64, "output": tmp_path / "run"}
        return options.parse(network=str(cfg), darknet_weights=weights, **sizes, **names, **more)

    return made


@pytest.fixture
def from_run(tmp_path: Path) -> Callable[..., TrainOptions]:
    """Options that start from a run's float network for the classes red and green, and more options."""
    torch.manual_seed(3)
    network = Network(networks.describe("yolov2-nano"), 2, Form.FLOAT)
    forms.save(tmp_path / "earlier/float.pt", Trained(network, "yolov2-nano", ANCHORS, ("red", "green"), 64, 64))

    def made(**more: object) -> TrainOptions:
        return options.parse(start=tmp_path / "earlier", output=tmp_path / "run", height=64, width=64, **more)

    return made


TEACHER = pytest.mark.case(
    "untrained-head-as-teacher",
    kind="fresh weights without a word",
    expected="where a class has fresh weights the float network is trained first, and refused to be skipped",
    source="AlexeyAB/darknet#1335",
)


@TEACHER
@pytest.mark.parametrize(
    ("named", "classes", "epochs"),
    [
        (True, ("red", "green"), 0),
        (True, ("green", "Red"), 0),
        (True, ("green", "blue"), FLOAT_EPOCHS),
        (True, ("red",), 0),
        (True, ("nut", "bolt"), FLOAT_EPOCHS),
        (False, ("red", "green"), FLOAT_EPOCHS),  # nothing tells that these are the classes
        (False, ("red", "green", "blue"), FLOAT_EPOCHS),
    ],
)
def test_float_network_is_trained_unless_its_classes_are_known(
    from_darknet: Callable[..., TrainOptions],
    got: Callable[[object], None],
    named: bool,
    classes: tuple[str, ...],
    epochs: int,
) -> None:
    chosen = from_darknet(named)
    found = weights(chosen, classes, said())
    assert found is not None and found.network.classes == len(classes)
    assert start.float_epochs(chosen, found) == epochs
    names = "red, green" if named else "no names"
    got(f"weights of {names} for {', '.join(classes)}: {epochs} float epochs")


@TEACHER
def test_skipping_the_float_stage_with_fresh_classes_is_refused(
    from_darknet: Callable[..., TrainOptions], got: Callable[[object], None]
) -> None:
    chosen = from_darknet(float_epochs=0)
    found = weights(chosen, ("green", "blue"), said())
    with pytest.raises(SternaError, match=r"untrained.*float_epochs = 0; allowed: 1 or more for class blue") as refusal:
        start.float_epochs(chosen, found)
    got(refusal.value)
    by_position = from_darknet(named=False, float_epochs=0)  # whole weights, and the person decides
    assert start.float_epochs(by_position, weights(by_position, ("a", "b"), said())) == 0


def test_epochs_that_are_given_hold(from_darknet: Callable[..., TrainOptions]) -> None:
    chosen = from_darknet(float_epochs=3)
    for classes in (("red", "green"), ("green", "blue")):
        assert start.float_epochs(chosen, weights(chosen, classes, said())) == 3
    assert start.float_epochs(options.parse(output="run"), None) == FLOAT_EPOCHS


def test_a_run_gives_its_classes_to_others(from_run: Callable[..., TrainOptions]) -> None:
    console = said()
    found = weights(from_run(), ("blue", "GREEN"), console)
    assert found is not None and found.fresh == ("class blue",)
    assert "class GREEN is matched with green" in text(console) and "classes with fresh weights: blue" in text(console)
    same = weights(from_run(), ("red", "green"), said())
    assert same is not None and not same.fresh and same.certain


@pytest.mark.parametrize("made", ["from_darknet", "from_run"])
def test_other_anchors_are_used_and_said(made: str, request: pytest.FixtureRequest) -> None:
    console, chosen = said(), request.getfixturevalue(made)(anchors="1,1,1,2,2,1,2,2,2,3")
    found = weights(chosen, ("red", "green"), console)
    assert found is not None and found.anchors[1] == [1.0, 2.0] and not found.fresh
    assert "the anchors of the weights, 1,1,2,2,3,3,1,3,3,1, are replaced by --anchors" in text(console)
    with pytest.raises(SternaError, match="2 pairs; allowed: 5 pairs"):
        weights(request.getfixturevalue(made)(anchors="1,1,1,2"), ("red", "green"), said())


@pytest.mark.case(
    "anchors-in-pixels",
    kind="numbers in the wrong unit",
    expected="anchors far above the map are refused with the values in cells",
    source="AlexeyAB/darknet#3133",
)
def test_anchors_of_the_options_in_pixels_are_refused(got: Callable[[object], None]) -> None:
    chosen = options.parse(output="run", height=64, width=64, anchors="20,20,30,40,40,30,50,50,60,60")
    with pytest.raises(SternaError, match=r"divide pixels of the image by 16: 1\.25,1\.25") as refusal:
        start.anchors(chosen, LAYERS, SceneSet(0, "train", 2, 64, 64))
    got(refusal.value)


@pytest.mark.case(
    "cfg-anchors-without-weights",
    kind="what a file states is dropped",
    expected="a cfg file without weights is trained with its own anchors",
    source="AlexeyAB/darknet#3133",
)
def test_anchors_of_a_cfg_file_are_used(
    from_darknet: Callable[..., TrainOptions], got: Callable[[object], None]
) -> None:
    chosen = options.parse(output="run", network=from_darknet().network, height=64, width=64)
    found = start.anchors(chosen, LAYERS, SceneSet(0, "train", 2, 64, 64))
    got(f"cfg {ANCHORS}, training {found}")
    assert found == ANCHORS


class Boxes:
    """A data set of images with one box each, of the given sizes in pixels."""

    def __init__(self, sizes: Sequence[tuple[float, float]]) -> None:
        self._sizes = sizes

    def __len__(self) -> int:
        return len(self._sizes)

    def labels(self, index: int) -> Labels:
        return Labels.of(np.array([[0, 0, *self._sizes[index]]], np.float32), np.zeros(1, np.int64))


def test_boxes_of_one_size_are_told_of() -> None:
    console, data = said(), Boxes([(32, 16)] * 8)
    found = start.anchors(options.parse(output="run"), LAYERS, data, console)  # type: ignore[arg-type]
    assert [2.0, 1.0] in found and len(found) == 5
    assert "the training boxes have 1 different size, the network 5 anchors" in text(console)


def test_anchors_that_would_fit_as_pixels_are_warned_of() -> None:
    # Of small objects, so that none of them is far above the map of the image.
    pixels, data = [[8.0, 8.0], [12.0, 10.0]], Boxes([(8, 8), (12, 10)])
    (warning,) = start.misfit(LAYERS, pixels, data)  # type: ignore[arg-type]
    assert "--anchors 0.5,0.5,0.75,0.625" in warning
    assert not start.misfit(LAYERS, [[0.5, 0.5], [0.75, 0.625]], data)  # type: ignore[arg-type]
    assert not start.misfit(LAYERS, [[3.0, 3.0]], data)  # type: ignore[arg-type]


def test_a_pool_of_stride_1_in_an_older_checkpoint_keeps_the_size() -> None:
    pool = MaxPool("pool", "conv1", 1, padding=(0, 0, 1, 1))
    network = NetworkDescription((Conv("conv1", "image", 4, 3), pool, Head("head", "pool")))
    values = forms.plain(network)
    assert forms.from_plain(values) == network
    del values[1]["kernel"], values[1]["padding"]
    assert forms.from_plain(values) == network


def test_a_checkpoint_keeps_the_channels_of_its_image() -> None:
    network = networks.describe("skeleton")
    found = forms.from_plain(forms.plain(network))
    assert found == network and found.image_channels == 96


def test_size_that_the_network_cannot_divide_is_refused() -> None:
    layers = (
        Conv("conv1", "image", 4, 3),
        *(MaxPool(f"pool{n}", "conv1" if n == 1 else f"pool{n - 1}", 2) for n in range(1, 7)),
    )
    chosen = options.parse(output="run", height=96, width=128)
    with pytest.raises(SternaError, match="height = 96; allowed: multiples of 64"):
        start.check_size(chosen, NetworkDescription((*layers, Head("head", "pool6"))))


WHOLE = Start(Network(networks.describe("yolov2-nano"), 2, Form.FLOAT), "yolov2-nano", ANCHORS, ("a", "b"), 64, 64)


@pytest.mark.parametrize(
    ("freeze", "frozen"), [("conv1,conv4", ("conv1", "conv4")), ("3", ("conv1", "conv2", "conv3")), ("0", ()), ("", ())]
)
def test_frozen_layers_by_name_or_number(freeze: str, frozen: tuple[str, ...]) -> None:
    assert start.frozen(options.parse(output="run", freeze=freeze), LAYERS) == frozen


@pytest.mark.parametrize(
    ("freeze", "given", "message"),
    [
        ("conv99", WHOLE, r"no such layer; freeze = conv99; allowed: conv1, .*, head"),
        ("99", WHOLE, "all layers are frozen"),
        ("conv1", None, r"fresh weights cannot be frozen; freeze = conv1; allowed: none without weights"),
    ],
)
def test_layers_that_cannot_be_frozen(freeze: str, given: Start | None, message: str) -> None:
    with pytest.raises(SternaError, match=message):
        start.check_frozen(options.parse(output="run", freeze=freeze), LAYERS, given)


def test_a_head_with_a_fresh_class_cannot_be_frozen(from_darknet: Callable[..., TrainOptions]) -> None:
    chosen = from_darknet(freeze="head")
    with pytest.raises(SternaError, match="fresh weights cannot be frozen; freeze = head"):
        start.check_frozen(chosen, LAYERS, weights(chosen, ("green", "blue"), said()))
    start.check_frozen(chosen, LAYERS, weights(chosen, ("green", "red"), said()))


def test_classes_of_a_cfg_file_give_way_to_those_of_the_data(from_darknet: Callable[..., TrainOptions]) -> None:
    (note,) = start.head_notes(from_darknet(), ("a", "b", "c"))
    assert note.endswith("own.cfg says 2 classes, the data have 3, which apply")
    assert not start.head_notes(from_darknet(), ("a", "b"))
    assert not start.head_notes(options.parse(output="run"), ("a",))
