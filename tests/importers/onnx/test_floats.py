"""Networks of ONNX models in floats compute what the models do, and what has no counterpart is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import sterna
from sterna.errors import FaultsError, SternaError
from sterna.graph import networks
from sterna.graph.layers import Concat, MaxPool, Reorg
from sterna.graph.network import Add, AveragePool, Conv
from sterna.importers.importer import Given, Imported
from sterna.importers.onnx.floats import load
from sterna.train.model.export import to_graph
from sterna.train.model.form import Form
from sterna.train.model.imported import to_network
from sterna.train.model.network import Network
from support.float_models import Backbone, Residual, save
from support.onnx_builder import ModelBuilder

GREY = Given(pixels=(-1.0, 127 / 128))
"""Pixels of which grey is 0, so that what is around the image is the same in Sterna."""
BOXES = {"anchors": "[[1, 1], [2, 2]]", "names": "{0: 'cat', 1: 'dog', 2: 'cow'}"}
OUTPUTS = 2 * (5 + 3)


@torch.no_grad()
def distance(module: nn.Module, found: Imported, side: int = 32, *, low: float = -1.0, step: float = 1 / 128) -> float:
    """The largest difference between the outputs of both on images, whose bytes are `low + step * byte` in `module`."""
    pixels = torch.randint(0, 256, (2, 3, side, side)).float()
    made = to_network(found)((pixels - 128) / 128)
    expected = module(low + step * pixels)
    assert expected.std() > 0.05
    return float((made - expected).abs().max())


@pytest.mark.parametrize("folds", [True, False])
@pytest.mark.parametrize("focus", [True, False])
def test_a_detector(focus: bool, folds: bool, tmp_path: Path) -> None:
    """With the moves of pixels and channels that programs write; folds: normalisation is part of the weights."""
    torch.manual_seed(1)
    module = Backbone(nn.ReLU, OUTPUTS, focus)
    save(module, tmp_path / "a.onnx", folds=folds, **BOXES)
    found = load(tmp_path / "a.onnx", GREY)
    assert distance(module, found) < 1e-5
    assert (found.names, found.fresh, found.replaced) == (("cat", "dog", "cow"), (), ())
    described = found.described
    assert (described.classes, described.anchors) == (3, ((1.0, 1.0), (2.0, 2.0)))
    assert (described.height, described.width) == (32, 32)
    assert all((each.norm is None) == (folds or name == "head") for name, each in found.weights.items())
    first = next(layer for layer in described.network.layers if isinstance(layer, Conv))
    assert first.bits == 8 and sum(layer.bits is not None for layer in described.network.convolutions) == 2


def test_channels_in_a_wrong_order_are_noticed(tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = Backbone(nn.ReLU, OUTPUTS)
    save(module, tmp_path / "a.onnx", **BOXES)
    found = load(tmp_path / "a.onnx", GREY)
    head = found.weights["head"]
    moved = {**found.weights, "head": replace(head, weights=np.roll(head.weights, 1, axis=1))}
    assert distance(module, replace(found, weights=moved)) > 1e-2


@pytest.mark.parametrize(
    "name", ["yolov2-nano", *(pytest.param(name, marks=pytest.mark.slow) for name in ("yolov2-tiny", "yolov2"))]
)
def test_own_networks_come_back(name: str, tmp_path: Path) -> None:
    """Layer by layer, but for the names of what the layers share."""
    torch.manual_seed(0)
    described = networks.describe(name)
    network = Network(described, 3, Form.FLOAT)
    network(torch.rand(2, 3, 64, 64) - 0.5)
    save(network, tmp_path / "a.onnx", 64, anchors=str([[1, 1]] * 5))
    found = load(tmp_path / "a.onnx", GREY)
    assert distance(network, found, 64) < 1e-5
    kinds = [type(layer) for layer in described.layers]
    assert [type(layer) for layer in found.described.network.layers] == kinds
    assert found.described.network.ternary == described.ternary


def test_pixels_as_other_programs_have_them(tmp_path: Path) -> None:
    """Also where the model itself normalises; 1x1 kernels see nothing of the border."""

    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 6, 1), nn.Conv2d(6, OUTPUTS, 1)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            mean, deviation = (torch.tensor(each).view(1, 3, 1, 1) for each in ([0.5, 0.4, 0.3], [0.2, 0.3, 0.25]))
            return self.head(torch.relu(self.conv((image - mean) / deviation)))

    torch.manual_seed(0)
    module = Normalised()
    save(module, tmp_path / "a.onnx", **BOXES)
    assert distance(module, load(tmp_path / "a.onnx"), low=0, step=1 / 255) < 1e-5
    assert distance(module, load(tmp_path / "a.onnx", Given(pixels=(0.0, 2.0))), low=0, step=1 / 255) > 0.1


def test_a_border_that_differs_is_said(tmp_path: Path) -> None:
    save(Backbone(nn.ReLU, OUTPUTS), tmp_path / "a.onnx", **BOXES)
    assert not [each for each in load(tmp_path / "a.onnx", GREY).changes if "grey" in each]
    assert [each for each in load(tmp_path / "a.onnx").changes if "outside the image is grey" in each]


@pytest.mark.parametrize(
    ("activation", "node", "called"),
    [
        (nn.SiLU, "Sigmoid", "SiLU"), (nn.Hardswish, "HardSwish", "HardSwish"), (nn.Mish, "Tanh", "Mish"),
        (nn.Sigmoid, "Sigmoid", "Sigmoid"), (nn.ReLU6, "Clip", "Clip"), (nn.ELU, "Elu", "Elu"),
        (nn.LeakyReLU, "LeakyRelu", "LeakyRelu with a slope of 0.01"),
        (nn.PReLU, None, None),
    ],
)  # fmt: skip
def test_other_activations_are_replaced_only_if_that_is_wanted(
    activation: type[nn.Module], node: str | None, called: str | None, tmp_path: Path
) -> None:
    save(Backbone(activation, OUTPUTS), tmp_path / "a.onnx", **BOXES)
    if node is None:  # its slope, 0.25, is one that a leaky ReLU stands for
        assert not load(tmp_path / "a.onnx").replaced
        return
    with pytest.raises(SternaError, match=rf"^node '/first/.*' \({node}\): .*lacks.*--onnx-activation relu"):
        load(tmp_path / "a.onnx")
    found = load(tmp_path / "a.onnx", Given(activation="leaky"))
    assert found.replaced == (f"leaky in place of {called}",)
    assert all(layer.activation == "leaky" for layer in found.described.network.layers if isinstance(layer, Conv))


def test_slopes_of_leaky_relu_stay_in_float(tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = Backbone(lambda: nn.LeakyReLU(0.1), OUTPUTS)
    save(module, tmp_path / "a.onnx", **BOXES)
    found = load(tmp_path / "a.onnx", GREY)
    assert distance(module, found) < 1e-5
    assert any(each.startswith("the slope 0.1 of its leaky ReLU holds in float") for each in found.changes)


def test_a_model_without_anchors_gets_a_fresh_head(tmp_path: Path) -> None:
    """After the layer that it ends in, or in place of its last 1x1 convolution, whose boxes nobody knows."""
    save(Backbone(), tmp_path / "a.onnx")
    backbone = load(tmp_path / "a.onnx")
    save(Backbone(nn.ReLU, 33), tmp_path / "b.onnx")
    headed = load(tmp_path / "b.onnx")
    for found in (backbone, headed):
        assert found.fresh == ("head",) and not found.described.anchors and not found.described.classes
        assert found.described.network.head.anchors == 5 and "does not say its anchors" in found.changes[-1]
    assert headed.described.network == backbone.described.network
    assert "in place of node '/head/Conv' (Conv)" in headed.changes[-1]


def test_the_network_ends_where_that_is_wanted(tmp_path: Path) -> None:
    save(Backbone(focus=False), tmp_path / "a.onnx")
    makers = {node.name: node.output[0] for node in onnx.load(tmp_path / "a.onnx").graph.node}
    found = load(tmp_path / "a.onnx", Given(until=makers["/deep/activation/Relu"]))
    assert not [layer for layer in found.described.network.layers if isinstance(layer, Reorg)]
    with pytest.raises(SternaError, match="onnx_until = nowhere; allowed: "):
        load(tmp_path / "a.onnx", Given(until="nowhere"))


def test_moves_after_the_head_are_left_out(tmp_path: Path) -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = Backbone(nn.ReLU, OUTPUTS)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.network(image).flatten(2).transpose(1, 2)

    torch.manual_seed(1)
    module = Flat()
    save(module, tmp_path / "a.onnx", **BOXES)
    assert distance(module.network, load(tmp_path / "a.onnx", GREY)) < 1e-5


@pytest.mark.parametrize("folds", [True, False])
def test_residual_networks(folds: bool, tmp_path: Path) -> None:
    """Strides, sums of maps, means, groups, kernels that are even, and padding on one side."""
    torch.manual_seed(1)
    module = Residual(OUTPUTS)
    save(module, tmp_path / "a.onnx", folds=folds, **BOXES)
    found = load(tmp_path / "a.onnx", GREY)
    assert distance(module, found) < 1e-5
    layers = found.described.network.layers
    assert {type(layer) for layer in layers} >= {Add, AveragePool, Conv, MaxPool}
    assert {(layer.stride, layer.kernel, layer.groups) for layer in layers if isinstance(layer, Conv)} >= {
        (2, 7, 1), (1, 3, 8), (2, 1, 1), (2, 4, 1),
    }  # fmt: skip


@pytest.mark.parametrize("side", [9, 13])
def test_large_pools_become_several(side: int, tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = Backbone(nn.ReLU, OUTPUTS)
    module.pyramid = nn.MaxPool2d(side, 1, side // 2)
    save(module, tmp_path / "a.onnx", **BOXES)
    found = load(tmp_path / "a.onnx", GREY)
    assert distance(module, found) < 1e-5
    kernels = [layer.kernel for layer in found.described.network.layers if isinstance(layer, MaxPool)]
    assert kernels[:2] == {9: [7, 3], 13: [7, 7]}[side]


def test_it_runs_on_an_engine(tmp_path: Path) -> None:
    save(Backbone(), tmp_path / "a.onnx")
    described = load(tmp_path / "a.onnx").described.network
    assert any(isinstance(layer, Concat) for layer in described.layers)
    network = Network(described, 2, Form.TERNARY)
    network(torch.rand(2, 3, 32, 32) - 0.5)
    graph = to_graph(network.eval(), [(1.0, 1.0)] * 5, ["cat", "dog"], 32, 32)
    image = np.random.default_rng(0).integers(-128, 128, (1, 3, 32, 32)).astype(np.int8)
    assert sterna.compare("reference:", "emulator:", sterna.compile(graph, "nano"), image).equal


@pytest.mark.slow
def test_modules_go_through_torch_export(tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = Backbone(nn.ReLU, OUTPUTS)
    sterna.export_module(module, tmp_path / "a.onnx", 32, 32, anchors=[(1, 1), (2, 2)], names=["cat", "dog", "cow"])
    assert module.training
    found = load(tmp_path / "a.onnx", GREY)
    assert found.names == ("cat", "dog", "cow") and distance(module.eval(), found) < 1e-5

    class Branches(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image if image.sum() > 0 else -image

    with pytest.raises(SternaError, match=r"^module Branches: cannot be exported by PyTorch"):
        sterna.export_module(Branches(), tmp_path / "b.onnx", 32, 32)
    assert not (tmp_path / "b.onnx").exists()


def colour(channels: int = 3, side: int = 8) -> ModelBuilder:
    return ModelBuilder((channels, side, side))


def conv(made: ModelBuilder, filters: int = 4, kernel: int = 3, channels: int = 3, **attributes: object) -> str:
    weights = np.ones((filters, channels, kernel, kernel), np.float32)
    edge = kernel // 2
    return made.add("Conv", weights, **{"kernel_shape": [kernel] * 2, "pads": [edge] * 4, **attributes})


def after_conv(operator: str, *inputs: object, **attributes: object) -> Callable[[ModelBuilder], None]:
    def add(made: ModelBuilder) -> None:
        conv(made)
        made.add("Relu")
        made.add(operator, *inputs, **attributes)
        conv(made, channels=4)

    return add


def of_conv(**attributes: object) -> Callable[[ModelBuilder], None]:
    return lambda made: void(conv(made, **attributes))  # type: ignore[arg-type]


def void(made: str) -> None:
    """Nothing."""


def product(made: ModelBuilder) -> None:
    conv(made)
    first = made.add("Relu")
    conv(made, channels=4)
    made.add("Mul", first)


def unlike(made: ModelBuilder) -> None:
    conv(made)
    first = made.add("Relu")
    conv(made, filters=1, channels=4)
    made.add("Add", first)


def twice(made: ModelBuilder) -> None:
    first = conv(made)
    relu = made.add("Relu")
    made.add("LeakyRelu", of=first, alpha=0.125)
    made.add("Concat", relu, axis=1)


def some_channels(made: ModelBuilder) -> None:
    conv(made)
    made.add("Relu")
    made.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    made.add("Slice", *(np.array([each], np.int64) for each in (0, 2, 1)))
    conv(made, channels=2)


def rows_as_channels(made: ModelBuilder) -> None:
    conv(made, filters=8)
    made.add("Relu")
    made.add("Transpose", perm=[0, 2, 1, 3])
    conv(made, channels=8)


def around_a_pool(made: ModelBuilder) -> None:
    conv(made)
    made.add("Relu")
    made.add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="constant")
    made.add("MaxPool", kernel_shape=[3, 3], strides=[1, 1])


def two_norms(made: ModelBuilder) -> None:
    conv(made)
    made.add("Relu")
    made.add("BatchNormalization", *(np.ones(4, np.float32) for _ in range(4)))


def no_numbers(made: ModelBuilder) -> None:
    made.add("Conv", np.full((4, 3, 1, 1), np.nan, np.float32))
    made.add("Relu")


REFUSED: dict[str, tuple[Callable[[ModelBuilder], None], str]] = {
    "resize": (
        after_conv("Resize", "", np.array([1, 1, 2, 2], np.float32), mode="nearest"),
        r"node 'Resize2' \(Resize\): changes the size of a map; allowed: .*MaxPool.*; remedy: detect on one grid",
    ),
    "product": (product, r"'Mul3' \(Mul\): combines two tensors of the model; .*join them by Concat"),
    "sum": (unlike, r"'Add3' \(Add\): adds maps of different shape"),
    "stride": (of_conv(strides=[3, 3]), r"'Conv0' \(Conv\): has strides that no layer has; strides = \[3, 3\]"),
    "dilation": (of_conv(dilations=[2, 2], pads=[2] * 4), r"skips pixels; dilations = \[2, 2\]"),
    "kernel": (of_conv(kernel=9), r"has a kernel that no layer has; kernel_shape = \(9, 9\); allowed: square ones"),
    "even kernel": (of_conv(kernel=4), "neither keeps the size of its map .*; got 8x8 to 9x9; allowed: 8x8"),
    "padding": (of_conv(pads=[0] * 4), "neither keeps the size of its map nor divides it .*; got 8x8 to 6x6"),
    "mean": (after_conv("AveragePool", kernel_shape=[8, 8]), r"'AveragePool2' \(AveragePool\): takes means that no la"),
    "whole mean": (after_conv("GlobalAveragePool"), "takes means of whole maps; .*for a detector: --onnx-until"),
    "softmax": (after_conv("Softmax"), "belongs to decoding"),
    "unknown": (after_conv("LRN", size=3), r"'LRN2' \(LRN\): is an operator that .* no counterpart for"),
    "quantised": (lambda made: void(made.quant(0.1)), r"'Quant0' \(Quant\): is quantised; .*sterna import"),
    "pool": (
        after_conv("MaxPool", kernel_shape=[3, 3], strides=[1, 1]),
        "neither keeps the size of its map nor divides it by the stride; got 8x8 to 6x6",
    ),
    "large pool": (
        after_conv("MaxPool", kernel_shape=[8, 8], strides=[2, 2], pads=[3] * 4), "is a pool that no layer is"
    ),
    "padded pool": (around_a_pool, "reads a map padded with another value; got 0.0"),
    "late norm": (two_norms, r"'BatchNormalization2' .*follows no convolution"),
    "late product": (after_conv("Mul", np.float32(2)), "changes what is no convolution's result"),
    "two activations": (twice, r"'Conv0' \(Conv\): is read with different activations"),
    "some channels": (some_channels, "reads only some channels of a map, or some twice; got 2 of 4"),
    "moved rows": (rows_as_channels, r"reads pixels in an order that no layer gives; .*SpaceToDepth"),
    "image": (lambda made: void(made.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])), "is no map of a convol"),
    "no numbers": (no_numbers, "'Conv0' .*leave the range of float32, or no numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_refused_by_name(name: str, tmp_path: Path) -> None:
    add, message = REFUSED[name]
    made = colour()
    add(made)
    onnx.save(made.model(), tmp_path / "a.onnx")
    with pytest.raises(SternaError, match=message):
        load(tmp_path / "a.onnx")


def test_all_operators_without_counterpart_are_named_at_once(tmp_path: Path) -> None:
    made = colour()
    conv(made)
    made.add("Resize", "", np.array([1, 1, 2, 2], np.float32))
    made.add("ConvTranspose", np.ones((4, 4, 2, 2), np.float32))
    onnx.save(made.model(), tmp_path / "a.onnx")
    with pytest.raises(FaultsError) as found:
        load(tmp_path / "a.onnx")
    assert [fault.where for fault in found.value.faults] == [
        "node 'Resize1' (Resize)",
        "node 'ConvTranspose2' (ConvTranspose)",
    ]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (ModelBuilder((1, 8, 8)), "reads no colour image; shape = "),
        (ModelBuilder((3, 0, 0)), "has a shape that is left open; .*export the model with a fixed image size"),
    ],
)
def test_other_images_are_refused(made: ModelBuilder, message: str, tmp_path: Path) -> None:
    made.add("Relu")
    onnx.save(made.model(), tmp_path / "a.onnx")
    with pytest.raises(SternaError, match=message):
        load(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anchors", "[[0, 1]]"), ("anchors", "[1, 1]"), ("anchors", "7"), ("anchors", "__import__('os')"),
        ("anchors", "[" * 99999), ("anchors", "[[1, 1], [1, inf]]"), ("names", "{'a': 1}"), ("names", "cat, dog"),
    ],
)  # fmt: skip
def test_damaged_properties_are_refused(name: str, text: str, tmp_path: Path) -> None:
    made = colour()
    conv(made, 7, 1)
    model = made.model()
    onnx.helper.set_model_props(model, {"anchors": "[[1, 1]]", name: text})
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(SternaError, match=f"^model: has a property that cannot be read; {name} = "):
        load(tmp_path / "a.onnx")


def test_a_head_that_does_not_fit_the_anchors_is_refused(tmp_path: Path) -> None:
    made = colour()
    conv(made, 17, 1)
    model = made.model()
    onnx.helper.set_model_props(model, {"anchors": "[[1, 1], [2, 2]]"})
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(SternaError, match=r"'Conv0' .*anchors; filters = 17; allowed: 2 \* \(5 \+ classes\)"):
        load(tmp_path / "a.onnx")


@pytest.mark.parametrize("pair", [1, (1, 2, 3), ("a", 1)])
def test_an_anchor_that_is_no_pair_is_refused(tmp_path: Path, pair: object) -> None:
    with pytest.raises(SternaError, match=r"an anchor is no pair; anchors = .*; remedy: give anchors=\[\(1\.5, 2\)"):
        sterna.export_module(nn.ReLU(), tmp_path / "m.onnx", 8, 8, anchors=[pair])  # type: ignore[list-item]
    assert not (tmp_path / "m.onnx").exists()
