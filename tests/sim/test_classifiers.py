"""Classifiers with strides, branches, sums and means are exact in the emulator and in RTL."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.graph import Graph, pairs
from sterna.graph.network import FIRST_BITS, NO_PADDING, NetworkDescription
from sterna.graph.networks import Trunk
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from support.engines import simulated
from support.network_graphs import random_graph_of, random_network_graph


def mixture() -> NetworkDescription:
    """What AlexNet, GoogLeNet and ResNet-50 have, in a few layers, for images of 48x48."""
    trunk = Trunk("relu")
    trunk.conv(8, 11, stride=4)
    branch = trunk.pool(2, 3, padding=(0, 0, 1, 1))
    branches = [trunk.conv(4, 1), trunk.conv(6, 5, source=branch, groups=2)]
    trunk.pool(1, 3, source=branch)
    joined = trunk.concat((*branches, trunk.conv(2, 1)))
    deep = trunk.conv(12, 3, stride=2, activation="linear")
    trunk.conv(12, 1, source=joined, stride=2, activation="linear")
    trunk.add(deep)
    trunk.conv(10, 2, padding=NO_PADDING)
    trunk.average(2)
    return trunk.classifier()


@pytest.fixture(scope="module")
def graph() -> Graph:
    return random_graph_of(np.random.default_rng(0), mixture(), 48, 48, density=0.4, outputs=10)


def images(graph: Graph, count: int) -> np.ndarray:
    shape = graph.info[graph.input.name].shape
    return np.random.default_rng(1).integers(-128, 128, (count, *shape)).astype(np.int8)


def test_the_emulator_computes_a_classifier(graph: Graph) -> None:
    package = compile_graph(graph, load_config("nano"), trace=True, cycles=False)
    with open_backend("reference:") as reference, open_backend("emulator:") as emulator:
        assert compare_backends(reference, emulator, package, images(graph, 2)).equal


def test_the_engine_computes_a_classifier(graph: Graph) -> None:
    config = load_config("nano")
    package = compile_graph(graph, config, trace=True)
    assert [layer.bits for layer in mixture().convolutions][:2] == [FIRST_BITS, None]
    with simulated(config) as engine, open_backend("reference:") as reference:
        comparison = compare_backends(reference, engine, package, images(graph, 2))
    assert comparison.equal, comparison.first
    assert {"conv1.reorg2", "pool2", "add1", "average1", "head"} <= {*comparison.layers}


def test_the_engine_computes_the_distance_of_two_images() -> None:
    trunk = Trunk("relu")
    trunk.conv(6, 3, stride=2)
    trunk.conv(6, 3, activation="linear")
    trunk.add("conv1")
    trunk.average(6)
    single = random_graph_of(np.random.default_rng(0), trunk.classifier(), 12, 12, density=0.5, outputs=9)
    paired, config = pairs.pair(single, "head"), load_config("nano")
    package = compile_graph(paired, config, trace=True)
    shown = images(single, 3)
    with simulated(config) as engine, open_backend("reference:") as reference:
        comparison = compare_backends(reference, engine, package, pairs.together(shown, shown[[0, 2, 1]]))
        found = engine.infer(pairs.together(shown, shown[[0, 2, 1]]))["distance.output"].flatten().tolist()
    assert comparison.equal, comparison.first
    assert found[0] == 0 < found[1] == found[2]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), [("resnet8", 28), ("skeleton", 8)])
def test_the_engine_computes_a_named_classifier(name: str, side: int) -> None:
    graph = random_network_graph(np.random.default_rng(0), name, side, side, density=0.3, outputs=10)
    config = load_config("nano")
    package = compile_graph(graph, config, trace=True)
    with simulated(config) as engine, open_backend("reference:") as reference:
        comparison = compare_backends(reference, engine, package, images(graph, 1))
    assert comparison.equal, comparison.first
