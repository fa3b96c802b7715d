from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import Graph, pairs, reference
from sterna.graph.networks import Trunk
from support.network_graphs import random_graph_of, random_network_graph


@pytest.fixture(scope="module")
def graph() -> Graph:
    trunk = Trunk("relu")
    trunk.conv(6, 3, stride=2)
    trunk.conv(6, 3, groups=2, activation="linear")
    trunk.add("conv1")
    trunk.pool()
    trunk.conv(5, 1)
    return random_graph_of(np.random.default_rng(0), trunk.classifier(), 12, 12, density=0.6, outputs=4)


def images(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (4, 3, 12, 12)).astype(np.int8)


def distances(graph: Graph, features: str, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    paired = pairs.pair(graph, features)
    return reference.execute(paired, pairs.together(first, second))["distance.output"][:, 0, 0, 0]


@pytest.mark.parametrize(("features", "shift"), [("conv3", 3), ("head", 3), ("pool1", 3)])
def test_the_distance_is_that_of_the_features_of_each_image(graph: Graph, features: str, shift: int) -> None:
    both = [reference.execute(graph, images(seed))[features].astype(int) for seed in (1, 2)]
    apart = (np.abs(both[0] - both[1]) + 1) // 2
    sums = np.minimum(apart, 127).sum((1, 2, 3))
    expected = np.minimum((sums + (1 << shift >> 1)) >> shift, 127)
    found = distances(graph, features, images(1), images(2))
    np.testing.assert_array_equal(found, expected)
    assert len(set(found.tolist())) > 1 or found[0] == 127


def test_equal_images_are_not_apart_and_order_does_not_matter(graph: Graph) -> None:
    assert not distances(graph, "conv3", images(1), images(1)).any()
    there, back = (distances(graph, "conv3", images(a), images(b)) for a, b in ((1, 2), (2, 1)))
    np.testing.assert_array_equal(there, back)
    assert there.all()


def test_features_of_the_other_image_do_not_matter(graph: Graph) -> None:
    paired = pairs.pair(graph, "conv3")
    found = [reference.execute(paired, pairs.together(images(1), images(seed)))["conv3"] for seed in (2, 3)]
    np.testing.assert_array_equal(found[0][:, :5], found[1][:, :5])
    assert not np.array_equal(found[0][:, 5:], found[1][:, 5:])


def test_a_table_of_the_image_is_that_of_both(graph: Graph) -> None:
    table = np.random.default_rng(0).integers(-128, 128, (3, 256)).astype(np.int8)
    shown = Graph((replace(graph.input, table=table), *graph.layers[1:]))
    assert pairs.pair(shown, "conv3").input.channels == 6
    assert not distances(shown, "conv3", images(1), images(1)).any()
    assert distances(shown, "conv3", images(1), images(2)).all()


def test_what_has_no_pair_is_refused(graph: Graph) -> None:
    with pytest.raises(SternaError, match="graph: has no such layer; features = conv9; allowed: image, conv1"):
        pairs.pair(graph, "conv9")
    large = random_network_graph(np.random.default_rng(0), "resnet8", 28, 28, density=0.5, outputs=4)
    with pytest.raises(SternaError, match=r"layer 'add1': is a map that no convolution sees as a whole; .* = 28, 28"):
        pairs.pair(large, "add1")
    trunk = Trunk("relu")
    trunk.conv(6, 11, stride=4)
    mixing = random_graph_of(np.random.default_rng(0), trunk.classifier(), 12, 12, density=0.6, outputs=4)
    with pytest.raises(SternaError, match=r"layer 'conv1.reorg1': mixes the channels .*allowed: input, conv, add, max"):
        pairs.pair(mixing, "conv1")
