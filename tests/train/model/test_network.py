from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from sterna.graph import Graph, networks
from sterna.graph.layers import Conv as GraphConv
from sterna.graph.layers import Layer, MaxPool, Reorg, pool_padding
from sterna.graph.network import (
    ANCHORS,
    Add,
    AveragePool,
    Classifier,
    Conv,
    Head,
    NetworkDescription,
    share_quantisers,
)
from sterna.graph.reference import execute
from sterna.train.model import export
from sterna.train.model.form import Form
from sterna.train.model.network import SCORE_SCALE, ConvBlock, Network, max_pool, space_to_depth


@pytest.mark.parametrize("classes", [1, 2, 3, 20])
def test_nano_stays_below_200_000_weights(classes: int) -> None:
    network = Network(networks.describe("yolov2-nano"), classes, Form.QUANTISED)
    assert sum(conv.weight.numel() for _, conv in network.convolutions()) <= 200_000


@pytest.mark.parametrize("name", ["yolov2", "yolov2-tiny", "yolov2-nano"])
def test_output_has_one_cell_per_stride(name: str) -> None:
    network = Network(networks.describe(name), 3, Form.FLOAT).eval()
    with torch.no_grad():
        head = network(torch.zeros(1, 3, 64, 96))
    stride = network.description.stride
    assert head.shape == (1, ANCHORS * 8, 64 // stride, 96 // stride)


@pytest.mark.parametrize(("name", "side"), [("resnet8", 28), ("googlenet", 224)])
def test_a_classifier_has_a_score_per_class(name: str, side: int) -> None:
    network = Network(networks.describe(name), 12, Form.FLOAT).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, side, side)).shape == (1, 12, 1, 1)


def test_both_forms_share_their_parameters() -> None:
    float_network = Network(networks.describe("yolov2-nano"), 2, Form.FLOAT)
    ternary = Network(networks.describe("yolov2-nano"), 2, Form.QUANTISED)
    missing = ternary.load_state_dict(float_network.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all("quant" in key for key in missing.missing_keys)


def test_reorg_and_pool_move_pixels_as_the_integer_graph_does() -> None:
    from sterna.graph.graph import Graph
    from sterna.graph.layers import Input, Output

    graph = Graph(
        layers=(
            Input("image", 3, 6, 8, 1 / 128, 0),
            MaxPool("whole", "image", 1, padding=(0, 0, 1, 1)),
            MaxPool("half", "image", 2),
            MaxPool("three", "image", 2, 3, (1, 2, 0, 1)),
            Reorg("reorg", "image"),
            Output("output_whole", "whole"),
            Output("output_half", "half"),
            Output("output_three", "three"),
            Output("output_reorg", "reorg"),
        )
    )
    image = np.random.default_rng(0).integers(-128, 128, (2, 3, 6, 8)).astype(np.int8)
    exact = execute(graph, image)
    real = torch.from_numpy(image).float()
    for pool in graph.layers:
        if isinstance(pool, MaxPool):
            np.testing.assert_array_equal(max_pool(pool, real).numpy(), exact[pool.name])
    np.testing.assert_array_equal(space_to_depth(real).numpy(), exact["reorg"])


def test_quantising_behind_a_pool_is_the_same_as_before_it() -> None:
    network = Network(networks.describe("yolov2-nano"), 2, Form.QUANTISED)
    network(torch.randn(2, 3, 64, 64))
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network.eval()(torch.randn(2, 3, 64, 64), record)
    torch.testing.assert_close(max_pool(MaxPool("pool", "image", 2), record["conv1"]), record["pool1"], rtol=0, atol=0)


@pytest.mark.parametrize("form", [Form.TERNARY, Form.QUANTISED])
def test_a_pass_never_asks_the_device_for_a_value(form: Form) -> None:
    """On a GPU each such question waits for all work before it, and the GPU then waits for more of it."""
    network = Network(networks.describe("yolov2-tiny"), 2, form)  # has filters wider than the accumulator's bound
    network.aim(0.15)
    with profile(activities=[ProfilerActivity.CPU]) as taken:
        network(torch.randn(1, 3, 64, 64)).sum().backward()
    assert not {"aten::_local_scalar_dense", "aten::is_nonzero"} & {event.name for event in taken.events()}


def test_frozen_layers_keep_parameters_and_statistics() -> None:
    torch.manual_seed(0)
    network = Network(networks.describe("yolov2-nano"), 2, Form.FLOAT)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.freeze(("conv1", "conv3"))
    optimiser = torch.optim.SGD(network.parameters(), 0.1, weight_decay=0.1)
    network.train()(torch.randn(2, 3, 64, 64)).square().mean().backward()
    optimiser.step()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]) == (name.split(".")[1] in ("conv1", "conv3")), name


@pytest.mark.parametrize(("activation", "slope"), [("linear", 1.0), ("relu", 0.0), ("leaky", 0.5)])
def test_the_activation_is_that_of_the_description(activation: str, slope: float) -> None:
    conv = Conv("conv1", "image", 4, 3, activation=activation, leak=0.5)
    network = Network(NetworkDescription((conv, Head("head", "conv1"))), 1, Form.FLOAT).eval()
    image, record = torch.randn(1, 3, 8, 8), dict[str, torch.Tensor]()
    with torch.no_grad():
        network(image, record)
        block = network.blocks["conv1"]
        assert isinstance(block, ConvBlock)
        before = block.norm(block.conv(image))
    torch.testing.assert_close(record["conv1"], torch.where(before < 0, slope * before, before))


def graph_of_equal_maps(layers: tuple[Layer, ...]) -> Graph:
    """The graph of a network, trained a little, after both have computed the same maps."""
    torch.manual_seed(0)
    network = Network(NetworkDescription(layers), 1, Form.QUANTISED)
    network.aim(0.5)
    for _ in range(9):
        network(torch.randn(2, 3, 16, 16))
    network.eval().form = Form.INTEGER
    graph = export.to_graph(network, [[1.0, 1.0]], ["thing"], 16, 16)
    image = np.random.default_rng(0).integers(-128, 128, (2, 3, 16, 16)).astype(np.int8)
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network(torch.from_numpy(image).float() / 128, record)
    exact = execute(graph, image)
    for name, values in record.items():
        np.testing.assert_array_equal(values.numpy(), exact[name])
    return graph


def test_a_network_with_every_activation_equals_its_graph() -> None:
    names = ("linear", "relu", "leaky")
    convs = (Conv(f"conv{n}", f"conv{n - 1}" if n else "image", 6, 3, activation=name) for n, name in enumerate(names))
    graph = graph_of_equal_maps((*convs, Head("head", "conv2", anchors=1)))
    assert [layer.requant.activation for layer in graph.layers if isinstance(layer, GraphConv)] == [*names, "linear"]


def test_a_network_with_groups_equals_its_graph() -> None:
    convs = (
        Conv("first", "image", 6, 3, bits=8, groups=3),
        Conv("depthwise", "first", 12, 3, groups=6),
        Conv("pairs", "depthwise", 8, 3, groups=2),
    )
    graph = graph_of_equal_maps((*convs, Head("head", "pairs", anchors=1)))
    shapes = [layer.weights.shape for layer in graph.layers if isinstance(layer, GraphConv)]
    assert shapes == [(6, 1, 3, 3), (12, 1, 3, 3), (8, 6, 3, 3), (6, 8, 1, 1)]


def test_a_network_with_pools_of_three_equals_its_graph() -> None:
    layers = (
        Conv("conv1", "image", 6, 3, bits=8),
        MaxPool("pool1", "conv1", 2, 3, (1, 1, 1, 1)),
        Conv("conv2", "pool1", 8, 3),
        MaxPool("pool2", "conv2", 1, 5, pool_padding(5, 1)),
        Head("head", "pool2", anchors=1),
    )
    graph = graph_of_equal_maps(layers)
    assert [graph.info[name].shape for name in ("pool1", "pool2")] == [(6, 8, 8), (8, 8, 8)]


def test_a_network_with_strides_and_uneven_padding_equals_its_graph() -> None:
    convs = (
        Conv("conv1", "image", 6, 11, bits=8, stride=4),
        Conv("conv2", "conv1", 8, 4, padding=(1, 2, 2, 1)),
        Conv("conv3", "conv2", 8, 3, stride=2),
    )
    graph = graph_of_equal_maps((*convs, Head("head", "conv3", anchors=1)))
    assert [graph.info[name].shape for name in ("conv1", "conv2", "conv3")] == [(6, 4, 4), (8, 4, 4), (8, 2, 2)]
    assert {"conv1.reorg1", "conv1.reorg2"} < set(graph.info)


def test_a_network_with_sums_and_means_equals_its_graph() -> None:
    layers = (
        Conv("conv1", "image", 6, 3, bits=8, activation="relu"),
        Conv("conv2", "conv1", 6, 3, activation="linear"),
        Add("add1", ("conv2", "conv1")),
        MaxPool("pool", "add1", 2),
        Conv("conv3", "pool", 6, 3, activation="linear"),
        Add("add2", ("conv3", "pool"), "leaky"),
        AveragePool("mean", "add2", 4, 2),
        Classifier("scores", "mean"),
    )
    graph = graph_of_equal_maps(share_quantisers(layers))
    assert graph.info["scores"].shape == (1, 3, 3) and graph.info["scores"].scale == SCORE_SCALE
    assert graph.info["add1"].scale != graph.info["conv1"].scale == graph.info["conv2"].scale


def test_the_gradient_passes_sums_and_means_in_integers_as_it_does_in_float() -> None:
    torch.manual_seed(0)
    network = Network(networks.describe("resnet8"), 3, Form.QUANTISED)
    network.aim(0.5)
    for _ in range(9):
        network(torch.randn(4, 3, 28, 28))
    network.eval()
    image, found = torch.randn(4, 3, 28, 28).clamp(-1, 1), {}
    for form in (Form.QUANTISED, Form.INTEGER):
        network.form = form
        network.zero_grad()
        network(image).square().sum().backward()
        weight = network.convolution(network.description.convolutions[2]).weight
        assert weight.grad is not None
        found[form] = weight.grad.flatten().clone()
    ours, theirs = found[Form.INTEGER], found[Form.QUANTISED]
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.95
    assert ours.norm().item() == pytest.approx(theirs.norm().item(), rel=0.1)
