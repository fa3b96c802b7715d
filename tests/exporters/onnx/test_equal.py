"""Each form computes every map as the reference does, under a program that others wrote."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

import sterna
from sterna.exporters.onnx.files import FORMS, writer
from sterna.exporters.onnx.plain import MOST_WEIGHT
from sterna.graph import Conv, Graph, Input, Layer, MaxPool, Output, Requant, reference
from sterna.run.compare import compare_results
from sterna.spec.activations import ACTIVATIONS
from sterna.spec.paths import ROOT
from support.onnx_models import EXECUTORS, execute_qonnx, raise_threshold, random_case
from support.random_graphs import random_image

GRAPHS, SLOW_GRAPHS = 8, 200


def check(graph: Graph, images: np.ndarray, form: str, name: object) -> None:
    found = EXECUTORS[form](graph, images)
    compared = compare_results(reference.execute(graph, images), found, list(graph.info))
    assert len(compared.layers) == len(graph.layers) and compared.equal, f"{name}: {compared.first}"


def check_random(seeds: range, form: str) -> None:
    for seed in seeds:
        check(*random_case(seed), form, seed)


@pytest.fixture(scope="module")
def demo() -> Graph:
    graph = sterna.load("demo-nano")
    assert isinstance(graph, Graph)
    return graph


@pytest.fixture(scope="module")
def images(demo: Graph) -> np.ndarray:
    return np.stack([sterna.prepare(demo, sterna.scene(7)), random_image(np.random.default_rng(0), demo)])


@pytest.mark.parametrize("form", FORMS)
def test_random_graphs(form: str) -> None:
    check_random(range(GRAPHS), form)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_many_random_graphs(form: str) -> None:
    check_random(range(1000, 1000 + SLOW_GRAPHS), form)


@pytest.mark.parametrize("form", FORMS)
def test_demo(demo: Graph, images: np.ndarray, form: str) -> None:
    check(demo, images, form, "demo-nano")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_full_yolov2(form: str) -> None:
    graph = sterna.load(ROOT / "models" / "yolov2-scenes.sterna-graph")
    assert isinstance(graph, Graph)
    check(graph, sterna.prepare(graph, sterna.scene(7, 416, 416))[np.newaxis], form, "yolov2-scenes")


def graph_of(weights: np.ndarray, requant: Requant, height: int = 1, width: int = 256, acc_bits: int = 20) -> Graph:
    conv = Conv("conv", "image", weights, 1, (0, 0, 0, 0), requant, 1.0)
    layers: tuple[Layer, ...] = (Input("image", weights.shape[1], height, width, 1.0, 0), conv, Output("out", "conv"))
    return Graph(layers, acc_bits=acc_bits)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kernel", range(2, 8))
def test_every_window_of_a_pool(form: str, kernel: int) -> None:
    rng = np.random.default_rng(kernel)
    image = rng.integers(-128, 128, (1, 3, 9, 14)).astype(np.int8)
    sides = tuple(int(side) for side in rng.integers(0, kernel, 4))
    pools = [MaxPool("one", "image", 1, kernel, sides), MaxPool("two", "image", 2, kernel)]
    outputs = [Output(f"out_{pool.name}", pool.name) for pool in pools]
    check(Graph((Input("image", 3, 9, 14, 1.0, 0), *pools, *outputs)), image, form, sides)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shift", [0, 1, 3, 20])
@pytest.mark.parametrize(("clamp", "half_even"), [(None, False), (None, True), ((-3, 6), False), ((0, 15), True)])
def test_every_accumulator(
    form: str, activation: str, shift: int, clamp: tuple[int, int] | None, half_even: bool
) -> None:
    """Ties and negative fractions of a slope included."""
    weights = np.array([1, -1, 7, -9], np.int8).reshape(4, 1, 1, 1)
    scale = 1 << max(0, shift - 5)
    requant = Requant(np.array([3, 1, 0, 5]) * scale, np.array([-60, 4, 3, -1]) * scale, shift, activation)
    requant = replace(requant, bias=requant.bias + (not half_even), clamp=clamp, half_even=half_even)
    every = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 1, 256)
    check(graph_of(weights, requant), every, form, activation)


def test_the_largest_accumulators_and_terms() -> None:
    """Of 31 and 50 bits: no sum on the way overflows, and doubles are exact."""
    weights = np.full((3, 4000, 1, 1), 127, np.int8)
    weights[1], weights[2, ::2] = -128, -1
    requant = Requant(np.array([(1 << 18) - 1, 3, 1]), np.array([-(1 << 44), (1 << 44) - 1, 77]), 32, "leaky")
    image = np.random.default_rng(0).choice([-128, 127], (1, 4000, 1, 3)).astype(np.int8)
    image[..., 0], image[..., 1] = 127, -128
    check(graph_of(weights, requant, 1, 3, acc_bits=32), image, "onnx", "large")


def test_weights_are_of_a_form_that_no_processor_lets_saturate(demo: Graph) -> None:
    model = writer(demo, "onnx").write()
    found = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    kinds = set()
    for layer in demo.layers:
        if isinstance(layer, Conv):
            weights = found[f"{layer.name}:weights"]
            kinds.add(weights.dtype.name)
            zero = int(found.get(f"{layer.name}:weight_zero", np.int8(0)))
            assert np.array_equal(weights.astype(int) - zero, layer.weights)
            assert weights.dtype == np.int8 or (weights.max() <= MOST_WEIGHT and 2 * 128 * MOST_WEIGHT < 1 << 15)
    assert kinds == {"int8", "uint8"}


@pytest.mark.parametrize("layer", ["conv1", "conv6", "head"])
def test_a_threshold_that_is_one_off_is_found(demo: Graph, images: np.ndarray, layer: str) -> None:
    """One that an accumulator reaches, and no more."""
    model = writer(demo, "qonnx").write(list(demo.info))
    filter_ = raise_threshold(model, layer, execute_qonnx(model, demo.input.name, images[:1]))
    found = execute_qonnx(model, demo.input.name, images[:1])
    expected = reference.execute(demo, images[:1])
    compared = compare_results(expected, {name: found[name].astype(np.int8) for name in expected}, expected)
    assert compared.first is not None and (compared.first.layer, compared.first.channel) == (layer, filter_)
