from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sterna.graph import Conv, Graph, Input, Layer, Output, Reorg, Requant, assemble, network, reference


def graph_of(layers: tuple[Layer, ...], height: int, width: int) -> Graph:
    return Graph((Input("image", 3, height, width, 1.0, 0), *layers, Output("output", layers[-1].name)))


def direct(image: np.ndarray, weights: np.ndarray, layer: network.Conv) -> np.ndarray:
    """The sums [F, H, W] of a convolution of any stride, by its definition."""
    top, left, bottom, right = layer.sides
    padded = np.pad(image.astype(np.int64), ((0, 0), (top, bottom), (left, right)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2:], (1, 2))
    return np.einsum("chwij,fcij->fhw", seen[:, :: layer.stride, :: layer.stride], weights)


def requant(filters: int) -> Requant:
    return Requant(np.full(filters, 1, np.int64), np.zeros(filters, np.int64), 4, "linear")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([2, 4]),
    st.integers(1, 11),
    st.tuples(*[st.integers(0, 10)] * 4),
    st.sampled_from([(16, 24), (20, 12), (28, 28)]),
)
def test_reorgs_and_a_smaller_kernel_compute_a_convolution(
    seed: int, stride: int, kernel: int, padding: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    layer = network.Conv("conv", "image", 5, kernel, stride=stride, padding=padding)
    assume(layer.reorgs or max(padding) <= 7)
    source = network.NetworkDescription((layer, network.Classifier("end", "conv"))).infer(1, *size)["image"]
    rng = np.random.default_rng(seed)
    weights = rng.integers(-1, 2, (5, 3, kernel, kernel)).astype(np.int8)
    made = assemble.convolution(layer, weights, requant(5), 1.0, source)
    assert [type(each) for each in made] == [*[Reorg] * layer.reorgs, Conv] and made[-1].name == "conv"
    graph = graph_of(made, *size)
    image = rng.integers(-128, 128, (1, 3, *size)).astype(np.int8)
    expected = np.clip((direct(image[0], weights, layer) + 8) >> 4, -128, 127)
    np.testing.assert_array_equal(reference.execute(graph, image)["conv"][0], expected)


def test_alexnets_first_layer_has_three_phases_on_each_side() -> None:
    layer = network.Conv("conv", "image", 2, 11, stride=4, padding=(4, 4, 4, 4))
    source = network.NetworkDescription((layer, network.Classifier("end", "conv"))).infer(1, 224, 224)["image"]
    weights = np.ones((2, 3, 11, 11), np.int8)
    made = assemble.convolution(layer, weights, requant(2), 1.0, source)[-1]
    assert isinstance(made, Conv) and made.weights.shape == (2, 48, 3, 3) and made.stride == 1
    assert np.count_nonzero(made.weights) == weights.size


def test_a_weight_in_another_phase_is_another_convolution() -> None:
    layer = network.Conv("conv", "image", 1, 9, stride=2)
    weights = np.zeros((1, 3, 9, 9), np.int8)
    weights[0, 0, 4, 4] = 1
    moved, _ = assemble.by_phases(np.roll(weights, 1, 3), layer.sides, 2, 16, 16)
    kept, padding = assemble.by_phases(weights, layer.sides, 2, 16, 16)
    assert np.argwhere(kept).tolist() == [[0, 0, 2, 2]] and padding == (2, 2, 2, 2)
    assert np.argwhere(moved).tolist() == [[0, 3, 2, 2]]


@pytest.mark.parametrize("kernel", [2, 7])
def test_a_mean_is_a_sum_that_is_divided(kernel: int) -> None:
    factor = round(2**16 / kernel**2)
    scaled = Requant(np.full(3, factor, np.int64), np.zeros(3, np.int64), 16, "linear")
    made = assemble.average(network.AveragePool("mean", "image", kernel), 3, scaled, 1.0)
    image = np.random.default_rng(0).integers(-128, 128, (1, 3, 7, 7)).astype(np.int8)
    found = reference.execute(graph_of((made,), 7, 7), image)["mean"][0]
    for row, column in ((0, 0), (7 - kernel, 7 - kernel)):
        window = image[0, :, row : row + kernel, column : column + kernel]
        assert np.abs(found[:, row, column] - window.mean((1, 2))).max() <= 0.51
