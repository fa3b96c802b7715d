from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from sterna.errors import SternaError
from sterna.graph import Conv, Graph, reference
from sterna.train import evaluate, report
from sterna.train.data.scenes import SceneSet
from sterna.train.networks import Form, Network
from sterna.train.report import Comparison
from support.small_detector import ANCHORS, small_graph, small_network, small_scenes


@pytest.fixture(scope="module")
def scenes() -> SceneSet:
    return small_scenes(9)  # more than one batch


@pytest.fixture(scope="module")
def forms(scenes: SceneSet) -> dict[str, Network | Graph]:
    ternary = small_network(scenes)
    return {"float": small_network(scenes, Form.FLOAT), "ternary": ternary, "integer": small_graph(ternary)}


Compared = tuple[Comparison, list[tuple[int, int, str]]]


@pytest.fixture(scope="module")
def compared(forms: dict[str, Network | Graph], scenes: SceneSet) -> Compared:
    """The comparison of all forms, and the progress that it told."""
    seen: list[tuple[int, int, str]] = []
    return report.compare(forms, scenes, progress=lambda *step: seen.append(step)), seen


def test_all_forms_are_measured_and_every_layer_is_compared(
    forms: dict[str, Network | Graph], compared: Compared, scenes: SceneSet
) -> None:
    comparison, seen = compared
    assert list(comparison.precision) == ["float", "ternary", "integer"]
    assert seen == [(done, len(scenes), form) for form in comparison.precision for done in (8, len(scenes))]
    ternary = forms["ternary"]
    assert isinstance(ternary, Network)
    assert comparison.precision["ternary"] == evaluate.evaluate_network(ternary, ANCHORS, scenes)
    assert comparison.precision["ternary"] != comparison.precision["float"]
    assert list(comparison.layers) == [layer.name for layer in ternary.layers]
    inner, pool = comparison.layers["conv4"], comparison.layers["pool1"]
    assert inner.density == pytest.approx(0.3, abs=0.01) and inner.rho == report.thresholds(ternary)["conv4"] > 0
    assert comparison.layers["conv1"].rho is None and pool.density is None
    assert pool.share is not None and pool.largest is not None


def test_a_layer_that_computes_something_else_is_seen(
    forms: dict[str, Network | Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    ternary, graph, execute = forms["ternary"], forms["integer"], reference.execute
    assert isinstance(ternary, Network) and isinstance(graph, Graph)

    def wrong(graph: Graph, images: np.ndarray) -> dict[str, np.ndarray]:
        tensors = execute(graph, images)
        return tensors | {"conv5": np.zeros_like(tensors["conv5"])}

    right = report.differences(ternary, graph, small_scenes(1))
    monkeypatch.setattr(reference, "execute", wrong)
    planted = report.differences(ternary, graph, small_scenes(1))
    assert planted["conv4"] == right["conv4"] and planted["conv5"]["share"] > 0.5 > right["conv5"]["share"]


def test_a_graph_alone_has_densities_only(forms: dict[str, Network | Graph], scenes: SceneSet) -> None:
    comparison = report.compare({"integer": forms["integer"]}, scenes)
    assert set(comparison.layers) == {layer.name for layer in forms["integer"].layers if isinstance(layer, Conv)}
    assert {layer.share for layer in comparison.layers.values()} == {None}


def test_without_the_integer_graph_nothing_is_compared(forms: dict[str, Network | Graph], scenes: SceneSet) -> None:
    with pytest.raises(SternaError, match=r"integer graph is missing; forms = float; .*finish the training"):
        report.compare({"float": forms["float"]}, scenes)


def test_a_graph_of_other_classes_is_refused(forms: dict[str, Network | Graph], scenes: SceneSet) -> None:
    graph = forms["integer"]
    assert isinstance(graph, Graph)
    other = dataclasses.replace(graph, metadata=graph.metadata | {"classes": ["cat", "dog"]})
    with pytest.raises(SternaError, match="classes = cat, dog; allowed: vehicle, person"):
        report.compare({"integer": other}, scenes)


def test_sparsity_counts_the_weights(forms: dict[str, Network | Graph]) -> None:
    ternary, graph = forms["ternary"], forms["integer"]
    assert isinstance(ternary, Network) and isinstance(graph, Graph)
    sparsity = report.sparsity(ternary)
    assert sparsity.density_by_layer == report.densities(graph)
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    nonzeros = sum(np.count_nonzero(array) for array in weights)
    assert sparsity.density == pytest.approx(nonzeros / sum(array.size for array in weights))
    assert set(sparsity.density_by_layer) - set(sparsity.rho_by_layer) == {"conv1", "head"}


def test_both_tables_are_shown(compared: Compared) -> None:
    comparison, _ = compared
    console = Console(record=True, width=120, file=io.StringIO())
    report.show(comparison, console)
    text = console.export_text()
    forms = ("float", "ternary", "integer")
    for part in (*forms, "COCO mAP50-95", "below 32²", "vehicle, COCO AP50-95", "VOC07", "VOC10", "conv10", "rho"):
        assert part in text
    assert f"{comparison.precision['ternary'].map50:.3f}" in text
