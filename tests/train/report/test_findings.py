"""What a person should not overlook: missed densities, empty layers and filters, classes without objects."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sterna.graph import Conv, Graph, file
from sterna.train import run_folder
from sterna.train.data import DataOptions, open_data
from sterna.train.loop import trainer
from sterna.train.model import schedules
from sterna.train.options import parse
from sterna.train.report import findings, summary_page
from support import data_sets
from support.small_detector import small_graph, small_network, small_scenes

Got = Callable[[object], None]
ASKED = 0.3


@pytest.fixture(scope="module")
def graph() -> Graph:
    """A graph at the density that was asked for."""
    return small_graph(small_network(small_scenes(4)))


@pytest.fixture(scope="module")
def asked(graph: Graph) -> dict[str, float]:
    names = [layer.name for layer in graph.layers if isinstance(layer, Conv)]
    return dict.fromkeys(names[1:-1], ASKED)


def cleared(graph: Graph, name: str, filters: slice) -> Graph:
    """`graph` with some filters of a layer empty."""
    layers = []
    for layer in graph.layers:
        if isinstance(layer, Conv) and layer.name == name:
            weights = layer.weights.copy()
            weights[filters] = 0
            layer = dataclasses.replace(layer, weights=weights)
        layers.append(layer)
    return dataclasses.replace(graph, layers=tuple(layers))


def test_a_network_as_it_was_asked_for_needs_no_words(graph: Graph, asked: dict[str, float]) -> None:
    assert findings.of_graph(graph, asked) == []


@pytest.mark.case(
    "density-missed", kind="result", expected="reached against asked, by layer where far, after all tables"
)
def test_a_density_that_was_missed_is_told_by_layer(graph: Graph, asked: dict[str, float], got: Got) -> None:
    (line,) = findings.of_graph(graph, {**asked, "conv4": 0.6})
    assert line.endswith("conv4 0.300 for 0.600") and ", not 0.3" in line
    got(line)
    (line,) = findings.of_graph(graph, dict.fromkeys(asked, 0.15))
    assert "density 0.3" in line and ", not 0.150" in line and line.endswith("more")


def test_no_density_is_missed_by_the_whole_number_of_weights_in_a_filter() -> None:
    few = {"conv": np.ones(16, np.int64)}  # one of nine in each of 16 filters
    assert findings._density(few, {"conv": 144}, {"conv": 0.16}) != []  # all layers together
    assert findings._density(few, {"conv": 144}, {"conv": 0.12}) == []
    both = {**few, "large": np.full(16, 1440, np.int64)}
    assert findings._density(both, {"conv": 144, "large": 144_000}, {"conv": 0.16, "large": 0.16}) == []


@pytest.mark.case("layer-without-weights", kind="result", expected="the empty layer is named after all tables")
def test_empty_layers_and_filters_are_named(graph: Graph, asked: dict[str, float], got: Got) -> None:
    lines = findings.of_graph(cleared(graph, "conv4", slice(None)), asked)
    assert lines[-1] == "layer conv4 has no weight left: its output is the same for every image"
    assert "conv4 0.000 for 0.300" in lines[0]
    got(lines[-1])
    lines = findings.of_graph(cleared(graph, "conv4", slice(0, 20)), asked)
    assert any(line.startswith("layer conv4: 20 of ") for line in lines)


@pytest.mark.case(
    "class-without-objects", kind="result", expected="the split and the class are named, at once and after all tables"
)
def test_a_class_without_objects_is_named_for_each_split(tmp_path: Path, got: Got) -> None:
    folder = data_sets.write_yolo(tmp_path)
    data = open_data(DataOptions(data=str(folder), classes="cat,dog", height=32, width=64))
    assert findings.of_data({"training": data.train}) == []
    for labels in (folder / "labels" / "val").glob("*.txt"):
        labels.write_text("".join(f"0{line[1:]}\n" for line in labels.read_text().splitlines()))
    data = open_data(DataOptions(data=str(folder), classes="cat,dog", height=32, width=64))
    lines = findings.of_data({"training": data.train, "validation": data.val})
    assert lines == ["no object of dog in the validation images"]
    got(lines[0])


def test_a_run_ends_with_its_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the summary, on the page, and as the last that is said: a run whose thresholds do not follow its density."""
    aim = schedules.density_at
    monkeypatch.setattr(schedules, "density_at", lambda name, share, target: aim(name, share, 2 * target))
    options = parse(
        output=tmp_path / "run", height=64, width=64, train_scenes=4, val_scenes=1, test_scenes=1, batch=4,
        float_epochs=1, ternary_epochs=1, quantised_epochs=0, integer_epochs=0, density=0.2, threads=1, workers=0,
    )  # fmt: skip
    said = tmp_path / "said"
    with said.open("w") as output:
        trainer.train(options, Console(file=output, width=200))
    (warning,) = json.loads((tmp_path / "run" / run_folder.SUMMARY).read_text())["warnings"]
    assert ", not 0.200" in warning
    assert said.read_text().splitlines()[-1] == f"WARNING: {warning}"
    assert warning in (tmp_path / "run" / summary_page.NAME).read_text("utf-8")
    assert findings.of_graph(file.load(tmp_path / "run" / run_folder.GRAPH), {}) == []
