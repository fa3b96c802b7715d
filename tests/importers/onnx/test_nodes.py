"""Each operator: what is imported computes what QONNX's executor does, value for value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sterna.graph import Concat, Conv, Graph, Input, MaxPool, Reorg
from support.onnx_builder import QONNX, ModelBuilder, differences, imported

RNG = np.random.default_rng(7)


def model(shape: tuple[int, ...] = (4, 6, 6)) -> ModelBuilder:
    """An image of integers of 4 bits, as the first quantiser has it."""
    made = ModelBuilder(shape)
    made.quant(0.5, bits=4)
    return made


def ternary(*shape: int) -> np.ndarray:
    return RNG.integers(-1, 2, shape).astype(np.float32)


def conv(made: ModelBuilder, filters: int = 5, channels: int = 4, kernel: int = 3, **attributes: object) -> str:
    given = {"kernel_shape": [kernel] * 2, "pads": [kernel // 2] * 4} | attributes
    weights = ternary(filters, channels // int(attributes.get("group", 1)), kernel, kernel)  # type: ignore[call-overload]
    return made.add("Conv", made.weights(0.25 * weights, 0.25, 2), **given)


def normalise(made: ModelBuilder, filters: int = 5) -> str:
    numbers = (
        RNG.normal(1, 1, filters),
        RNG.normal(0, 1, filters),
        RNG.normal(0, 2, filters),
        RNG.uniform(1, 9, filters),
    )
    return made.add("BatchNormalization", *(each.astype(np.float32) for each in numbers))


def convolution() -> ModelBuilder:
    """With a bias and factors of either sign."""
    made = model()
    weights = made.weights(ternary(5, 4, 3, 3) * 0.25, 0.25, 2)
    made.add("Conv", weights, RNG.normal(0, 1, 5).astype(np.float32), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    normalise(made)
    made.add("Relu")
    made.quant(0.25, bits=3, signed=0)
    return made


def groups() -> ModelBuilder:
    made = model()
    made.add("Conv", made.weights(ternary(6, 2, 3, 3)), kernel_shape=[3, 3], group=2, auto_pad="SAME_UPPER")
    normalise(made, 6)
    made.quant(0.25, bits=4)
    conv(made, 6, 6, group=6)
    made.quant(0.5, bits=4)
    return made


def bytes_of_a_map() -> ModelBuilder:
    """Unsigned, 0 .. 255: moved to activations, with a zero point around which a convolution pads."""
    made = model()
    conv(made)
    made.add("Relu")
    made.quant(1 / 64, bits=8, signed=0)
    conv(made, 3, 5)
    made.quant(0.5, bits=6)
    return made


def bipolar() -> ModelBuilder:
    """Padded: what is around the map of -1 and +1 is 0."""
    made = model()
    for channels in (4, 5):
        conv(made, 5, channels)
        normalise(made)
        made.add("BipolarQuant", np.float32(0.7), domain=QONNX)
    conv(made, 3, 5)
    made.quant(1.0, bits=5)
    return made


def split() -> ModelBuilder:
    """Filters that need several shifts, whose channels a second convolution reads in another order."""
    made = ModelBuilder((16, 4, 4), annotation="INT8")
    weights = RNG.integers(-60, 60, (4, 16, 3, 3)).astype(np.float32)
    made.add("Conv", weights, kernel_shape=[3, 3], pads=[1] * 4)
    made.add("Mul", np.array([3.0137e-3, 70, 2.9171e-3, 55], np.float32).reshape(1, 4, 1, 1))
    made.quant(1.0, bits=5)
    conv(made, 3)
    made.quant(1.0, bits=8)
    return made


def split_result() -> ModelBuilder:
    """The same as a result, and as one of two maps that are added."""
    made = split()
    first = "t3"
    made.add("Add", first, of=conv_like(made, first))
    made.quant(2.0, bits=8)
    return made


def conv_like(made: ModelBuilder, of: str) -> str:
    made.add("Conv", made.weights(ternary(4, 4, 1, 1)), of=of, kernel_shape=[1, 1])
    return made.quant(1.0, bits=5)


def pools() -> ModelBuilder:
    """Before and after quantisation."""
    made = model()
    conv(made)
    made.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    made.add("LeakyRelu", alpha=0.125)
    made.quant(0.5, bits=5)
    made.add("MaxPool", kernel_shape=[2, 2], pads=[0, 0, 1, 1])
    return made


def means() -> ModelBuilder:
    made = model()
    made.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    made.quant(0.5, bits=5)
    made.add("GlobalAveragePool")
    made.quant(0.125, bits=6)
    return made


def residual() -> ModelBuilder:
    """The sum of a map and what convolutions make of it."""
    made = model()
    first = made.tensor
    conv(made, 4)
    made.quant(0.5, bits=4)
    made.add("Add", first)
    made.add("Relu")
    made.quant(0.5, bits=4, signed=0)
    return made


def unequal() -> ModelBuilder:
    """The difference of maps whose scales are 2 to 1, and a sum with a factor below 0."""
    made = model()
    first = made.tensor
    conv(made, 4)
    second = made.quant(0.25, bits=5)
    made.add("Sub", first)
    third = made.quant(0.5, bits=5)
    made.add("Mul", np.float32(-3), of=second)
    made.add("Add", third)
    made.quant(0.5, bits=6)
    return made


def concat() -> ModelBuilder:
    made = model()
    first = made.tensor
    conv(made, 3)
    made.quant(0.5, bits=4)
    made.add("Concat", first, axis=1)
    conv(made, 2, 7, 1)
    made.quant(0.5, bits=6)
    return made


def connected() -> ModelBuilder:
    """Rows of pixels as a vector, then two products."""
    made = model((3, 4, 5))
    made.add("Flatten")
    made.add("MatMul", made.weights(ternary(60, 7)))
    made.add("Clip", np.float32(-3), np.float32(3))
    made.quant(0.5, bits=4)
    made.add("Gemm", made.weights(ternary(5, 7)), RNG.normal(0, 1, 5).astype(np.float32), transB=1)
    made.quant(1.0, bits=6)
    return made


def large_connected() -> ModelBuilder:
    """Of a map larger than a kernel: its pixels become channels first."""
    made = model((1, 28, 28))
    made.add("Reshape", np.array([0, -1]))
    made.add("MatMul", made.weights(ternary(784, 4)))
    made.quant(4.0, bits=6)
    return made


def image_as_vector() -> ModelBuilder:
    """Of an image with odd sides: its pixels are its channels."""
    made = model((1, 9, 11))
    made.add("Flatten")
    made.add("MatMul", made.weights(ternary(99, 4)))
    made.quant(4.0, bits=6)
    return made


def channels_last() -> ModelBuilder:
    """A product over the channels of each pixel."""
    made = model((4, 5, 6))
    made.add("Transpose", perm=[0, 2, 3, 1])
    made.add("MatMul", made.weights(ternary(4, 3)))
    made.add("Add", RNG.normal(0, 1, 3).astype(np.float32))
    made.quant(0.5, bits=6)
    made.add("Transpose", perm=[0, 3, 1, 2])
    return made


def thresholds() -> ModelBuilder:
    made = model()
    conv(made)
    rows = np.sort(RNG.uniform(-3, 3, (5, 1)) + 0.75 * np.arange(7), axis=1).astype(np.float32)
    made.add("MultiThreshold", rows, domain=QONNX, out_dtype="INT4", out_scale=0.5, out_bias=-1.5, data_layout="NCHW")
    conv(made, 3, 5)
    made.quant(1.0, bits=5)
    return made


def parametric() -> ModelBuilder:
    """PReLU with slopes that a shift has, and more after the quantiser."""
    made = model()
    conv(made)
    made.add("PRelu", np.full((5, 1, 1), 0.125, np.float32))
    made.quant(0.5, bits=5)
    made.add("Mul", np.float32(0.5))
    made.add("Max", np.float32(-0.5))
    made.quant(0.25, bits=5)
    return made


def shared() -> ModelBuilder:
    """A quantiser that several nodes read, elementwise ones among them."""
    made = model()
    conv(made)
    first = made.quant(0.5, bits=5)
    made.add("Mul", np.float32(0.5))
    made.quant(0.5, bits=4)
    made.add("Add", first)
    made.quant(0.5, bits=6)
    return made


def sums() -> ModelBuilder:
    """Results that are accumulators and activations at once."""
    made = model((4, 1, 1))
    made.add("Flatten")
    made.add("MatMul", made.weights(ternary(4, 3)))
    made.add("Sub", np.float32(0.3))
    made.add("Div", np.array([0.7, -3.0, 2.0], np.float32))
    return made


MODELS: dict[str, Callable[[], ModelBuilder]] = {
    each.__name__: each
    for each in (
        convolution, groups, bytes_of_a_map, bipolar, split, split_result, pools, means, residual, unequal, concat,
        connected, large_connected, image_as_vector, channels_last, thresholds, parametric, shared, sums,
    )
}  # fmt: skip


def images(graph: Graph) -> list[np.ndarray]:
    """Noise, extremes and a constant, for the graph's input."""
    shape = graph.info[graph.input.name].shape
    rng = np.random.default_rng(1)
    return [
        rng.integers(-128, 128, shape).astype(np.int8), rng.integers(-9, 9, shape).astype(np.int8),
        rng.choice([-128, 127], shape).astype(np.int8), np.full(shape, 5, np.int8),
    ]  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_model(name: str, tmp_path: Path) -> None:
    made = MODELS[name]()
    shape = tuple(dim.dim_value for dim in made.model().graph.input[0].type.tensor_type.shape.dim)[1:]
    graph = imported(made.model(), tmp_path).graph
    scale = 1.0 if name.startswith("split") else 0.5
    for image in images(graph):
        given = image.reshape(shape)
        assert not differences(made.model(), graph, image, scale * given)


def kinds(name: str, tmp_path: Path) -> list[str]:
    return [type(layer).__name__ for layer in imported(MODELS[name]().model(), tmp_path).graph.layers]


def test_layers(tmp_path: Path) -> None:
    """No more of them than are needed."""
    assert kinds("convolution", tmp_path) == ["Input", "Conv", "Output"]
    assert kinds("split", tmp_path) == ["Input", "Conv", "Conv", Concat.__name__, "Conv", "Output"]
    assert kinds("pools", tmp_path) == ["Input", "Conv", MaxPool.__name__, "MaxPool", "Output"]
    assert kinds("large_connected", tmp_path) == ["Input", Reorg.__name__, "Reorg", "Conv", "Output"]
    assert kinds("residual", tmp_path) == ["Input", "Conv", "Add", "Output"]


def test_bytes_have_a_zero_point(tmp_path: Path) -> None:
    graph = imported(bytes_of_a_map().model(), tmp_path).graph
    first = next(layer for layer in graph.layers if isinstance(layer, Conv))
    assert (first.zero_point, first.scale) == (-128, 1 / 64)


def test_pixels(tmp_path: Path) -> None:
    """Of bytes that stand for 0 .. 1, normalised and quantised in the model: a table."""
    made = ModelBuilder((3, 4, 4))
    made.add("Sub", np.array([0.4, 0.5, 0.6], np.float32).reshape(1, 3, 1, 1))
    made.add("Div", np.array([0.2, 0.3, 0.25], np.float32).reshape(1, 3, 1, 1))
    made.quant(1 / 32, bits=7)
    conv(made, 5, 3)
    made.quant(0.25, bits=6)
    graph = imported(made.model(), tmp_path, pixels=(0.0, 1.0)).graph
    assert graph.input.table is not None
    for image in images(graph):
        assert not differences(made.model(), graph, image, (image + 128.0) / 255)


def test_pixels_without_a_quantiser(tmp_path: Path) -> None:
    """They are integers as they are; what is around them is the byte that stands for 0."""
    made = ModelBuilder((3, 4, 4))
    conv(made, 5, 3)
    made.quant(0.25, bits=6)
    graph = imported(made.model(), tmp_path, pixels=(0.0, 1.0)).graph
    assert graph.input == Input("image", 3, 4, 4, 1 / 255, -128)
    for image in images(graph):
        assert differences(made.model(), graph, image, (image + 128.0) / 255) <= 2  # floats that tie


def test_rounded_results(tmp_path: Path) -> None:
    """By a power of two, as the metadata says."""
    made = model((4, 1, 1))
    made.add("Flatten")
    made.add("MatMul", made.weights(np.array([[7, -7, 7], [7, 7, 6], [7, 7, 5], [-7, 7, 7]]), bits=4))
    found = imported(made.model(), tmp_path, rounds=True)
    assert found.rounded == ("t4",)
    image = np.array([3, -4, 7, -8], np.int8).reshape(4, 1, 1)
    assert differences(made.model(), found.graph, image, 0.5 * image) <= 1  # a tie


def test_until(tmp_path: Path) -> None:
    """Results before the model's own, with nothing that is behind them."""
    made = model()
    conv(made)
    first = made.quant(0.25, bits=4)
    made.add("Softmax", axis=1)
    graph = imported(made.model(), tmp_path, until=(first,)).graph
    assert [each.name for each in graph.outputs] == [first]


def test_open_shape(tmp_path: Path) -> None:
    made = model((4, 6, 6))
    conv(made)
    made.quant(0.25, bits=4)
    stored = made.model()
    for dim in stored.graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_param = "side"
    graph = imported(stored, tmp_path, shape=(4, 5, 7)).graph
    assert graph.info[graph.input.name].shape == (4, 5, 7)
