from __future__ import annotations

from dataclasses import replace

import pytest

from sterna.errors import SternaError
from sterna.graph.layers import Concat, Input, Layer, MaxPool, Reorg
from sterna.graph.network import Add, AveragePool, Classifier, Conv, Head, NetworkDescription, share_quantisers

LAYERS: tuple[Layer, ...] = (
    Conv("conv1", "image", 8, 3, bits=8),
    MaxPool("pool1", "conv1", 2),
    Conv("conv2", "pool1", 12, 1, shares="concat"),
    Reorg("reorg", "conv2"),
    Conv("conv3", "pool1", 16, 3, shares="concat"),
    MaxPool("pool2", "conv3", 2),
    Concat("concat", ("reorg", "pool2")),
    Head("head", "concat", anchors=3),
)


def with_layer(name: str, /, **changes: object) -> tuple[Layer, ...]:
    return tuple(replace(layer, **changes) if layer.name == name else layer for layer in LAYERS)  # type: ignore[arg-type]


def test_a_description_tells_shapes_and_what_has_weights() -> None:
    network = NetworkDescription(LAYERS)
    assert network.stride == 4
    assert network.channels(2) == {
        "image": 3, "conv1": 8, "pool1": 8, "conv2": 12, "reorg": 48, "conv3": 16, "pool2": 16, "concat": 64,
        "head": 21,
    }  # fmt: skip
    assert network.infer(2, 16, 24)["head"].shape == (21, 4, 6)
    assert {info.scale for info in network.infer(2, 16, 24).values()} == {1.0}
    assert network.ternary == ("conv2", "conv3")
    assert [layer.name for layer in network.convolutions] == ["conv1", "conv2", "conv3", "head"]
    assert [layer.quantiser for layer in network.convolutions] == ["conv1", "concat", "concat", "head"]


def test_bits_are_those_of_first_layer_and_head() -> None:
    network = NetworkDescription(LAYERS).with_bits(3, 5)
    assert [layer.bits for layer in network.convolutions] == [3, None, None, 5]


def test_convolutions_that_meet_in_a_concat_share_a_quantiser() -> None:
    bare = tuple(replace(layer, shares=None) if isinstance(layer, Conv) else layer for layer in LAYERS)
    assert share_quantisers(bare) == LAYERS


def test_layers_that_meet_in_a_sum_share_a_quantiser_and_the_sum_has_its_own() -> None:
    layers = (
        Conv("conv1", "image", 8, 3),
        Conv("conv2", "conv1", 8, 3),
        Add("add1", ("conv2", "conv1")),
        Conv("conv3", "add1", 8, 3),
        Add("add2", ("conv3", "add1")),
        AveragePool("mean", "add2", 2),
        Classifier("scores", "mean"),
    )
    network = NetworkDescription(share_quantisers(layers))
    assert [layer.shares for layer in network.layers if isinstance(layer, Conv | Add | AveragePool)] == [
        "add1", "add1", "add2", "add2", None, None,
    ]  # fmt: skip
    assert [layer.name for layer in network.rescaled] == ["add1", "add2", "mean"]
    assert network.infer(5, 8, 8)["scores"].shape == (5, 7, 7)


def test_an_image_that_has_no_phases_of_equal_size_is_refused() -> None:
    network = NetworkDescription((Conv("conv1", "image", 8, 11, stride=4), Classifier("scores", "conv1")))
    assert network.infer(2, 32, 64)["scores"].shape == (2, 8, 16)
    with pytest.raises(SternaError, match=r"layer 'conv1': cannot cut its input .* = 32, 30; allowed: multiples of 4"):
        network.infer(2, 32, 30)


def test_an_image_that_a_reorg_cannot_halve_is_refused() -> None:
    with pytest.raises(SternaError, match="layer 'reorg': cannot halve an odd size"):
        NetworkDescription(LAYERS).infer(2, 18, 16)


WRONG: dict[str, tuple[tuple[object, ...], str]] = {
    "no layers": ((), r"network: does not end in its head; last layer = image"),
    "no head": (LAYERS[:-1], r"network: does not end in its head; last layer = concat"),
    "a layer after the head": ((*LAYERS, MaxPool("pool3", "head", 1)), r"does not end in its head"),
    "two heads": ((*LAYERS, Head("head2", "concat")), r"does not end in its head"),
    "no layer": (("conv1",),
        r"network: holds an object that is not a layer; layers = str; allowed: conv, head, classifier, add, "
        "averagepool, maxpool, reorg, concat"),
    "a layer of the graph alone": ((Input("image", 3, 8, 8, 1.0, 0),), r"is not a layer; layers = Input"),
    "an invalid name": (with_layer("conv1", name="a b"), r"network: a layer has an invalid name"),
    "a name twice": ((*LAYERS[:2], *LAYERS), r"layer 'conv1': appears twice"),
    "the name of the image": (with_layer("conv1", name="image"), r"layer 'image': appears twice"),
    "a layer that comes later": (LAYERS[1:], r"that no earlier layer provides; input = 'conv1'"),
    "a dead layer": ((MaxPool("dead", "image", 1), *LAYERS), r"layer 'dead': reaches no head"),
    "different scales": (with_layer("conv2", shares=None),
        r"layer 'concat': joins maps of different scales; .* = conv2, concat"),
    "sizes that do not meet": (with_layer("pool2", stride=1), r"layer 'concat': has inputs that do not match; height"),
    "filters": (with_layer("conv2", filters=0), r"layer 'conv2': .*filters = 0; allowed: integers 1 .. 65535"),
    "an even kernel": (with_layer("conv2", kernel=2),
        r"layer 'conv2': has an even kernel, .*; padding = None; allowed: \(top, left, bottom, right\)"),
    "a large kernel": (with_layer("conv2", kernel=9), r"layer 'conv2': .*kernel = 9; allowed: integers 1 .. 7"),
    "a larger kernel": (with_layer("conv2", kernel=13, stride=2), r"layer 'conv2': .*allowed: integers 1 .. 11"),
    "a true kernel": (with_layer("conv2", kernel=True), r"layer 'conv2': .*kernel = True"),
    "an odd stride": (with_layer("conv2", stride=3), r"layer 'conv2': has an invalid stride; .*allowed: 1, 2, 4"),
    "padding": (with_layer("conv2", padding=(0, 0, 8, 0)), r"layer 'conv2': .*padding bottom = 8"),
    "no padding": (with_layer("conv2", padding=(1, 1)), r"layer 'conv2': has invalid padding"),
    "groups in phases": (with_layer("conv2", kernel=3, stride=4, groups=2),
        r"layer 'conv2': has groups that a reorg would tear apart; groups = 2; allowed: 1 with stride 4 and kernel 3"),
    "one sum": ((LAYERS[0], Add("add", ("conv1",)), Head("head", "add")), r"layer 'add': .* number or type of inputs"),
    "three sums": ((LAYERS[0], Add("add", ("conv1",) * 3), Head("head", "add")), r"layer 'add': .* number or type"),
    "activation of a sum": ((LAYERS[0], Add("add", ("conv1", "conv1"), "mish"), Head("head", "add")),
        r"layer 'add': has an unknown activation"),
    "sums of different scales": ((*LAYERS[:3], Conv("conv4", "pool1", 12, 1), Add("add", ("conv2", "conv4")),
        Head("head", "add")), r"layer 'add': joins maps of different scales; .* = concat, conv4"),
    "sums of different sizes": ((*LAYERS[:3], LAYERS[4], Add("add", ("conv2", "conv3")), Head("head", "add")),
        r"layer 'add': has inputs that do not match; channels of 'conv3'"),
    "a mean of a pixel": ((LAYERS[0], AveragePool("mean", "conv1", 1), Head("head", "mean")),
        r"layer 'mean': .*kernel = 1; allowed: integers 2 .. 7"),
    "quantiser of a mean": ((LAYERS[0], AveragePool("mean", "conv1", 2, shares=""), Head("head", "mean")),
        r"layer 'mean': has an invalid name for its activation quantiser"),
    "two ends": ((*LAYERS, Classifier("scores", "concat")), r"does not end in its head"),
    "bits": (with_layer("conv1", bits=1), r"layer 'conv1': .*bits = 1; allowed: integers 2 .. 8"),
    "bits of the head": (with_layer("head", bits=9), r"layer 'head': .*bits = 9; allowed: integers 2 .. 8"),
    "anchors": (with_layer("head", anchors=0), r"layer 'head': .*anchors = 0"),
    "groups of filters": (with_layer("conv3", groups=3),
        r"layer 'conv3': .*groups = 3; allowed: divisors of 16"),
    "groups of channels": (with_layer("conv1", groups=2),
        r"layer 'conv1': .*groups = 2; allowed: divisors of 3"),
    "no groups": (with_layer("conv3", groups=0), r"layer 'conv3': .*groups = 0"),
    "activation": (with_layer("conv2", activation="mish"),
        r"layer 'conv2': .*activation = 'mish'; allowed: linear, relu, leaky"),
    "no name of an activation": (with_layer("conv2", activation={}), r"layer 'conv2': has an unknown activation"),
    "slope": (with_layer("conv2", leak=1.5), r"layer 'conv2': has an invalid slope; leak = 1.5; allowed: 0 .. 1"),
    "name of a quantiser": (with_layer("conv2", shares=""),
        r"layer 'conv2': has an invalid name for its activation quantiser"),
    "stride": (with_layer("pool1", stride=3), r"layer 'pool1': .*stride = 3; allowed: integers 1 .. 2"),
    "input": (with_layer("head", input=5), r"layer 'head': has a wrong number or type of inputs"),
    "channels": (with_layer("head", anchors=20_000), r"is empty or too large; channels = 120000"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_network_is_refused(what: str) -> None:
    layers, message = WRONG[what]
    with pytest.raises(SternaError, match=message):
        NetworkDescription(layers)  # type: ignore[arg-type]


def test_more_halvings_than_an_image_has_are_refused() -> None:
    pools = tuple(MaxPool(f"pool{n}", f"pool{n - 1}" if n else "conv1", 2) for n in range(16))
    with pytest.raises(SternaError, match="layer 'pool15': has an output that is empty or too large; height = 0"):
        NetworkDescription((LAYERS[0], *pools, Head("head", "pool15")))


@pytest.mark.parametrize("channels", [1, 7])
def test_a_classifier_may_read_other_channels(channels: int) -> None:
    layers = (Conv("conv1", "image", 4, 3, bits=8), Classifier("head", "conv1"))
    network = NetworkDescription(layers, channels)
    assert network.channels(5) == {"image": channels, "conv1": 4, "head": 5}
    assert network.with_bits(4, 4).image_channels == channels
    with pytest.raises(SternaError, match=r"detects in what is no colour image; image_channels = .*; allowed: 3"):
        NetworkDescription((layers[0], Head("head", "conv1")), channels)


def test_an_image_without_channels_is_refused() -> None:
    with pytest.raises(SternaError, match=r"network: .*; image_channels = 0; allowed: integers 1 \.\. "):
        NetworkDescription((Conv("conv1", "image", 4, 3, bits=8), Classifier("head", "conv1")), 0)
