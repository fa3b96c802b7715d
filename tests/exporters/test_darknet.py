from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg
from sterna.graph import networks
from sterna.graph.layers import Layer, MaxPool
from sterna.graph.network import Add, AveragePool, Conv, Head, NetworkDescription
from sterna.importers.darknet import Yolo2, read_cfg
from support.darknet_networks import VOC_ANCHORS, yolo2_networks


@pytest.mark.parametrize("name", ["yolov2", "yolov2-tiny", "yolov2-nano"])
def test_own_networks_come_back(tmp_path: Path, name: str) -> None:
    network = for_darknet(networks.describe(name), VOC_ANCHORS[:3], 7, 64, 96)
    write_cfg(network, tmp_path / "own.cfg")
    assert read_cfg(tmp_path / "own.cfg") == network


@given(yolo2_networks())
@settings(max_examples=60)
def test_random_networks_come_back(network: Yolo2) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.cfg"
        write_cfg(network, path)
        assert read_cfg(path) == network


def test_routes_are_written_backwards(tmp_path: Path) -> None:
    write_cfg(for_darknet(networks.describe("yolov2"), VOC_ANCHORS, 20, 416, 416), tmp_path / "yolov2.cfg")
    routes = [line for line in (tmp_path / "yolov2.cfg").read_text().splitlines() if line.startswith("layers")]
    assert routes == ["layers=-9", "layers=-1,-4"]


def test_slope_that_darknet_does_not_have_is_refused(tmp_path: Path) -> None:
    network = Yolo2(networks.describe("yolov2-tiny"), 1, VOC_ANCHORS, 64, 64)
    with pytest.raises(SternaError, match=r"conv1.*leak = 0.125; allowed: 0.1"):
        write_cfg(network, tmp_path / "own.cfg")
    assert not (tmp_path / "own.cfg").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": 4, "padding": (2, 2, 1, 1)}, "kernel = 4; allowed: 1, 3, 5, 7"),
        ({"padding": (0, 1, 1, 1)}, r"padding = \(0, 1, 1, 1\); allowed: \(1, 1, 1, 1\)"),
    ],
)
def test_windows_that_darknet_does_not_have_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    conv = replace(Conv("conv1", "image", 6, 3, bits=8, leak=0.1), **changes)  # type: ignore[arg-type]
    network = NetworkDescription((conv, Head("head", "conv1")))
    with pytest.raises(SternaError, match=f"conv1: .*{message}"):
        write_cfg(Yolo2(network, 1, VOC_ANCHORS, 64, 64), tmp_path / "own.cfg")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Add("other", ("conv1", "conv1"), "leaky"), "activation = leaky; allowed: linear, relu"),
        (AveragePool("other", "conv1", 2), "kind = AveragePool; allowed: Conv, Head"),
    ],
)
def test_other_layers_are_refused(tmp_path: Path, layer: Layer, message: str) -> None:
    network = NetworkDescription((Conv("conv1", "image", 6, 3, bits=8, leak=0.1), layer, Head("head", "other")))
    with pytest.raises(SternaError, match=f"other: .*{message}"):
        write_cfg(Yolo2(network, 1, VOC_ANCHORS, 64, 64), tmp_path / "own.cfg")


@pytest.mark.parametrize("pool", [MaxPool("pool", "conv1", 2, 3), MaxPool("pool", "conv1", 1)])
def test_pools_of_other_pixels_are_refused(tmp_path: Path, pool: MaxPool) -> None:
    layers = (Conv("conv1", "image", 6, 3, bits=8, leak=0.1), pool, Head("head", "pool"))
    with pytest.raises(SternaError, match=r"pool: .*padding = \(0, 0, 0, 0\); allowed: \("):
        write_cfg(Yolo2(NetworkDescription(layers), 1, VOC_ANCHORS, 64, 64), tmp_path / "own.cfg")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    network = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS, 1, 64, 64)
    with pytest.raises(SternaError, match="cannot be written"):
        write_cfg(network, tmp_path)
