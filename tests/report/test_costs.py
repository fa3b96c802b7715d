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


def test_additions_are_the_work_of_each_lane_and_cycle(package: Package) -> None:
    second = next(cost for cost in layer_costs(package, counted(package)) if cost.name == "second")
    nonzeros = np.count_nonzero(next(layer for layer in package.graph.layers if layer.name == "second").weights)
    _, height, width = package.graph.info["second"].shape
    assert second.additions == nonzeros * height * width / (second.cycles * package.config.all_lanes)
    assert second.density == density(package.graph, ["second"])


def test_the_cycles_of_all_pes_add_up(package: Package) -> None:
    count = package.config.all_pes
    steps = [StepCounters(100, 20 * count, 5 * count, 10 * count, 15 * count) for _ in package.schedule.steps]
    second = next(cost for cost in layer_costs(package, steps) if cost.name == "second")
    assert (second.busy, second.lost) == (0.2, pytest.approx((0.05, 0.1, 0.15, 0.5)))
    assert cost_cells(second)[COST_TITLES.index("busy") :][:5] == ("20.0%", "5.0%", "10.0%", "15.0%", "50.0%")


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
