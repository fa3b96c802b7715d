from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings

from sterna.errors import SternaError
from sterna.run.detector import Detector
from sterna.train import export, networks
from sterna.train.darknet import Imported, Yolo2, for_classes, for_darknet, load, write_cfg, write_weights
from sterna.train.darknet.load import BORDER, PASSTHROUGH
from sterna.train.networks import Form, Network
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
    assert found.header.seen == 1_234_567
    assert found.changes == (BORDER, PASSTHROUGH)
    assert not found.network.training
    assert found.network(torch.zeros(1, 3, 64, 96)).shape == (1, 2 * 8, 4, 6)


def test_classes_without_a_list_are_numbered(folder: Path) -> None:
    assert load(folder / "nano.cfg", folder / "nano.weights").names == ("class0", "class1", "class2")


def test_passthrough_is_mentioned_only_where_there_is_one(tmp_path: Path) -> None:
    layers = (networks.Conv("conv1", "image", 4, 3), networks.Head("head", "conv1"))
    network = for_darknet(layers, VOC_ANCHORS, 1, 64, 64)
    write_cfg(network, tmp_path / "tiny.cfg")
    write_weights(random_weights(network), tmp_path / "tiny.weights")
    assert load(tmp_path / "tiny.cfg", tmp_path / "tiny.weights").changes == (BORDER,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"car\nperson\n", r"classes = 2; allowed: 3"),
        (b"car\nperson\ncar\n", r"twice; name = car"),
        (b"\xff\xfe\n", r"says that it is utf-16-le"),
    ],
)
def test_wrong_list_of_names_is_refused(folder: Path, text: bytes, message: str) -> None:
    (folder / "obj.names").write_bytes(text)
    with pytest.raises(SternaError, match=message):
        loaded(folder)


def test_weights_of_another_cfg_are_refused(folder: Path) -> None:
    write_cfg(for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS[:2], 4, 64, 96), folder / "nano.cfg")
    with pytest.raises(SternaError, match=r"too short: it ends in head.*classes, filters"):
        load(folder / "nano.cfg", folder / "nano.weights")


def test_ternary_network_starts_from_the_imported_one(folder: Path) -> None:
    found = loaded(folder)
    ternary = Network(found.described.layers, 3, Form.TERNARY)
    keys = ternary.load_state_dict(found.network.state_dict(), strict=False)
    assert not keys.unexpected_keys and all("quant" in key for key in keys.missing_keys)


@given(yolo2_networks())
@settings(max_examples=10, deadline=None)
def test_random_networks_reach_the_integer_graph(network: Yolo2) -> None:
    ternary = Network(network.layers, network.classes, Form.TERNARY)
    ternary.aim(1.0)
    ternary.train()(torch.randn(2, 3, network.height, network.width))
    names = [f"class{number}" for number in range(network.classes)]
    graph = export.to_graph(ternary.eval(), network.anchors, names, network.height, network.width)
    detector = Detector.of(graph)
    assert [tuple(anchor) for anchor in detector.anchors] == list(network.anchors)


def test_head_is_adapted_to_other_classes_by_name(folder: Path) -> None:
    found = loaded(folder)
    adapted = for_classes(found, ["bus", "traffic light", "car", "tram"]).eval()
    picture = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        old = found.network(picture).unflatten(1, (2, 8))
        new = adapted(picture).unflatten(1, (2, 9))
    torch.testing.assert_close(new[:, :, :5], old[:, :, :5])
    torch.testing.assert_close(new[:, :, 6], old[:, :, 5 + 2])
    torch.testing.assert_close(new[:, :, 7], old[:, :, 5 + 0])
    for fresh in (5, 8):
        assert not any(torch.allclose(new[:, :, fresh], old[:, :, other]) for other in (5, 6, 7))
