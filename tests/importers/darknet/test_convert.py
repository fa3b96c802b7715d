"""OpenCV reads the same two files and computes the network on its own: it judges reader, import and execution."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph import networks
from sterna.graph.network import Conv, NetworkDescription
from sterna.importers.darknet import Yolo2, convert, load
from sterna.importers.epsilon import Epsilon
from sterna.importers.importer import Norm
from sterna.train.model.as_darknet import as_darknet
from sterna.train.model.imported import to_network
from sterna.train.model.network import ConvBlock, Network
from sterna.train.report import evaluate
from sterna.vision import boxes
from support.darknet_networks import VOC_ANCHORS, random_weights, yolo2_networks


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


def opencv(folder: Path, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The raw head [C, h, w] of the files in `folder`, and OpenCV's rows of boxes, one an anchor and cell."""
    net = cv2.dnn.readNetFromDarknet(str(folder / "net.cfg"), str(folder / "net.weights"))
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.setInput(cv2.dnn.blobFromImage(rgb, 1 / 255))
    head = [name for name in net.getLayerNames() if name.startswith("conv_")][-1]
    return net.forward(head)[0], net.forward()


@torch.no_grad()
def heads(network: Network, rgb: np.ndarray) -> np.ndarray:
    """The raw head [C, h, w] of `network`."""
    return network(evaluate.to_real(rgb[None]))[0].numpy()


def written(network: Yolo2, folder: Path) -> Network:
    """`network` with random weights, written into `folder` and read again."""
    write_cfg(network, folder / "net.cfg")
    write_weights(random_weights(network), folder / "net.weights")
    return to_network(load(folder / "net.cfg", folder / "net.weights", epsilon=Epsilon.OPENCV))


def error(found: np.ndarray, right: np.ndarray) -> float:
    """Largest difference, relative to the largest value."""
    return float(np.abs(found - right).max() / np.abs(right).max())


def narrow(network: NetworkDescription, divisor: int) -> NetworkDescription:
    """The same network with fewer filters."""
    layers = (
        replace(layer, filters=layer.filters // divisor) if isinstance(layer, Conv) else layer
        for layer in network.layers
    )
    return NetworkDescription(tuple(layers))


@pytest.mark.parametrize(
    ("name", "divisor", "height", "width"),
    [
        ("yolov2-tiny", 1, 96, 64),
        ("yolov2", 8, 64, 96),
        pytest.param("yolov2", 1, 64, 96, marks=pytest.mark.slow),
    ],
)
def test_published_networks_compute_what_opencv_computes(
    tmp_path: Path, name: str, divisor: int, height: int, width: int
) -> None:
    network = for_darknet(narrow(networks.describe(name), divisor), VOC_ANCHORS, 20, height, width)
    imported, rgb = written(network, tmp_path), image(height, width)
    right, rows = opencv(tmp_path, rgb)
    head = heads(as_darknet(imported), rgb)
    assert error(head, right) < 1e-4
    # A change of a tenth of the slope would be seen.
    assert error(heads(with_slope(imported, 0.11), rgb), right) > 1e-3
    assert_same_boxes(head, rows)


def with_slope(network: Network, slope: float) -> Network:
    changed = as_darknet(network)
    for block in changed.blocks.values():
        if isinstance(block, ConvBlock):
            block.slope = slope
    return changed


def assert_same_boxes(head: np.ndarray, rows: np.ndarray) -> None:
    """Scores and corners decoded from `head` against OpenCV's rows x, y, w, h, objectness, class scores."""
    found = boxes.decode(head, VOC_ANCHORS, threshold=0.0)
    scores = rows[:, 5:].max(1)
    order = np.argsort(-scores)[: len(found) // 4]
    centre, size = rows[order, :2], rows[order, 2:4]
    np.testing.assert_allclose(found.scores[: len(order)], scores[order], rtol=1e-3, atol=1e-5)
    corners = np.concatenate([centre - size / 2, centre + size / 2], 1).clip(0, 1)
    np.testing.assert_allclose(found.boxes[: len(order)], corners, atol=1e-3)


@given(yolo2_networks())
@settings(max_examples=25)
def test_random_networks_compute_what_opencv_computes(network: Yolo2) -> None:
    with tempfile.TemporaryDirectory() as folder:
        imported, rgb = written(network, Path(folder)), image(network.height, network.width)
        assert error(heads(as_darknet(imported), rgb), opencv(Path(folder), rgb)[0]) < 1e-4


def test_only_the_border_and_the_reorg_differ_from_darknet(tmp_path: Path) -> None:
    network = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS, 3, 96, 64)
    imported, rgb = written(network, tmp_path), image(96, 64)
    ours: dict[str, torch.Tensor] = {}
    theirs: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        imported(evaluate.to_real(rgb[None]), ours)
        as_darknet(imported)(evaluate.to_real(rgb[None]), theirs)
    difference = (ours["conv1"] - theirs["conv1"]).abs().amax((0, 1))
    assert not difference[1:-1, 1:-1].any()
    assert difference[0].all() and difference[:, -1].all()
    # Three convolutions and two pools further the border reaches two pixels into the map.
    assert not (ours["conv3"] - theirs["conv3"]).abs()[:, :, 2:-2, 2:-2].any()
    assert (ours["reorg"] - theirs["reorg"]).abs()[:, :, 1:-1, 1:-1].max() > 0.1


@pytest.mark.case(
    "darknet-epsilon",
    kind="the wrong one of two ways",
    expected="batch normalisation divides as the program that made the weights does",
    source="AlexeyAB/darknet#5447",
)
@pytest.mark.parametrize("epsilon", Epsilon)
def test_dead_filters_keep_their_value(epsilon: Epsilon, got: Callable[[object], None]) -> None:
    # Variances of 0 and near it, where the ways to avoid a division by zero differ most.
    network = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS, 1, 32, 32)
    weights = random_weights(network)
    first = weights.convolutions[0]
    assert first.norm is not None
    variances = first.norm.variances.copy()
    variances[:4] = 0, 1e-12, 1e-8, 1e-5
    norm = Norm(first.norm.scales * np.float32(1e-3), first.norm.means, variances)
    weights = replace(weights, convolutions=(replace(first, norm=norm), *weights.convolutions[1:]))
    converted = convert.to_sterna(network, weights, epsilon)["conv1"].norm
    assert converted is not None
    gain = converted.scales.astype(np.float64) / np.sqrt(converted.variances.astype(np.float64) + 1e-5)
    v = variances.astype(np.float64)
    root = {"gpu": np.sqrt(v + 1e-5), "cpu": np.sqrt(v) + 1e-6, "opencv": np.sqrt(v + 1e-6)}[epsilon.value]
    np.testing.assert_allclose(gain, norm.scales / root, rtol=1e-6)
    got(f"{epsilon.value}: {epsilon.formula}, for a variance of 0 as well")


def test_weights_as_published_move_without_rounding() -> None:
    """Where PyTorch and darknet's program have the same epsilon, the scales are the same numbers."""
    network = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS, 1, 32, 32)
    weights = random_weights(network)
    converted, stored = convert.to_sterna(network, weights)["conv2"].norm, weights.convolutions[1].norm
    assert converted is not None and stored is not None
    np.testing.assert_array_equal(converted.scales, stored.scales)


def test_value_beyond_float32_is_refused() -> None:
    network = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS, 1, 32, 32)
    weights = random_weights(network)
    first = weights.convolutions[0]
    assert first.norm is not None
    norm = replace(first.norm, scales=first.norm.scales * np.float32(1e38), variances=first.norm.variances * 0)
    weights = replace(weights, convolutions=(replace(first, norm=norm), *weights.convolutions[1:]))
    with pytest.raises(SternaError, match=r"conv1: batch normalisation leaves the range"):
        convert.to_sterna(network, weights, Epsilon.CPU)
