from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from rich.console import Console

from sterna.errors import SternaError
from sterna.graph import Conv, Graph, Input, Output, Requant, reference
from sterna.train import options
from sterna.train.data.scenes import SceneSet
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.report import evaluate, history, layers, report
from sterna.train.report.compared import FORMS, Table, _drawn, show, summarise
from sterna.train.report.history import EpochLine
from sterna.train.report.report import Comparison
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
    assert list(comparison.layers) == [layer.name for layer in ternary.description.layers]
    inner, pool = comparison.layers["conv4"], comparison.layers["pool1"]
    assert inner.density == pytest.approx(0.3, abs=0.01) and inner.rho == layers.thresholds(ternary)["conv4"] > 0
    assert comparison.layers["conv1"].rho is None and pool.density is None
    assert pool.share is not None and pool.largest is not None


def test_a_layer_that_computes_something_else_is_seen(
    forms: dict[str, Network | Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    ternary, graph, execute = forms["ternary"], forms["integer"], reference.execute
    assert isinstance(ternary, Network) and isinstance(graph, Graph)

    def wrong(graph: Graph) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        return lambda images: (found := execute(graph, images)) | {"conv5": np.zeros_like(found["conv5"])}

    right = layers.differences(ternary, graph, small_scenes(1))
    monkeypatch.setattr(layers, "executor", wrong)
    planted = layers.differences(ternary, graph, small_scenes(1))
    assert planted["conv4"] == right["conv4"] and planted["conv5"]["share"] > 0.5 > right["conv5"]["share"]


def test_one_value_that_differs_by_three_steps_is_told_as_that(
    forms: dict[str, Network | Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    ternary, graph, execute = forms["ternary"], forms["integer"], reference.execute
    assert isinstance(ternary, Network) and isinstance(graph, Graph)
    scenes = small_scenes(19)
    images = np.stack([scenes[index].image for index in range(16)])  # as many as are compared
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        ternary(evaluate.to_real(images), record)
    steps = {name: np.rint(values.numpy() / graph.info[name].scale) for name, values in record.items()}

    def planted(batch: np.ndarray) -> dict[str, np.ndarray]:
        """The network's own activations, so that nothing differs but what is planted."""
        assert len(batch) == 16 and set(execute(graph, batch[:1])) >= set(steps)
        changed = {name: values.copy() for name, values in steps.items()}
        changed["conv4"][2, 1, 0, 3] -= 3
        changed["conv4"][0, 0, 0, 0] += 2
        return changed

    monkeypatch.setattr(layers, "executor", lambda graph: planted)
    found = layers.differences(ternary, graph, scenes)
    assert found.pop("conv4") == {"share": 2 / steps["conv4"].size, "largest": 3.0}
    assert set(found) == {layer.name for layer in ternary.description.layers} - {"conv4"}
    assert all(each == {"share": 0.0, "largest": 0.0} for each in found.values())


def test_the_integer_form_is_measured_in_integers(forms: dict[str, Network | Graph], scenes: SceneSet) -> None:
    """A graph whose head finds nothing finds nothing, whatever the networks beside it find."""
    graph = forms["integer"]
    assert isinstance(graph, Graph)
    silent = [
        dataclasses.replace(
            layer, requant=dataclasses.replace(layer.requant, bias=np.full_like(layer.requant.bias, -(2**40)))
        )
        if isinstance(layer, Conv) and layer.name == "head"
        else layer
        for layer in graph.layers
    ]
    quiet = dataclasses.replace(graph, layers=tuple(silent))
    made = report.evaluators({**forms, "integer": quiet}, scenes.classes)
    frames = [scenes[0]]
    assert not len(made["integer"].find(frames)[0])
    assert len(made["ternary"].find(frames)[0]) and len(made["float"].find(frames)[0])
    images = np.stack([frames[0].image])
    heads = {name: each.heads(images) * each.scale for name, each in made.items()}
    for name in ("float", "ternary"):
        network = forms[name]
        assert isinstance(network, Network)
        with torch.no_grad():
            np.testing.assert_array_equal(heads[name], network(evaluate.to_real(images)).numpy())
    assert np.abs(heads["float"] - heads["ternary"]).max() > 0.1


def small_conv(name: str, source: str, weights: np.ndarray) -> Conv:
    requant = Requant(np.ones(len(weights), np.int64), np.zeros(len(weights), np.int64), 3, "linear")
    side = weights.shape[-1] // 2
    return Conv(name, source, weights.astype(np.int8), 1, (side,) * 4, requant, 1.0)


@pytest.fixture
def counted() -> Graph:
    """A detector of one class whose weights are easily counted: 27 of 54, 1 of 2, 9 of 12; 37 of 68 in all."""
    first = np.zeros((2, 3, 3, 3))
    first[0] = 1 + np.arange(27).reshape(3, 3, 3) % 4  # several digits: 1 .. 4
    head = np.array([[-1, 1], [0, 1], [-1, 0], [1, 1], [-1, 0], [2, -3]])
    layers = (
        Input("image", 3, 4, 4, 1 / 128, 0),
        small_conv("first", "image", first),
        small_conv("inner", "first", np.array([[0, 0], [-1, 0]])[:, :, None, None]),
        small_conv("head", "inner", head[:, :, None, None]),
        Output("out", "head"),
    )
    return Graph(layers, metadata={"kind": "yolov2", "classes": ["thing"], "anchors": [[1.0, 2.0]]})


def test_density_is_nonzero_weights_by_weights_of_all_layers(counted: Graph) -> None:
    by_layer = layers.densities(counted)
    assert by_layer == {"first": 27 / 54, "inner": 1 / 4, "head": 9 / 12}
    summary = summarise(
        options.parse(output="unused", height=32, width=64),
        Comparison(images=3, method="m", voc_method="v", precision={}, layers={}),
        counted,
        {"float": 0.25, "integer": 0.5},
        12.345,
        6.789,
        "cpu",
        ["a class has no object"],
    )
    assert summary["weights"] == 54 + 4 + 12
    assert summary["density"] == (27 + 1 + 9) / (54 + 4 + 12)  # not the mean of the layers', which is 0.5
    assert (summary["step_seconds"], summary["waited_seconds"]) == (12.3, 6.8)
    assert summary["map50_by_stage"] == {"float": 0.25, "integer": 0.5}
    assert summary["warnings"] == ["a class has no object"]
    assert (summary["images"], summary["method"], summary["voc_method"]) == (3, "m", "v")
    assert (summary["image"], summary["classes"], summary["anchors"]) == ([32, 64], ["thing"], [[1.0, 2.0]])
    assert summary["device"] == "cpu" and summary["data"] == "scenes" and summary["options"]["height"] == 32


def test_a_summary_has_all_of_precision_but_the_curves(compared: Compared, counted: Graph) -> None:
    comparison, _ = compared
    summary = summarise(options.parse(output="unused", data="elsewhere"), comparison, counted, {}, 0, 0, "cpu", [])
    for form, precision in comparison.precision.items():
        written = summary["precision"][form]
        for name in ("map50", "map", "voc07", "voc10", "small", "medium", "large"):
            assert written[name] == getattr(precision, name)
        assert all(set(each) == {"ap50", "ap", "voc07", "voc10"} for each in written["classes"].values())
    assert summary["data"] == "folder" and "data" not in summary["options"]
    assert summary["layers"]["conv4"]["density"] == comparison.layers["conv4"].density


def test_sparsity_of_a_network_counts_all_its_layers(forms: dict[str, Network | Graph]) -> None:
    """The density of a layer is not that of the whole: the first layer and the head are denser, and count as well."""
    ternary = forms["ternary"]
    assert isinstance(ternary, Network)
    found, weights = layers.sparsity(ternary), ternary.integer_weights()
    whole = sum(int((integers != 0).sum()) for integers, _ in weights.values())
    assert found.density == whole / sum(integers.numel() for integers, _ in weights.values())
    assert found.density_by_layer["conv1"] > 0.5 > found.density > found.density_by_layer["conv4"]
    assert set(found.density_by_layer) == set(weights) and {"conv1", "head"} <= set(weights)


def test_tables_show_each_metric_in_its_row(counted: Graph) -> None:
    curve = evaluate.Curve(precision=(), score=())
    cat = evaluate.ClassPrecision(ap50=0.111, ap=0.222, voc07=0.333, voc10=0.444, curve=curve)
    dog = cat.model_copy(update={"ap50": 0.555})
    one = evaluate.Precision(
        map50=0.1, map=0.2, small=0.3, medium=None, large=0.4, voc07=0.5, voc10=0.6, classes={"cat": cat}
    )
    other = one.model_copy(update={"map50": 0.7, "classes": {"dog": dog}})
    shown = {
        "conv": layers.LayerMetrics(density=0.25, rho=0.7, share=0.0125, largest=3.0),
        "pool": layers.LayerMetrics(),
    }
    comparison = Comparison(
        images=1, method="m", voc_method="v", precision={"float": one, "integer": other}, layers=shown
    )
    assert list(comparison.rows()) == [
        ("COCO mAP50", "0.100", "0.700"),
        ("COCO mAP50-95", "0.200", "0.200"),
        ("COCO mAP50-95, area below 32²", "0.300", "0.300"),
        ("COCO mAP50-95, area between", "", ""),
        ("COCO mAP50-95, area above 96²", "0.400", "0.400"),
        ("VOC07 mAP50, 11 points", "0.500", "0.500"),
        ("VOC10 mAP50, all points", "0.600", "0.600"),
        ("cat, COCO AP50", "0.111", ""),
        ("cat, COCO AP50-95", "0.222", ""),
        ("cat, VOC07 AP50", "0.333", ""),
        ("cat, VOC10 AP50", "0.444", ""),
        ("dog, COCO AP50", "", "0.555"),
        ("dog, COCO AP50-95", "", "0.222"),
        ("dog, VOC07 AP50", "", "0.333"),
        ("dog, VOC10 AP50", "", "0.444"),
    ]
    assert list(layers.rows(comparison.layers)) == [
        ("conv", "0.250", "0.700", "1.250 %", "3"),
        ("pool", "", "", "", ""),
    ]
    line: EpochLine = {"stage": "float", "epoch": 3, "box": 1.0, "objectness": 2.0, "classes": 0.25, "val_map50": 0.5}  # type: ignore[typeddict-item]
    assert history.epoch_line(line) == "float epoch 3: loss 3.25, validation mAP 0.500"
    assert (
        history.epoch_line({**line, "density": 0.125})
        == "float epoch 3: loss 3.25, validation mAP 0.500, density 0.125"
    )  # type: ignore[typeddict-unknown-key]


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
    sparsity = layers.sparsity(ternary)
    assert sparsity.density_by_layer == layers.densities(graph)
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    nonzeros = sum(np.count_nonzero(array) for array in weights)
    assert sparsity.density == pytest.approx(nonzeros / sum(array.size for array in weights))
    assert set(sparsity.density_by_layer) - set(sparsity.rho_by_layer) == {"conv1", "head"}


def test_both_tables_are_shown(compared: Compared) -> None:
    comparison, _ = compared
    console = Console(record=True, width=120, file=io.StringIO())
    show(comparison, console)
    text = console.export_text()
    forms = ("float", "ternary", "integer")
    for part in (*forms, "COCO mAP50-95", "below 32²", "vehicle, COCO AP50-95", "VOC07", "VOC10", "conv10", "rho"):
        assert part in text
    assert f"{comparison.precision['ternary'].map50:.3f}" in text
    told = " ".join(text.split())
    assert told.count(evaluate.FOUND) == 1
    for part in ("COCO average precision, pycocotools", "VOC average precision at IoU 0.5", "marked difficult"):
        assert told.count(part) == 1, part
    assert {f"{comparison.method}.", f"{comparison.voc_method}."} <= set(comparison.notes())
    assert FORMS in told
    one = comparison.model_copy(update={"precision": {"integer": comparison.precision["integer"]}})
    assert FORMS not in " ".join(one.notes())
    assert [column.justify for column in _drawn(Table("", ("", "a", "b"), iter(()))).columns] == [
        "left",
        "right",
        "right",
    ]


def test_a_comparison_is_not_changed_once_it_is_made(compared: Compared) -> None:
    comparison, _ = compared
    with pytest.raises(ValueError, match="frozen"):
        comparison.images = 1  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        Comparison.model_validate({**comparison.model_dump(), "frames": 5})
