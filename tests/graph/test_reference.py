"""The reference executor against plain loops over Python's integers, which cannot round or overflow."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.graph import Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant, reference
from support.random_graphs import random_graph, random_image

Planes = list[list[list[int]]]
"""[channel][row][column]."""


def requantise(s: int, requant: Requant, f: int, low: int, high: int) -> int:
    t = s * int(requant.multiplier[f]) + int(requant.bias[f])
    if requant.activation == "relu" and t < 0:
        t = 0
    active = Fraction(t, 8 if requant.activation == "leaky" and t < 0 else 1)
    if requant.half_even and requant.shift:
        rounded = round(active / 2**requant.shift)  # Python's half to even
    else:
        # Half up: the floor of t / 2^shift + 1/2.
        rounded = (2 * floor(active) + (1 << requant.shift)) // (2 << requant.shift)
    low, high = requant.clamp or (low, high)
    return min(max(rounded, low), high)


def convolve(x: Planes, conv: Conv, zero_point: int) -> Planes:
    weights = conv.weights.tolist()
    kernel, (top, left, bottom, right) = len(weights[0][0]), conv.padding
    height, width = len(x[0]), len(x[0][0])

    def pixel(c: int, row: int, column: int) -> int:
        return x[c][row][column] if 0 <= row < height and 0 <= column < width else zero_point

    def total(taps: Planes, first: int, y: int, z: int) -> int:
        return sum(
            taps[c][i][j] * pixel(first + c, conv.stride * y + i - top, conv.stride * z + j - left)
            for c in range(len(taps))
            for i in range(kernel)
            for j in range(kernel)
            if taps[c][i][j]
        )

    rows = range(0, height + top + bottom - kernel + 1, conv.stride)
    columns = range(0, width + left + right - kernel + 1, conv.stride)
    firsts = [f * conv.groups // len(weights) * len(weights[0]) for f in range(len(weights))]
    return [
        [[total(taps, first, y, z) for z in range(len(columns))] for y in range(len(rows))]
        for taps, first in zip(weights, firsts, strict=True)
    ]


def max_pool(plane: list[list[int]], pool: MaxPool) -> list[list[int]]:
    height, width, (top, left, bottom, right) = len(plane), len(plane[0]), pool.padding

    def inside(start: int, size: int) -> range:
        return range(max(start, 0), min(start + pool.kernel, size))

    return [
        [
            max(plane[r][c] for r in inside(y, height) for c in inside(x, width))
            for x in range(-left, width + right - pool.kernel + 1, pool.stride)
        ]
        for y in range(-top, height + bottom - pool.kernel + 1, pool.stride)
    ]


def compute(graph: Graph, layer: Layer, sources: list[Planes]) -> Planes:
    match layer:
        case Conv() | Add():
            if isinstance(layer, Conv):
                sums = convolve(sources[0], layer, graph.info[layer.input].zero_point)
            else:
                first, second = layer.weights
                sums = [
                    [[first * a + second * b for a, b in zip(*rows, strict=True)] for rows in zip(*planes, strict=True)]
                    for planes in zip(*sources, strict=True)
                ]
            low, high = graph.act_min, graph.act_max
            return [
                [[requantise(s, layer.requant, f, low, high) for s in row] for row in plane]
                for f, plane in enumerate(sums)
            ]
        case MaxPool():
            return [max_pool(plane, layer) for plane in sources[0]]
        case Reorg():
            return [[row[p % 2 :: 2] for row in plane[p // 2 :: 2]] for p in range(4) for plane in sources[0]]
        case Concat():
            return [plane for source in sources for plane in source]
        case _:
            return sources[0]


def execute(graph: Graph, image: np.ndarray) -> dict[str, Planes]:
    tensors: dict[str, Planes] = {}
    for layer in graph.layers:
        if isinstance(layer, Input):
            step = 2 ** (8 - graph.act_bits)
            plain = [[x // step for x in range(-128, 128)]] * layer.channels
            tables = plain if layer.table is None else layer.table.tolist()
            tensors[layer.name] = [
                [[table[x + 128] for x in row] for row in plane]
                for table, plane in zip(tables, image.tolist(), strict=True)
            ]
        else:
            tensors[layer.name] = compute(graph, layer, [tensors[name] for name in layer.sources])
    return tensors


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), act_bits=st.integers(4, 8), acc_bits=st.integers(12, 24), table=st.booleans())
def test_reference_equals_plain_loops_on_every_layer(seed: int, act_bits: int, acc_bits: int, table: bool) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(
        rng, max_size=7, max_channels=6, act_bits=act_bits, acc_bits=acc_bits, input_table=table,
        general_requant=True,
    )  # fmt: skip
    image = random_image(rng, graph)
    tensors = reference.execute(graph, image)
    assert list(tensors) == [layer.name for layer in graph.layers]
    for name, expected in execute(graph, image).items():
        assert tensors[name].dtype == np.int8
        assert tensors[name].shape == (1, *graph.info[name].shape)
        assert tensors[name][0].tolist() == expected, name


def test_images_of_a_batch_do_not_meet() -> None:
    rng = np.random.default_rng(1)
    graph = random_graph(rng)
    images = np.stack([random_image(rng, graph) for _ in range(3)])
    together = reference.execute(graph, images)
    for number, image in enumerate(images):
        for name, tensor in reference.execute(graph, image).items():
            assert np.array_equal(together[name][number], tensor[0])


@given(
    s=st.integers(-(2**31), 2**31 - 1),
    multiplier=st.integers(0, 2**18 - 1),
    bias=st.integers(1 - 2**45, 2**45 - 1),
    shift=st.integers(0, 32),
    activation=st.sampled_from(["linear", "relu", "leaky"]),
    act_bits=st.integers(4, 8),
    clamp=st.sampled_from([None, (-1, 1), (0, 7), (-5, -2), (3, 6)]),
    half_even=st.booleans(),
)
def test_requantisation_is_exact_over_its_whole_range(
    s: int,
    multiplier: int,
    bias: int,
    shift: int,
    activation: str,
    act_bits: int,
    clamp: tuple[int, int] | None,
    half_even: bool,
) -> None:
    requant = Requant(np.array([multiplier]), np.array([bias]), shift, activation, clamp, half_even)
    low, high = -(2 ** (act_bits - 1)), 2 ** (act_bits - 1) - 1
    y = reference.requantise(np.full((1, 1, 1, 1), s), requant, low, high)
    assert int(y[0, 0, 0, 0]) == requantise(s, requant, 0, low, high)


@pytest.mark.parametrize(
    ("activation", "t", "expected"),
    [
        ("linear", 2, 1), ("linear", 6, 2), ("linear", -2, 0), ("linear", -6, -1), ("linear", -3, -1),
        ("relu", -6, 0), ("relu", 6, 2), ("leaky", -1, 0), ("leaky", -17, -1), ("leaky", -16, 0),
        ("leaky", 2, 1), ("linear", 4000, 127), ("linear", -4000, -128), ("leaky", -9000, -128),
    ],
)  # fmt: skip
def test_known_roundings_by_four(activation: str, t: int, expected: int) -> None:
    requant = Requant(np.array([1]), np.array([0]), 2, activation)
    assert reference.requantise(np.full((1, 1, 1, 1), t), requant, -128, 127) == expected


@pytest.mark.parametrize(
    ("activation", "t", "expected"),
    [
        ("linear", 2, 0), ("linear", 6, 2), ("linear", 10, 2), ("linear", 3, 1), ("linear", -2, 0), ("linear", -6, -2),
        ("linear", -10, -2), ("relu", 10, 2), ("relu", -6, 0), ("leaky", 10, 2),
        # Of thirty-twoths: rounding the slope's product down first would make a tie of each of the last two.
        ("leaky", -16, 0), ("leaky", -48, -2), ("leaky", -80, -2), ("leaky", -49, -2), ("leaky", -47, -1),
        ("leaky", -41, -1),
    ],
)  # fmt: skip
def test_known_roundings_by_four_of_ties_to_even(activation: str, t: int, expected: int) -> None:
    requant = Requant(np.array([1]), np.array([0]), 2, activation, half_even=True)
    assert reference.requantise(np.full((1, 1, 1, 1), t), requant, -128, 127) == expected


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((3, 4, 5), np.int16),
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((3, 5, 4), np.int8),
        np.zeros((4, 5), np.int8),
        np.zeros((1, 1, 3, 4, 5), np.int8),
        np.zeros((0, 3, 4, 5), np.int8),
    ],
)
def test_an_image_that_does_not_fit_is_refused(image: np.ndarray) -> None:
    graph = Graph((Input("image", 3, 4, 5, 1.0, 0), Output("out", "image")))
    with pytest.raises(SternaError, match=r"layer 'image'.*int8 \[N, C, H, W\].*\(3, 4, 5\)"):
        reference.execute(graph, image)
