"""What `sterna export` writes comes back as a graph of the same semantics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sterna
from sterna.exporters.onnx.files import FORMS, save
from sterna.graph import Graph, reference
from sterna.importers.onnx.files import Wanted, read
from support.onnx_models import random_case


def check(graph: Graph, images: np.ndarray, form: str, folder: Path) -> Graph:
    """Export and import `graph`: equal outputs on `images`, that stand for the same; the graph that comes back."""
    save(graph, folder / "model.onnx", form)
    found = read(folder / "model.onnx", Wanted()).graph
    expected, maps = reference.execute(graph, images), reference.execute(found, images)
    assert [each.name for each in found.outputs] == [each.name for each in graph.outputs]
    for output in graph.outputs:
        assert np.array_equal(expected[output.name], maps[output.name])
        assert found.info[output.name] == graph.info[output.name]
    assert found.info[found.input.name] == graph.info[graph.input.name]
    assert (found.act_bits, found.metadata) == (graph.act_bits, graph.metadata)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(20))
def test_random_graphs(seed: int, form: str, tmp_path: Path) -> None:
    check(*random_case(seed), form, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many_random_graphs(seed: int, form: str, tmp_path: Path) -> None:
    check(*random_case(seed), form, tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_the_demo(form: str, tmp_path: Path) -> None:
    """Layer by layer, by the same names."""
    graph = sterna.load("demo-nano")
    assert isinstance(graph, Graph)
    image = sterna.prepare(graph, sterna.scene(7))[np.newaxis]
    found = check(graph, image, form, tmp_path)
    expected, maps = reference.execute(graph, image), reference.execute(found, image)
    assert maps.keys() == expected.keys()
    assert all(np.array_equal(maps[name], expected[name]) for name in maps)
