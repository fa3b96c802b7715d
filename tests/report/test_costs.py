"""The table of costs adds up to what the engine counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.package.counters import StepCounters
from sterna.package.package import Package
from sterna.report.costs import COST_TITLES, cost_cells, density, layer_costs
from support.packages import small_package


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


def counted(package: Package) -> list[StepCounters]:
    return [StepCounters(100 + number, 0, 0, 0, 0) for number, _ in enumerate(package.schedule.steps)]


def test_rows_cover_every_counted_step(package: Package) -> None:
    steps = counted(package)
    costs = layer_costs(package, steps)
    assert [cost.name for cost in costs] == ["load image", "first + pool", "second", "store 2 layers"]
    assert sum(cost.cycles for cost in costs) == sum(step.cycles for step in steps)
    assert sum(cost.estimated for cost in costs) == sum(step.cycles for step in package.schedule.steps)


def test_lanes_busy_is_the_work_over_the_room(package: Package) -> None:
    second = next(cost for cost in layer_costs(package, counted(package)) if cost.name == "second")
    nonzeros = np.count_nonzero(next(layer for layer in package.graph.layers if layer.name == "second").weights)
    _, height, width = package.graph.info["second"].shape
    assert second.lanes_busy == nonzeros * height * width / (second.cycles * package.config.all_lanes)
    assert second.density == density(package.graph, ["second"])


def test_a_wrong_layer_shows(package: Package) -> None:
    equal = {"pool": True, "second": False}
    costs = {cost.name: cost for cost in layer_costs(package, counted(package), equal)}
    assert cost_cells(costs["first + pool"])[-1] == "yes"
    assert cost_cells(costs["second"])[-1] == "NO"
    assert cost_cells(replace(costs["second"], equal=None))[-1] == ""


def test_nothing_is_estimated_of_a_package_without_cycles(package: Package) -> None:
    untimed = compile_graph(package.graph, package.config, trace=True, cycles=False)
    costs = layer_costs(untimed, counted(untimed))
    assert {cost.estimated for cost in costs} == {None}
    assert cost_cells(costs[0])[COST_TITLES.index("estimated")] == ""
    assert [replace(cost, estimated=0) for cost in layer_costs(package, counted(package))] == [
        replace(cost, estimated=0) for cost in costs
    ]
