from __future__ import annotations

import pytest

from sterna.errors import SternaError
from sterna.graph import networks
from sterna.graph.network import Conv


def weights(name: str, classes: int) -> int:
    described = networks.describe(name)
    channels = described.channels(classes)
    return sum(
        channels[layer.name] * channels[layer.input] // layer.groups * layer.kernel**2
        for layer in described.convolutions
    )


def biases(name: str, classes: int) -> int:
    described = networks.describe(name)
    return sum(described.channels(classes)[layer.name] for layer in described.convolutions)


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


# Published counts of parameters: AlexNet and GoogLeNet with a bias per filter, as in Caffe's models, ResNet-50 with two
# parameters of batch normalisation, as in torchvision.


def test_alexnet_has_the_weights_of_the_published_network() -> None:
    assert weights("alexnet", 1000) + biases("alexnet", 1000) == 60_965_224
    maps = networks.describe("alexnet").infer(1000, 224, 224)
    sides = [maps[name].height for name in ("conv1", "pool1", "pool2", "pool3", "conv6", "head")]
    assert sides == [56, 27, 13, 6, 1, 1]


def test_googlenet_has_the_weights_of_the_published_network() -> None:
    assert weights("googlenet", 1000) + biases("googlenet", 1000) == 6_998_552
    maps = networks.describe("googlenet").infer(1000, 224, 224)
    concats = [maps[f"concat{number}"].shape for number in (1, 3, 9)]
    assert concats == [(256, 28, 28), (512, 14, 14), (1024, 7, 7)] and maps["head"].shape == (1000, 1, 1)


def test_resnet50_has_the_weights_of_the_published_network() -> None:
    assert weights("resnet50", 1000) + 2 * (biases("resnet50", 1000) - 1000) + 1000 == 25_557_032
    maps = networks.describe("resnet50").infer(1000, 224, 224)
    sums = [maps[f"add{number}"].shape for number in (3, 7, 13, 16)]
    assert sums == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]


def test_resnet8_is_small() -> None:
    assert weights("resnet8", 10) < 80_000
    assert networks.describe("resnet8").infer(10, 28, 28)["head"].shape == (10, 1, 1)


def test_skeleton_goes_from_parts_to_the_whole_body() -> None:
    described = networks.describe("skeleton")
    assert [layer.groups for layer in described.convolutions] == [8, 4, 2, 1, 1]
    maps = described.infer(10, 8, 8)
    assert maps["image"].shape == (96, 8, 8) and maps["head"].shape == (10, 1, 1)


def test_a_classifier_has_no_boxes() -> None:
    with pytest.raises(SternaError, match="network: is no detector; last layer = Classifier; allowed: Head"):
        _ = networks.describe("resnet8").head


def test_unknown_network_is_refused() -> None:
    with pytest.raises(SternaError, match=r"network = yolov9; allowed: yolov2, yolov2-tiny, yolov2-nano, alexnet, "):
        networks.describe("yolov9")
