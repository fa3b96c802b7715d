"""What each layer cost on the engine, beside what the compiler expected: rows for tables and reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from sterna.graph import Conv
from sterna.run.device import StepCounters
from sterna.run.package import Package, StepInfo
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Op


@dataclass(frozen=True)
class LayerCost:
    """The steps of one operation of the engine; `layer` names the graph layers that it covers."""

    layer: str
    #: Channels, height, width of the map that it makes.
    shape: tuple[int, int, int]
    #: Nonzero weights / weights; None where there are none.
    density: float | None
    cycles: int
    estimated: int
    #: Additions on pixels that exist / additions that all lanes could have made in `cycles`; None for transfers.
    lanes_busy: float | None


def layer_costs(package: Package, counted: Sequence[StepCounters]) -> list[LayerCost]:
    """A row for each operation, in the order of the tape; steps that the engine did not count are left out."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[StepInfo, StepCounters]]] = {}
    for step, counters in zip(package.schedule.steps, counted, strict=False):
        groups.setdefault((step.op, step.layers), []).append((step, counters))
    return [_cost(package, op, layers, steps) for (op, layers), steps in groups.items()]


def _cost(
    package: Package, op: str, layers: tuple[str, ...], steps: list[tuple[StepInfo, StepCounters]]
) -> LayerCost:
    compute = op == Op.CONV.name
    name = " + ".join(layers)
    cycles = sum(counters.cycles for _, counters in steps)
    work = sum(step.lane_work for step, _ in steps)
    return LayerCost(
        layer=name if compute else f"{op} {name}",
        shape=package.graph.info[layers[-1]].shape,
        density=_density(package, layers) if compute else None,
        cycles=cycles,
        estimated=sum(step.cycles for step, _ in steps),
        lanes_busy=work / max(1, cycles * engine_lanes(package.config)) if compute else None,
    )


def engine_lanes(config: EngineConfig) -> int:
    """Lanes of all units: the additions that the engine can make in a cycle."""
    return config.lanes * config.units * config.clusters


def _density(package: Package, layers: tuple[str, ...]) -> float | None:
    weights = [layer.weights for layer in package.graph.layers if layer.name in layers and isinstance(layer, Conv)]
    if not weights:
        return None
    return sum(np.count_nonzero(each) for each in weights) / sum(each.size for each in weights)


def cost_table(costs: Sequence[LayerCost], extra: dict[str, Sequence[str]] | None = None) -> Table:
    """`costs` as a table with a line of sums; `extra` columns by title have an entry for each cost."""
    table = Table("layer")
    for title in ("shape", "density", "cycles", "estimated", "lanes busy", *(extra or {})):
        table.add_column(title, justify="right")
    for index, cost in enumerate(costs):
        table.add_row(
            cost.layer,
            "x".join(map(str, cost.shape)),
            _share(cost.density),
            f"{cost.cycles:,}",
            f"{cost.estimated:,}",
            _share(cost.lanes_busy),
            *(column[index] for column in (extra or {}).values()),
        )
    table.add_section()
    total, estimated = sum(cost.cycles for cost in costs), sum(cost.estimated for cost in costs)
    table.add_row("sum", "", "", f"{total:,}", f"{estimated:,}", "")
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
