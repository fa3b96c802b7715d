from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.graph import Conv, Graph, file, networks, reference
from sterna.graph.layers import BIAS_BITS, MULTIPLIER_BITS
from sterna.train.data.scenes import SceneSet
from sterna.train.data.street import CLASSES
from sterna.train.model import export, integer, quantisers
from sterna.train.model.form import Form
from sterna.train.model.network import HEAD_SCALE, Network
from sterna.train.model.patterns import Unstructured, patterns
from sterna.train.report import evaluate, layers
from sterna.vision.prepare import to_integers
from support.small_detector import ANCHORS, SIZE, small_graph, small_network, small_scenes


@pytest.fixture(scope="module")
def scenes() -> SceneSet:
    return small_scenes()


@pytest.fixture(scope="module")
def network(scenes: SceneSet) -> Network:
    return small_network(scenes)


@pytest.fixture(scope="module")
def graph(network: Network) -> Graph:
    return small_graph(network)


def test_every_layer_of_the_graph_follows_the_network(network: Network, graph: Graph, scenes: SceneSet) -> None:
    apart = layers.differences(network, graph, scenes)
    assert set(apart) == {layer.name for layer in network.description.layers}
    # A value on the edge between two steps may fall to either side, and each such step nudges the layers after it.
    assert apart["conv1"]["share"] < 1e-3 and apart["conv2"]["share"] < 5e-3
    assert max(layer["share"] for layer in apart.values()) < 0.15
    assert max(layer["largest"] for layer in apart.values()) <= 3


def test_the_integer_form_is_the_graph_on_every_bit(network: Network, graph: Graph, scenes: SceneSet) -> None:
    images = np.stack([scenes[index].image for index in range(len(scenes))])
    record: dict[str, torch.Tensor] = {}
    network.form = Form.INTEGER
    try:
        with torch.no_grad():
            head = network(evaluate.to_real(images), record)
    finally:
        network.form = Form.QUANTISED
    exact = reference.execute(graph, to_integers(images))
    for layer in network.description.layers:
        np.testing.assert_array_equal(record[layer.name].numpy(), exact[layer.name], layer.name)
    np.testing.assert_array_equal(head.numpy(), exact[export.OUTPUT] * np.float32(HEAD_SCALE))


def test_the_integer_form_has_the_gradient_of_the_quantised_one(network: Network, scenes: SceneSet) -> None:
    images = evaluate.to_real(np.stack([scenes[0].image]))
    gradients = {}
    for form in (Form.QUANTISED, Form.INTEGER):
        network.form = form
        network.zero_grad()
        network(images).square().sum().backward()
        gradients[form] = {name: tensor.grad.clone() for name, tensor in network.named_parameters()}
    network.form = Form.QUANTISED
    network.zero_grad()
    for name in ("head.weight", "conv9.conv.weight", "conv9.norm.weight", "conv9.norm.bias"):
        ours, theirs = (gradients[form][f"blocks.{name}"].flatten() for form in (Form.INTEGER, Form.QUANTISED))
        assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.98, name
        assert ours.norm().item() == pytest.approx(theirs.norm().item(), rel=0.05), name


def planted(graph: Graph, name: str, **changes: object) -> Graph:
    layers = tuple(dataclasses.replace(layer, **changes) if layer.name == name else layer for layer in graph.layers)
    return Graph(layers=layers, act_bits=graph.act_bits, acc_bits=graph.acc_bits, metadata=graph.metadata)


def conv(graph: Graph, name: str) -> Conv:
    layer = graph[name]
    assert isinstance(layer, Conv)
    return layer


def test_a_planted_mistake_is_seen_in_its_layer(network: Network, graph: Graph, scenes: SceneSet) -> None:
    layer = conv(graph, "conv4")
    flipped = layer.weights * np.int8(-1)
    multiplier = layer.requant.multiplier * 5 // 4
    wrong_factor = dataclasses.replace(layer.requant, multiplier=np.minimum(multiplier, (1 << 18) - 1))
    for wrong in (
        planted(graph, "conv4", weights=flipped),
        planted(graph, "conv4", requant=wrong_factor),
        planted(graph, "conv4", padding=(0, 1, 2, 1)),
    ):
        apart = layers.differences(network, wrong, scenes)
        assert apart["pool3"]["share"] < 0.01 < 0.1 < apart["conv4"]["share"]


def test_negative_factors_flip_the_filter(network: Network, graph: Graph) -> None:
    gamma = network.blocks["conv4"].norm.weight.detach().numpy()
    assert (gamma < 0).any() and (gamma > 0).any()
    ternary = network.integer_weights()["conv4"][0].numpy()
    signs = np.sign(gamma)[:, None, None, None]
    np.testing.assert_array_equal(conv(graph, "conv4").weights, ternary * signs)
    assert (conv(graph, "conv4").requant.multiplier >= 0).all()


def test_only_first_layer_and_head_have_more_digits(graph: Graph) -> None:
    for layer in graph.layers:
        if isinstance(layer, Conv):
            assert (np.abs(layer.weights).max() > 1) == (layer.name in ("conv1", "head"))


def test_graph_survives_its_file(graph: Graph, scenes: SceneSet) -> None:
    again = file.from_bytes(file.to_bytes(graph))
    assert again == graph
    assert evaluate.evaluate_graph(again, scenes) == evaluate.evaluate_graph(graph, scenes)


@pytest.mark.parametrize(("factor", "value"), [(0.5, 0.5), (float("nan"), "nan"), (128.0, 128.0)])
def test_weights_that_are_no_integers_are_refused(
    monkeypatch: pytest.MonkeyPatch, factor: float, value: object
) -> None:
    class Wrong(Unstructured):
        def integers(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            ternary, scale = super().integers(weight)
            return ternary.abs() * factor, scale

    monkeypatch.setattr(patterns, "_registered", {"wrong": Wrong})
    made = Network(networks.describe("yolov2-nano"), 2, Form.QUANTISED, "wrong")
    for layer in made.activations.values():
        quantisers.activation_quantiser(layer).scale.fill_(0.1)  # type: ignore[arg-type]
    with pytest.raises(SternaError, match=rf"layer 'conv2': has weights .* weight = {value}; allowed: .*-127\.\.127"):
        export.to_graph(made, ANCHORS, CLASSES, SIZE, SIZE)


def test_a_float_network_is_refused() -> None:
    with pytest.raises(SternaError, match="only a ternary network"):
        export.to_graph(Network(networks.describe("yolov2-nano"), 2, Form.FLOAT), ANCHORS, CLASSES, SIZE, SIZE)


def test_a_graph_for_other_classes_or_size_is_refused(graph: Graph, scenes: SceneSet) -> None:
    other = Graph(graph.layers, graph.act_bits, graph.acc_bits, {**graph.metadata, "classes": ["cat", "dog"]})
    with pytest.raises(SternaError, match="classes = cat, dog; allowed: vehicle, person"):
        evaluate.evaluate_graph(other, scenes)
    no_detector = Graph(graph.layers, graph.act_bits, graph.acc_bits, {})
    with pytest.raises(SternaError, match="not a detector"):
        evaluate.evaluate_graph(no_detector, scenes)
    with pytest.raises(SternaError, match="do not fit the graph's Input"):
        evaluate.evaluate_graph(graph, SceneSet(0, "test", 1, 96, SIZE))


@pytest.mark.parametrize("name", ["yolov2-tiny", pytest.param("yolov2", marks=pytest.mark.slow)])
def test_the_published_networks_become_graphs(name: str) -> None:
    made = Network(networks.describe(name), 20, Form.QUANTISED)
    made.aim(0.3)
    with torch.no_grad():
        made(torch.randn(1, 3, 64, 64))
    graph = export.to_graph(made, ANCHORS, [f"class{number}" for number in range(20)], 416, 416)
    info = graph.info[export.OUTPUT]
    assert (info.channels, info.height, info.width) == (125, 13, 13)


factors = st.lists(st.floats(1e-7, 50), min_size=1, max_size=6)


@given(factors, st.lists(st.floats(-300, 300), min_size=6, max_size=6), st.integers(-4096, 4096))
def test_requantisation_is_the_real_sum_to_half_a_step(factor: list[float], offset: list[float], s: int) -> None:
    gains, offsets = np.array(factor), np.array(offset[: len(factor)])
    made = integer.requant(gains, offsets, "linear", "layer")
    exact = s * gains + offsets
    t = s * made.multiplier + made.bias
    steps = (t + ((1 << made.shift) >> 1)) >> made.shift
    # A multiplier is off by half a unit at most, which s magnifies.
    slack = 0.5 + (abs(s) * 0.5 + 0.5) / (1 << made.shift) + 1e-6
    assert (np.abs(steps - exact) <= slack).all()


@pytest.mark.parametrize(("factor", "offset"), [(2**18 - 1, 0), (1, 2**45 - 1)])
def test_requantisation_reaches_the_last_value_that_fits(factor: int, offset: int) -> None:
    made = integer.requant(np.array([factor]), np.array([offset]), "linear", "layer")
    assert (made.multiplier.item(), made.bias.item(), made.shift) == (factor, offset, 0)
    with pytest.raises(SternaError, match="out of the range of requantisation"):
        integer.requant(np.array([factor + 1]), np.array([offset + 1]), "linear", "layer")


def test_a_power_of_two_that_does_not_fit_is_shifted_one_bit_less() -> None:
    assert integer.requant(np.ones(1), np.zeros(1), "linear", "layer").shift == MULTIPLIER_BITS - 1
    assert integer.requant(np.zeros(1), np.full(1, 2.0**20), "linear", "layer").shift == BIAS_BITS - 21


@pytest.mark.parametrize(("activation", "inside"), [("linear", 1.0), ("leaky", 1 / 8)])
def test_the_gradient_of_an_activation_ends_half_a_step_beyond_its_range(activation: str, inside: float) -> None:
    one, zero = torch.ones(1, 1, 1), torch.zeros(1, 1, 1)
    made = integer.requant(np.ones(1), np.zeros(1), activation, "layer")
    scale = 2.0**made.shift
    folded = integer.Folded(torch.empty(0), made, one, zero, one.double() * scale, zero.double())
    sums = torch.tensor([-129.0 / inside, -128.4 / inside, 0.5, 127.4, 128.0]).view(1, 1, 1, -1).requires_grad_()
    activations = integer.requantise(sums, folded)
    assert activations.flatten().tolist() == [-128, -128, 1, 127, 127]
    activations.sum().backward()
    assert sums.grad is not None and sums.grad.flatten().tolist() == [0, inside, 1, 1, 0]


def test_a_relu_passes_no_gradient_below_zero() -> None:
    one, zero = torch.ones(1, 1, 1), torch.zeros(1, 1, 1)
    made = integer.requant(np.ones(1), np.zeros(1), "relu", "layer")
    folded = integer.Folded(torch.empty(0), made, one, zero, one.double() * 2.0**made.shift, zero.double())
    sums = torch.tensor([-9.0, -0.2, 0.4, 3.0]).view(1, 1, 1, -1).requires_grad_()
    activations = integer.requantise(sums, folded)
    assert activations.flatten().tolist() == [0, 0, 0, 3]
    activations.sum().backward()
    assert sums.grad is not None and sums.grad.flatten().tolist() == [0, 0, 1, 1]


def test_a_gpu_multiplies_with_all_bits() -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    with integer.tensor_cores(True):
        torch.backends.cuda.matmul.allow_tf32 = True
        try:
            integer.need_all_bits()
            assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before


def test_factors_out_of_range_are_refused_by_layer() -> None:
    with pytest.raises(SternaError, match=r"conv7.*multiplier = 3e\+05"):
        integer.requant(np.array([3e5]), np.zeros(1), "leaky", "conv7")
