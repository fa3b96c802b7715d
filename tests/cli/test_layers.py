"""The table of costs adds up to what the engine counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sterna.cli.layers import COST_TITLES, cost_cells, density, layer_costs, print_costs
from sterna.package import package as package_file
from sterna.package.counters import StepCounters
from sterna.run.compare import Comparison, difference


def counted(package: package_file.Package) -> list[StepCounters]:
    return [StepCounters(100 + number, 0, 0, 0, 0) for number, _ in enumerate(package.schedule.steps)]


def test_rows_cover_every_counted_step(package_path: Path) -> None:
    package = package_file.load(package_path)
    steps = counted(package)
    costs = layer_costs(package, steps)
    assert [cost.name for cost in costs] == ["load image", "first + pool", "head", "store 2 layers"]
    assert sum(cost.cycles for cost in costs) == sum(step.cycles for step in steps)
    assert sum(cost.estimated for cost in costs) == sum(step.cycles for step in package.schedule.steps)


def test_lanes_busy_is_the_work_over_the_room(package_path: Path) -> None:
    package = package_file.load(package_path)
    head = next(cost for cost in layer_costs(package, counted(package)) if cost.name == "head")
    nonzeros = np.count_nonzero(next(layer for layer in package.graph.layers if layer.name == "head").weights)
    _, height, width = package.graph.info["head"].shape
    assert head.lanes_busy == nonzeros * height * width / (head.cycles * package.config.all_lanes)
    assert head.density == density(package.graph, ["head"])


def test_a_wrong_layer_shows(package_path: Path) -> None:
    package = package_file.load(package_path)
    right = np.zeros((1, 7, 20, 20), np.int8)
    wrong = right.copy()
    wrong[0, 3, 2, 1] = 5
    comparison = Comparison({"pool": None, "head": difference("head", right, wrong)})
    costs = {cost.name: cost for cost in layer_costs(package, counted(package), comparison)}
    assert cost_cells(costs["first + pool"])[-1] == "yes"
    assert cost_cells(costs["head"])[-1] == "NO"
    assert cost_cells(replace(costs["head"], equal=None))[-1] == ""


def test_no_title_is_cut_where_there_is_no_terminal(package_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = package_file.load(package_path)
    print_costs(layer_costs(package, counted(package)))
    shown = capsys.readouterr().out
    assert all(title in shown for title in COST_TITLES[:-1])
