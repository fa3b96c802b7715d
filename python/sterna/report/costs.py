"""The cost of each layer on the engine, next to the compiler's estimate: rows for tables and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from sterna.graph import Conv, Graph
from sterna.package.counters import StepCounters
from sterna.package.package import Package, StepInfo
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Op

#: Columns of the table; those after "busy" are the causes of the rest.
COST_TITLES = (
    "layer", "shape", "density", "cycles", "estimated", "additions", "busy", "vectors", "weights", "drain", "rest",
    "equal",
)  # fmt: skip


@dataclass(frozen=True)
class LayerCost:
    """The steps of one operation of the engine; transfers to memory are one row together."""

    #: The layers that it covers; of a CONV the last one names the map that it makes.
    layers: tuple[str, ...]
    op: str
    #: Channels, height, width of the map; None for transfers.
    shape: tuple[int, int, int] | None
    #: Nonzero weights / weights; None where there are none.
    density: float | None
    cycles: int
    #: None if the package does not tell its cycles.
    estimated: int | None
    #: Additions on pixels that exist / lanes and cycles: a lane makes up to four in a cycle; None for transfers.
    additions: float | None
    #: Operations / PEs and cycles; None for transfers.
    busy: float | None
    #: Where the rest went, as shares of the same: waiting for vectors, for weights, for the drain, and all else (rounds
    #: in which not every PE has an operation, the time between steps); None for transfers.
    lost: tuple[float, float, float, float] | None
    #: Whether the map equals the reference's; None if it was not compared.
    equal: bool | None

    @property
    def name(self) -> str:
        """What the row is about."""
        if self.op == Op.CONV.name:
            return " + ".join(self.layers)
        return f"{self.op.lower()} {self.layers[0] if len(self.layers) == 1 else f'{len(self.layers)} layers'}"


def layer_costs(
    package: Package, counted: Sequence[StepCounters], equal: Mapping[str, bool] | None = None
) -> list[LayerCost]:
    """A row for each operation in the order of the tape, then one for all stores; only steps that were counted.

    equal: by stored layer, whether its map equals the reference's.
    """
    groups: dict[object, list[tuple[StepInfo, StepCounters]]] = {}
    for step, counters in zip(package.schedule.steps, counted, strict=False):
        key = step.layers if step.op == Op.CONV.name else step.op
        groups.setdefault(key, []).append((step, counters))
    in_order = sorted(groups.values(), key=lambda steps: steps[0][0].op == Op.STORE.name)
    return [_cost(package, steps, equal or {}) for steps in in_order]


def _cost(package: Package, steps: list[tuple[StepInfo, StepCounters]], compared: Mapping[str, bool]) -> LayerCost:
    first, _ = steps[0]
    compute = first.op == Op.CONV.name
    layers = tuple(dict.fromkeys(layer for step, _ in steps for layer in step.layers))
    cycles = sum(counters.cycles for _, counters in steps)
    work = sum(step.lane_work for step, _ in steps)
    shares = _shares(package.config, cycles, [counters for _, counters in steps]) if compute else None
    equal = [compared[layer] for layer in layers if layer in compared]
    return LayerCost(
        layers=layers,
        op=first.op,
        shape=package.graph.info[layers[-1]].shape if compute else None,
        density=density(package.graph, layers) if compute else None,
        cycles=cycles,
        estimated=sum(step.cycles for step, _ in steps) if package.schedule.timed else None,
        additions=work / max(1, cycles * package.config.all_lanes) if compute else None,
        busy=shares[0] if shares else None,
        lost=(*shares[1:], 1 - sum(shares)) if shares else None,
        equal=all(equal) if compute and equal else None,
    )


def _shares(config: EngineConfig, cycles: int, counted: list[StepCounters]) -> tuple[float, float, float, float]:
    """Of all PEs' cycles: with an operation, and waiting for vectors, for weights, for the drain."""
    room = max(1, cycles * config.all_pes)
    busy, vectors, weights, drain = (
        sum(getattr(counters, name) for counters in counted) / room
        for name in ("busy", "wait_vectors", "wait_weights", "wait_drain")
    )
    return busy, vectors, weights, drain


def density(graph: Graph, layers: Sequence[str] | None = None) -> float | None:
    """Nonzero weights / weights of `layers`, or of the whole graph; None if they have no weights."""
    weights = [
        layer.weights for layer in graph.layers if isinstance(layer, Conv) and (layers is None or layer.name in layers)
    ]
    if not weights:
        return None
    return float(sum(np.count_nonzero(each) for each in weights) / sum(each.size for each in weights))


def cost_table(costs: Sequence[LayerCost]) -> Table:
    """`costs` as a table with a row of sums."""
    compared = any(cost.equal is not None for cost in costs)
    table = Table(caption="Steps overlap: some PEs work on the next one, so shares may add up to more than 100%")
    table.add_column("layer", no_wrap=True)
    for title in (*COST_TITLES[1:-1], *(COST_TITLES[-1:] if compared else [])):
        table.add_column(title, justify="right")
    for cost in costs:
        table.add_row(*cost_cells(cost)[: len(table.columns)])
    table.add_section()
    estimates = [cost.estimated for cost in costs if cost.estimated is not None]
    table.add_row("sum", "", "", f"{sum(cost.cycles for cost in costs):,}", _number(sum(estimates) or None))
    return table


def cost_cells(cost: LayerCost) -> tuple[str, ...]:
    """A row of the table as text, by `COST_TITLES`."""
    shape = "" if cost.shape is None else "x".join(map(str, cost.shape))
    equal = {None: "", True: "yes", False: "NO"}[cost.equal]
    return (
        cost.name,
        shape,
        _share(cost.density),
        f"{cost.cycles:,}",
        _number(cost.estimated),
        "" if cost.additions is None else f"{cost.additions:.2f}",
        _share(cost.busy),
        *map(_share, cost.lost or (None,) * 4),
        equal,
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
