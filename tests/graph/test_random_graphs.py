"""The random graphs that executors are compared on: repeatable, within their limits, and of every kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sterna.graph import KINDS, Add, Concat, Conv, Graph, MaxPool, Output, Reorg, reference
from sterna.graph.layers import pool_padding
from support.random_graphs import random_graph, random_image

GRAPHS = 400


def graph_and_image(seed: int) -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, general_requant=True)
    return graph, random_image(rng, graph)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_equal_seeds_give_equal_graphs(seed: int) -> None:
    (graph, image), (again, same_image) = graph_and_image(seed), graph_and_image(seed)
    assert graph == again
    assert np.array_equal(image, same_image)


@given(
    seed=st.integers(0, 2**32),
    layers=st.integers(1, 9),
    size=st.integers(1, 24),
    channels=st.integers(1, 30),
    act_bits=st.integers(4, 8),
    acc_bits=st.integers(12, 32),
    multiplier_bits=st.integers(8, 18),
)
def test_limits_are_kept(
    seed: int, layers: int, size: int, channels: int, act_bits: int, acc_bits: int, multiplier_bits: int
) -> None:
    graph = random_graph(
        np.random.default_rng(seed), max_layers=layers, max_size=size, max_channels=channels,
        act_bits=act_bits, acc_bits=acc_bits, multiplier_bits=multiplier_bits, general_requant=True,
    )  # fmt: skip
    assert (graph.act_bits, graph.acc_bits) == (act_bits, acc_bits)
    assert 1 <= len(graph.layers) - len(graph.outputs) - 1 <= layers
    for name, info in graph.info.items():
        assert info.channels <= channels
        assert max(info.height, info.width) <= size
        requant = getattr(graph[name], "requant", None)
        assert requant is None or requant.multiplier.max() < 2**multiplier_bits


@cache
def features() -> Counter[str]:
    """In how many of many graphs each feature that an executor might get wrong appears."""
    return Counter(feature for seed in range(GRAPHS) for feature in features_of(*graph_and_image(seed)))


def features_of(graph: Graph, image: np.ndarray) -> set[str]:
    found = {f"input zero point {graph.input.zero_point}"}
    if len(graph.outputs) > 1:
        found.add("several outputs")
    for layer in graph.layers:
        sources = [graph[name] for name in layer.sources]
        kinds = {type(source).__name__ for source in sources}
        users = {type(user) for user in graph.users(layer.name)} - {Output}
        found.add(type(layer).__name__)
        found |= {f"{kind} -> {type(layer).__name__}{getattr(layer, 'stride', '')}" for kind in kinds}
        if isinstance(layer, Conv):
            found |= conv_features(graph, layer)
            if any(layer.padding) and graph.info[layer.input].zero_point not in (0, graph.input.zero_point):
                found.add("padding of a result")
            if MaxPool in users and len(users) > 1:
                found.add("conv read by a pool and another layer")
        if isinstance(layer, MaxPool):
            found |= {f"pool {layer.kernel}", "pool that halves" if layer.halves else f"other pool {layer.stride}"}
            if any(layer.padding) and layer.padding != pool_padding(layer.kernel, 1):
                found.add("pool of any padding")
        if isinstance(layer, Add):
            found |= add_features(graph, layer)
        if isinstance(layer, Reorg) and Conv not in map(type, sources):
            found.add("reorg alone")
        if isinstance(layer, Concat) and any(graph.info[name].channels % 4 for name in layer.inputs[:-1]):
            found.add("concat off the words of four channels")
        if isinstance(layer, Concat) and len(layer.inputs) > 2:
            found.add("concat of more than two")
    if any(size % 2 for info in graph.info.values() for size in info.shape[1:]):
        found.add("odd size")
    return found


def conv_features(graph: Graph, conv: Conv) -> set[str]:
    top, left, bottom, right = conv.padding
    density = np.count_nonzero(conv.weights) / conv.weights.size
    empty = ~conv.weights.any(axis=(1, 2, 3))
    of_group = (len(conv.weights) // conv.groups, conv.weights.shape[1])
    facts = {
        f"kernel {conv.weights.shape[2]}": True,
        f"stride {conv.stride}": True,
        "groups": conv.groups > 1,
        "depthwise": conv.groups == graph.info[conv.input].channels > 1,
        "groups of several filters and channels": conv.groups > 1 and min(of_group) > 1,
        f"activation {conv.requant.activation}": True,
        "asymmetric padding": top != bottom and left != right,
        "padding larger than the kernel": max(conv.padding) > conv.weights.shape[2],
        "density 0": density == 0,
        "density 1": density == 1,
        "sparse": 0 < density < 0.3,
        "all-zero filter among others": empty.any() and not empty.all(),
        "multi-digit weights": np.abs(conv.weights.astype(int)).max() > 1,
        "weight -128": (conv.weights == -128).any(),
        "accumulator near its bound": graph.bounds[conv.name].max() > 0.9 * 2**19,
        "multiplier 0": (conv.requant.multiplier == 0).any(),
        "shift 0": conv.requant.shift == 0,
        "shift 32": conv.requant.shift == 32,
        "clamp": conv.requant.clamp is not None,
        "ties to even": conv.requant.half_even and conv.requant.shift > 0,
        "zero point of a result": conv.zero_point != 0,
    }
    return {name for name, holds in facts.items() if holds}


def add_features(graph: Graph, add: Add) -> set[str]:
    (first, second), (a, b) = add.weights, (graph.info[name] for name in add.inputs)
    facts = {
        "add of unequal weights": first != second,
        "add of equal weights that are not 1": first == second != 1,
        "add that subtracts": (first < 0) != (second < 0),
        "add of unequal scales": a.scale != b.scale,
        "add of unequal zero points": a.zero_point != b.zero_point,
    }
    return {name for name, holds in facts.items() if holds}


@pytest.mark.parametrize(
    ("feature", "least"),
    [(kind.__name__, 40) for kind in KINDS.values()]
    + [(f"kernel {kernel}", 10) for kernel in range(1, 8)]
    + [(f"stride {stride}", 40) for stride in (1, 2)]
    + [(f"activation {activation}", 40) for activation in ("linear", "relu", "leaky")]
    + [
        ("input zero point 0", 80), ("input zero point -128", 80), ("odd size", 80), ("several outputs", 80),
        ("Conv -> MaxPool1", 20), ("Conv -> MaxPool2", 20), ("Conv -> Reorg", 15), ("reorg alone", 15),
        ("conv read by a pool and another layer", 15), ("Concat -> Concat", 10), ("Add -> Conv1", 5),
        ("concat off the words of four channels", 20), ("concat of more than two", 15),
        ("asymmetric padding", 40), ("padding larger than the kernel", 10),
        ("density 0", 20), ("density 1", 40), ("sparse", 80), ("all-zero filter among others", 40),
        ("multi-digit weights", 80), ("weight -128", 3), ("accumulator near its bound", 5),
        ("multiplier 0", 10), ("shift 0", 3), ("shift 32", 10),
        ("clamp", 80), ("ties to even", 80), ("zero point of a result", 40), ("padding of a result", 10),
        ("groups", 40), ("depthwise", 20), ("groups of several filters and channels", 10),
        *[(f"pool {kernel}", 5) for kernel in range(2, 8)], ("pool that halves", 40), ("other pool 1", 20),
        ("other pool 2", 20), ("pool of any padding", 20),
        ("add of unequal weights", 20), ("add of equal weights that are not 1", 3), ("add that subtracts", 3),
        ("add of unequal scales", 2), ("add of unequal zero points", 2),
    ],
)  # fmt: skip
def test_every_feature_appears(feature: str, least: int) -> None:
    assert features()[feature] >= least


def test_ties_and_clamps_are_met() -> None:
    """An executor that rounds half up, or does not clamp, is found out."""
    found: Counter[str] = Counter()
    for seed in range(40):
        graph, image = graph_and_image(seed)
        expected = reference.execute(graph, image)
        for planted in ({"half_even": False}, {"clamp": None}):
            wrong = reference.execute(changed(graph, planted), image)
            found[str(planted)] += any(not np.array_equal(expected[name], wrong[name]) for name in expected)
    assert len(found) == 2 and min(found.values()) >= 8


def changed(graph: Graph, planted: dict[str, Any]) -> Graph:
    layers = [
        replace(layer, requant=replace(layer.requant, **planted)) if isinstance(layer, Conv | Add) else layer
        for layer in graph.layers
    ]
    return Graph(tuple(layers), graph.act_bits, graph.acc_bits)


def test_most_tensors_are_neither_constant_nor_saturated() -> None:
    dull, count = 0, 0
    for seed in range(100):
        graph, image = graph_and_image(seed)
        noise = np.random.default_rng(seed).integers(-128, 128, image.shape).astype(np.int8)
        for name, tensor in reference.execute(graph, noise).items():
            if isinstance(graph[name], Conv) and tensor.size > 20:
                values, counts = np.unique(tensor, return_counts=True)
                dull += len(values) < 5 or counts.max() > 0.9 * tensor.size
                count += 1
    assert dull < 0.4 * count
