from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from sterna.errors import SternaError
from sterna.graph.layers import MaxPool, Reorg
from sterna.graph.reference import execute
from sterna.train.model import networks
from sterna.train.model.networks import Conv, Form, Head


def weights(name: str, classes: int) -> int:
    channels = {networks.IMAGE: 3}
    total = 0
    for layer in networks.describe(name):
        match layer:
            case Conv():
                total += layer.filters * channels[layer.input] * layer.kernel**2
                channels[layer.name] = layer.filters
            case Head():
                total += channels[layer.input] * networks.ANCHORS * (5 + classes)
            case networks.Concat():
                channels[layer.name] = sum(channels[source] for source in layer.inputs)
            case networks.Reorg():
                channels[layer.name] = 4 * channels[layer.input]
            case networks.Pool():
                channels[layer.name] = channels[layer.input]
    return total


def test_yolov2_has_the_weights_of_the_published_network() -> None:
    # The published yolov2-voc.weights has 202,704,260 bytes: 16 of header, 4 for each weight, for scale, bias, mean and
    # variance of each normalised filter, and for each bias of the head.
    specs = [layer for layer in networks.describe("yolov2") if isinstance(layer, Conv)]
    filters = sum(layer.filters for layer in specs)
    assert len(specs) == 22
    assert 16 + 4 * (weights("yolov2", 20) + 4 * filters + 125) == 202_704_260
    route = specs[-2]
    assert (route.filters, route.kernel, route.input) == (64, 1, "conv13")
    assert networks.stride(networks.describe("yolov2")) == 32


def test_yolov2_tiny_has_the_weights_of_the_published_network() -> None:
    specs = [layer for layer in networks.describe("yolov2-tiny") if isinstance(layer, Conv)]
    assert [layer.filters for layer in specs] == [16, 32, 64, 128, 256, 512, 1024, 1024]
    # The published tiny-yolo-voc.weights has 63,471,556 bytes.
    filters = sum(layer.filters for layer in specs)
    assert 16 + 4 * (weights("yolov2-tiny", 20) + 4 * filters + 125) == 63_471_556


@pytest.mark.parametrize("classes", [1, 2, 3, 20])
def test_nano_stays_below_200_000_weights(classes: int) -> None:
    network = networks.build("yolov2-nano", classes, Form.QUANTISED)
    count = sum(conv.weight.numel() for _, conv in network.convolutions())
    assert count == weights("yolov2-nano", classes) <= 200_000


def test_unknown_network_is_refused() -> None:
    with pytest.raises(SternaError, match=r"network = yolov9.*yolov2-nano"):
        networks.describe("yolov9")


@pytest.mark.parametrize("name", list(networks.NETWORKS))
def test_output_has_one_cell_per_stride(name: str) -> None:
    network = networks.build(name, 3, Form.FLOAT).eval()
    with torch.no_grad():
        head = network(torch.zeros(1, 3, 64, 96))
    stride = networks.stride(network.layers)
    assert head.shape == (1, networks.ANCHORS * 8, 64 // stride, 96 // stride)


def test_both_forms_share_their_parameters() -> None:
    float_network = networks.build("yolov2-nano", 2, Form.FLOAT)
    ternary = networks.build("yolov2-nano", 2, Form.QUANTISED)
    missing = ternary.load_state_dict(float_network.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all("quant" in key for key in missing.missing_keys)


def test_reorg_and_pool_move_pixels_as_the_integer_graph_does() -> None:
    from sterna.graph.graph import Graph
    from sterna.graph.layers import Input, Output

    graph = Graph(
        layers=(
            Input("image", 3, 6, 8, 1 / 128, 0),
            MaxPool("whole", "image", 1),
            MaxPool("half", "image", 2),
            Reorg("reorg", "image"),
            Output("output_whole", "whole"),
            Output("output_half", "half"),
            Output("output_reorg", "reorg"),
        )
    )
    image = np.random.default_rng(0).integers(-128, 128, (2, 3, 6, 8)).astype(np.int8)
    exact = execute(graph, image)
    real = torch.from_numpy(image).float()
    np.testing.assert_array_equal(networks._pool(real, 1).numpy(), exact["whole"])
    np.testing.assert_array_equal(networks._pool(real, 2).numpy(), exact["half"])
    np.testing.assert_array_equal(networks.space_to_depth(real).numpy(), exact["reorg"])


def test_quantising_behind_a_pool_is_the_same_as_before_it() -> None:
    network = networks.build("yolov2-nano", 2, Form.QUANTISED)
    network(torch.randn(2, 3, 64, 64))
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network.eval()(torch.randn(2, 3, 64, 64), record)
    torch.testing.assert_close(networks._pool(record["conv1"], 2), record["pool1"], rtol=0, atol=0)


@pytest.mark.parametrize("form", [Form.TERNARY, Form.QUANTISED])
def test_a_pass_never_asks_the_device_for_a_value(form: Form) -> None:
    """On a GPU each such question waits for all work before it, and the GPU then waits for more of it."""
    network = networks.build("yolov2-tiny", 2, form)  # has filters wider than the accumulator's bound
    network.aim(0.15)
    with profile(activities=[ProfilerActivity.CPU]) as taken:
        network(torch.randn(1, 3, 64, 64)).sum().backward()
    assert not {"aten::_local_scalar_dense", "aten::is_nonzero"} & {event.name for event in taken.events()}


def test_frozen_layers_keep_parameters_and_statistics() -> None:
    torch.manual_seed(0)
    network = networks.build("yolov2-nano", 2, Form.FLOAT)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.freeze(("conv1", "conv3"))
    optimiser = torch.optim.SGD(network.parameters(), 0.1, weight_decay=0.1)
    network.train()(torch.randn(2, 3, 64, 64)).square().mean().backward()
    optimiser.step()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]) == (name.split(".")[1] in ("conv1", "conv3")), name
