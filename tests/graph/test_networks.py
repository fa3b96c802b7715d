from __future__ import annotations

import pytest

from sterna.errors import SternaError
from sterna.graph import networks
from sterna.graph.layers import Concat, MaxPool, Reorg
from sterna.graph.network import ANCHORS, IMAGE, Conv, Head


def weights(name: str, classes: int) -> int:
    channels = {IMAGE: 3}
    total = 0
    for layer in networks.describe(name).layers:
        match layer:
            case Conv():
                total += layer.filters * channels[layer.input] * layer.kernel**2
                channels[layer.name] = layer.filters
            case Head():
                total += channels[layer.input] * ANCHORS * (5 + classes)
            case Concat():
                channels[layer.name] = sum(channels[source] for source in layer.inputs)
            case Reorg():
                channels[layer.name] = 4 * channels[layer.input]
            case MaxPool():
                channels[layer.name] = channels[layer.input]
    return total


def test_yolov2_has_the_weights_of_the_published_network() -> None:
    # The published yolov2-voc.weights has 202,704,260 bytes: 16 of header, 4 for each weight, for scale, bias, mean and
    # variance of each normalised filter, and for each bias of the head.
    specs = [layer for layer in networks.describe("yolov2").layers if isinstance(layer, Conv)]
    filters = sum(layer.filters for layer in specs)
    assert len(specs) == 22
    assert 16 + 4 * (weights("yolov2", 20) + 4 * filters + 125) == 202_704_260
    route = specs[-2]
    assert (route.filters, route.kernel, route.input) == (64, 1, "conv13")
    assert networks.describe("yolov2").stride == 32


def test_yolov2_tiny_has_the_weights_of_the_published_network() -> None:
    specs = [layer for layer in networks.describe("yolov2-tiny").layers if isinstance(layer, Conv)]
    assert [layer.filters for layer in specs] == [16, 32, 64, 128, 256, 512, 1024, 1024]
    # The published tiny-yolo-voc.weights has 63,471,556 bytes.
    filters = sum(layer.filters for layer in specs)
    assert 16 + 4 * (weights("yolov2-tiny", 20) + 4 * filters + 125) == 63_471_556


def test_unknown_network_is_refused() -> None:
    with pytest.raises(SternaError, match=r"network = yolov9; allowed: yolov2, yolov2-tiny, yolov2-nano;"):
        networks.describe("yolov9")
