"""The emulator equals the reference on every map of random graphs, and refuses what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import Graph, reference
from sterna.run import open_backend
from sterna.run.emulator import Emulator
from support.packages import small_package
from support.random_graphs import random_graph, random_image

GRAPHS = 40
SLOW_GRAPHS = 500


def graph_and_images(seed: int) -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, act_bits=int(rng.integers(4, 9)), acc_bits=int(rng.integers(14, 33)))
    return graph, np.stack([random_image(rng, graph) for _ in range(int(rng.integers(1, 3)))])


def check_graph(seed: int) -> None:
    graph, images = graph_and_images(seed)
    expected = reference.execute(graph, images)
    found = Emulator(graph).run(images)
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert np.array_equal(found[name], tensor), f"graph {seed}, layer '{name}'"
        assert found[name].dtype == np.int8
    outputs = [output.name for output in graph.outputs]
    for name, tensor in Emulator(graph, outputs).run(images).items():
        assert np.array_equal(tensor, expected[name]), f"graph {seed}, '{name}' alone"


def test_equals_reference() -> None:
    for seed in range(GRAPHS):
        check_graph(seed)


@pytest.mark.slow
def test_equals_reference_on_many() -> None:
    for seed in range(SLOW_GRAPHS):
        check_graph(1000 + seed)


def test_backend() -> None:
    """It gives what the reference gives, image after image, and tells how far it is."""
    package = small_package()
    images = np.stack([random_image(np.random.default_rng(seed), package.graph) for seed in range(2)])
    told: list[tuple[int, int]] = []
    with open_backend("reference:") as golden, open_backend("emulator:") as backend:
        golden.load(package)
        backend.load(package)
        found = backend.infer(images, lambda *done: told.append(done))
        for name, expected in golden.infer(images).items():
            assert np.array_equal(found[name], expected), name
    assert told == [(number, len(package.schedule.steps)) for number in range(2)]


def test_images_that_do_not_fit() -> None:
    graph, images = graph_and_images(0)
    with pytest.raises(SternaError, match="do not fit the graph's Input"):
        Emulator(graph).run(images[:, :, 1:])


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(SternaError, match="has no such layer; layer = 'nothing'"):
        Emulator(graph_and_images(0)[0], ["nothing"])
