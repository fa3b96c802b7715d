from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph import networks
from sterna.graph.network import Conv, Head, NetworkDescription
from sterna.importers.darknet import Yolo2, convert, load, read_cfg, read_weights
from sterna.importers.darknet.load import BORDER, PASSTHROUGH
from sterna.importers.epsilon import Epsilon
from sterna.importers.importer import Imported
from sterna.train.model import export
from sterna.train.model.form import Form
from sterna.train.model.imported import to_network
from sterna.train.model.network import Network
from sterna.vision.decoder import Decoder
from support.darknet_networks import VOC_ANCHORS, random_weights, yolo2_networks

NAMES = "car\nperson\ntraffic light\n\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    network = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS[:2], 3, 64, 96)
    write_cfg(network, tmp_path / "nano.cfg")
    write_weights(random_weights(network), tmp_path / "nano.weights")
    (tmp_path / "obj.names").write_text(NAMES)
    return tmp_path


def loaded(folder: Path) -> Imported:
    return load(folder / "nano.cfg", folder / "nano.weights", folder / "obj.names")


def test_detector_is_loaded(folder: Path) -> None:
    found = loaded(folder)
    assert found.names == ("car", "person", "traffic light")
    assert found.changes[1:] == (BORDER, PASSTHROUGH)
    assert not found.fresh
    network = to_network(found)
    assert not network.training
    assert network(torch.zeros(1, 3, 64, 96)).shape == (1, 2 * 8, 4, 6)


def test_classes_without_a_list_have_no_names(folder: Path) -> None:
    assert load(folder / "nano.cfg", folder / "nano.weights").names is None


def test_passthrough_is_mentioned_only_where_there_is_one(tmp_path: Path) -> None:
    description = NetworkDescription((Conv("conv1", "image", 4, 3), Head("head", "conv1")))
    network = for_darknet(description, VOC_ANCHORS, 1, 64, 64)
    write_cfg(network, tmp_path / "tiny.cfg")
    write_weights(random_weights(network), tmp_path / "tiny.weights")
    assert load(tmp_path / "tiny.cfg", tmp_path / "tiny.weights").changes[1:] == (BORDER,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"car\nperson\n", r"classes = 2; allowed: 3"),
        (b"car\nperson\ncar\n", r"duplicate class name; class name = car"),
        (b"car\n\nperson\nboat\n", r"a class without a name; names = \('car', '', "),
        (b"\ncar\nperson\nboat\n", r"a class without a name; names = \('', 'car'"),
        (b"\n\n", "the list is empty"),
        (b"\xff\xfe\n", r"says that it is utf-16-le"),
    ],
)
def test_wrong_list_of_names_is_refused(folder: Path, text: bytes, message: str) -> None:
    (folder / "obj.names").write_bytes(text)
    with pytest.raises(SternaError, match=message):
        loaded(folder)


def test_weights_of_another_cfg_are_refused(folder: Path) -> None:
    write_cfg(for_darknet(networks.describe("yolov2-tiny"), VOC_ANCHORS[:2], 3, 64, 96), folder / "nano.cfg")
    with pytest.raises(SternaError, match=r"ends in conv5, after \d+ of its \d+ bytes.*cfg file that belongs"):
        load(folder / "nano.cfg", folder / "nano.weights")


def test_epsilon_is_chosen_and_said(folder: Path) -> None:
    files = folder / "nano.cfg", folder / "nano.weights"
    assert "sqrt(variance + 1e-5) (--darknet-epsilon gpu)" in load(*files).changes[0]
    assert "sqrt(variance) + 1e-6 (--darknet-epsilon cpu)" in load(*files, epsilon=Epsilon.CPU).changes[0]


def test_ternary_network_starts_from_the_imported_one(folder: Path) -> None:
    found = loaded(folder)
    ternary = Network(found.described.network, 3, Form.TERNARY)
    keys = ternary.load_state_dict(to_network(found).state_dict(), strict=False)
    assert not keys.unexpected_keys and all("quant" in key for key in keys.missing_keys)


@given(yolo2_networks())
@settings(max_examples=10)
def test_random_networks_reach_the_integer_graph(network: Yolo2) -> None:
    ternary = Network(network.network, network.classes, Form.TERNARY)
    ternary.aim(1.0)
    ternary.train()(torch.randn(2, 3, network.height, network.width))
    names = [f"class{number}" for number in range(network.classes)]
    graph = export.to_graph(ternary.eval(), network.anchors, names, network.height, network.width)
    decoder = Decoder.of(graph)
    assert [tuple(anchor) for anchor in decoder.anchors] == list(network.anchors)


BACKBONE = pytest.mark.case(
    "backbone-weights",
    kind="weights without a word",
    expected="weights of the first layers start a training; what has weights and what is fresh is said",
    source="AlexeyAB/darknet#51",
)


def cut(folder: Path, layers: int) -> None:
    """Leave the first `layers` convolutions in the weights file, as `darknet partial` does."""
    whole = read_weights(folder / "nano.weights", convert.shapes(read_cfg(folder / "nano.cfg")))
    write_weights(replace(whole, convolutions=whole.convolutions[:layers]), folder / "nano.weights")


@BACKBONE
def test_weights_of_the_first_layers_are_used(folder: Path, got: Callable[[object], None]) -> None:
    before = to_network(loaded(folder)).state_dict()
    cut(folder, 3)
    found = loaded(folder)
    assert found.names is None and found.fresh == (*(f"conv{number}" for number in range(4, 11)), "head")
    for key, values in to_network(found).state_dict().items():
        if key.endswith("weight") and values.ndim == 4:
            assert torch.equal(values, before[key]) == (key.split(".")[1] in ("conv1", "conv2", "conv3")), key
    got(found.changes[0].replace(str(folder), ""))
    assert "nano.weights: conv1, conv2, conv3; fresh weights: conv4, " in found.changes[0]


@BACKBONE
def test_head_for_other_classes_is_left_out(folder: Path, got: Callable[[object], None]) -> None:
    before = to_network(loaded(folder)).state_dict()
    write_cfg(for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS[:2], 4, 64, 96), folder / "nano.cfg")
    found = load(folder / "nano.cfg", folder / "nano.weights")
    assert found.fresh == ("head",) and torch.equal(
        to_network(found).state_dict()["blocks.conv10.conv.weight"], before["blocks.conv10.conv.weight"]
    )
    got(found.changes[0].replace(str(folder), ""))
    assert "16 filters, for 3 classes, and the cfg file says 4 classes: the head" in found.changes[0]


@pytest.mark.parametrize("layer", [3, 11])
def test_layers_that_are_not_to_be_loaded_are_fresh(folder: Path, layer: int) -> None:
    before = to_network(loaded(folder)).state_dict()
    parts = (folder / "nano.cfg").read_text().split("[convolutional]\n")
    parts[layer] = "dontload=1\n" + parts[layer]
    (folder / "nano.cfg").write_text("[convolutional]\n".join(parts))
    if layer < 11:  # darknet reads the next layer where this one would stand
        whole = read_weights(folder / "nano.weights", convert.shapes(read_cfg(folder / "nano.cfg")))
        rest = tuple(stored for stored in whole.convolutions if stored.name != f"conv{layer}")
        write_weights(replace(whole, convolutions=rest), folder / "nano.weights")
    found = loaded(folder)
    assert found.fresh == ("head" if layer == 11 else f"conv{layer}",)
    after = to_network(found).state_dict()
    assert torch.equal(after["blocks.conv10.conv.weight"], before["blocks.conv10.conv.weight"])
    fresh = "head" if layer == 11 else f"conv{layer}.conv"
    assert not torch.equal(after[f"blocks.{fresh}.weight"], before[f"blocks.{fresh}.weight"])
