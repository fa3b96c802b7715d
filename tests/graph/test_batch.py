from __future__ import annotations

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import Conv, Graph, batch, reference
from sterna.graph.network import NO_PADDING, NetworkDescription
from sterna.graph.networks import Trunk
from support.network_graphs import random_graph_of


def small(*, average: bool = False) -> NetworkDescription:
    """Two layers that see the whole map of an image of 12x12, and the scores."""
    trunk = Trunk("relu")
    trunk.conv(5, 3)
    trunk.pool()
    trunk.pool()
    if average:
        trunk.average(3)
    else:
        trunk.conv(9, 3, padding=NO_PADDING)
        trunk.conv(7, 1)
    return trunk.classifier()


def graph_of(description: NetworkDescription) -> Graph:
    return random_graph_of(np.random.default_rng(0), description, 12, 12, density=0.5, outputs=4)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(-128, 128, (count, 3, 12, 12)).astype(np.int8)


def scores(halves: batch.Halves, given: np.ndarray, height: int, width: int) -> np.ndarray:
    features = reference.execute(halves.first, given)[batch.FEATURES]
    made = reference.execute(halves.second, batch.as_pixels(features, height, width))["output"]
    return batch.of_pixels(made, len(given))


@pytest.mark.parametrize(("before", "features"), [(None, 45), ("conv2", 45), ("conv3", 9), ("head", 7)])
@pytest.mark.parametrize("count", [1, 5, 6])
def test_a_graph_in_halves_gives_each_image_its_scores(before: str | None, features: int, count: int) -> None:
    graph = graph_of(small())
    halves = batch.cut(graph, 2, 3, before)
    assert halves.second.input.channels == features
    assert all(layer.weights.shape[2] == 1 for layer in halves.second.layers if isinstance(layer, Conv))
    expected = reference.execute(graph, images(count))["output"][:, :, 0, 0]
    np.testing.assert_array_equal(scores(halves, images(count), 2, 3), expected)


def test_means_stay_in_the_first_half() -> None:
    graph = graph_of(small(average=True))
    halves = batch.cut(graph, 3, 3)
    assert "average1" in halves.first.info and halves.second.input.channels == 5
    expected = reference.execute(graph, images(9))["output"][:, :, 0, 0]
    np.testing.assert_array_equal(scores(halves, images(9), 3, 3), expected)


def test_images_in_another_order_have_other_scores() -> None:
    halves = batch.cut(graph_of(small()), 2, 2)
    given = images(4)
    assert not np.array_equal(scores(halves, given, 2, 2), scores(halves, given[::-1], 2, 2))


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(SternaError, match=r"graph: has no such layer .*before = conv1; allowed: conv2, conv3, head"):
        batch.cut(graph_of(small()), 2, 2, "conv1")
    trunk = Trunk("relu")
    trunk.conv(5, 3)
    with pytest.raises(SternaError, match="none in this graph"):
        batch.cut(graph_of(trunk.classifier()), 2, 2)
    trunk = Trunk("relu")
    trunk.conv(5, 6, stride=2, padding=NO_PADDING)
    trunk.conv(5, 4, padding=NO_PADDING)
    trunk.add(trunk.last)
    with pytest.raises(SternaError, match="layer 'add1': is not of a layer that sees the whole map"):
        batch.cut(graph_of(trunk.classifier()), 2, 2)


def test_more_images_than_pixels_are_refused() -> None:
    with pytest.raises(SternaError, match=r"images = 5; allowed: 1 \.\. 4"):
        batch.as_pixels(np.zeros((5, 3, 1, 1), np.int8), 2, 2)
