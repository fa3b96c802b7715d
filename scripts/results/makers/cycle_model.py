"""docs/results/cycle_model.json: the compiler's cycle model against cycles counted in RTL simulation.

Rows: each step of full YOLOv2 on arria10, random graphs on nano, and single layers on nano whose density, image and
filters grow. docs/cycle_model.png shows the growth with a straight line fitted to each.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from results.record import ROOT, Metric, write
from sterna.compile import compile_graph
from sterna.graph import Conv, Graph, Input, Output, Requant
from sterna.package.counters import StepCounters
from sterna.package.package import Package, StepInfo
from sterna.run.backend import Backend
from sterna.spec.config import load_config
from support.engines import simulated
from support.network_graphs import random_network_graph
from support.random_graphs import random_graph

SEED, DENSITY, GRAPHS = 0, 0.15, 50
IMAGE = ROOT / "docs" / "cycle_model.png"


@dataclass(frozen=True)
class Sweep:
    """One layer with one property that grows: points (density, side of the image, filters) and the axis."""

    name: str
    points: tuple[tuple[float, int, int], ...]
    axis: int


SWEEPS = (
    Sweep("density", tuple((density, 25, 64) for density in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)), 0),
    Sweep("image pixels", tuple((0.2, side, 32) for side in (10, 20, 30, 40, 50, 60)), 1),
    Sweep("filters", tuple((0.2, 25, filters) for filters in (16, 32, 64, 96, 128, 192, 256)), 2),
)


def main() -> None:
    """Measure and write."""
    rows = [*_yolov2_rows()]
    with simulated(load_config("nano")) as nano:
        for seed in range(GRAPHS):
            graph = random_graph(np.random.default_rng(seed), max_size=40, max_channels=40)
            package = compile_graph(graph, load_config("nano"))
            rows.append(_row("random graph", f"graph {seed}", package, package.schedule.steps, _count(nano, package)))
            _show(rows[-1])
        fits = [_sweep(nano, sweep, rows) for sweep in SWEEPS]
    _draw(rows, fits)
    metrics = {
        "max_error": Metric(
            what="Largest error of the cycle model", value=max(abs(float(row["error"])) for row in rows), unit="",
            method=f"estimated / counted cycles, less one, over {len(rows)} rows",
        ),
        "max_wait_error": Metric(
            what="Largest error of a share of waiting cycles",
            value=max(float(row["wait_error"]) for row in rows), unit="",
            method="waiting for vectors, weights or drain / (PEs x cycles): estimated less counted share",
        ),
    } | {
        f"growth_{sweep.name.split()[0]}": Metric(
            what=f"Cycles of a layer by {sweep.name}: share explained by a straight line", value=round(fit[2], 4),
            unit="", method="R^2 of least squares over the counted cycles of the rows of this sweep",
        )
        for sweep, fit in zip(SWEEPS, fits, strict=True)
    }  # fmt: skip
    write("cycle_model", metrics, command="make results-cycle_model", config="arria10 and nano", seed=SEED, rows=rows)


def _count(engine: Backend, package: Package) -> Sequence[StepCounters]:
    """Counted cycles of each step, for a random image."""
    shape = package.graph.info[package.graph.input.name].shape
    image = np.random.default_rng(SEED).integers(-128, 128, (1, *shape)).astype(np.int8)
    engine.load(package)
    engine.infer(image)
    counters = engine.counters()
    assert counters is not None
    return counters.steps


def _yolov2_rows() -> list[dict[str, str | int | float]]:
    graph = random_network_graph(np.random.default_rng(SEED), "yolov2", 416, 416, density=DENSITY)
    package = compile_graph(graph, load_config("arria10"))
    with simulated(package.config) as engine:
        counted = _count(engine, package)
    rows = []
    for step, count in zip(package.schedule.steps, counted, strict=True):
        if step.op == "CONV":
            name = f"{step.layers[0]} part {step.part}" if step.part else step.layers[0]
            rows.append(_row("yolov2 step", name, package, [step], [count]))
            _show(rows[-1])
    rows.append(_row("yolov2 frame", "all", package, package.schedule.steps, counted))
    return rows


def _row(
    kind: str, name: str, package: Package, steps: Sequence[StepInfo], counted: Sequence[StepCounters]
) -> dict[str, str | int | float]:
    estimate, count = (max(1, sum(step.cycles for step in some)) for some in (steps, counted))

    def share(some: Sequence[StepInfo] | Sequence[StepCounters], wait: str, cycles: int) -> float:
        return float(sum(getattr(step, wait) for step in some) / (cycles * package.config.all_pes))

    waits = [
        abs(share(steps, wait, estimate) - share(counted, wait, count))
        for wait in ("wait_vectors", "wait_weights", "wait_drain")
    ]
    return {
        "kind": kind,
        "name": name,
        "estimated": estimate,
        "counted": count,
        "error": round(estimate / count - 1, 4),
        "wait_error": round(max(waits), 4),
    }


def _show(row: dict[str, str | int | float]) -> None:
    print(" ".join(map(str, row.values())), flush=True)


def _sweep(engine: Backend, sweep: Sweep, rows: list[dict[str, str | int | float]]) -> tuple[float, float, float]:
    """Slope, offset and R^2 of the counted cycles; the rows are added."""
    found = []
    for density, side, filters in sweep.points:
        package = compile_graph(_layer(density, side, filters), load_config("nano"))
        kind, name = f"one layer by {sweep.name}", f"{density} {side}x{side} {filters}"
        row = _row(kind, name, package, package.schedule.steps, _count(engine, package))
        rows.append(row)
        _show(row)
        found.append(row["counted"])
    x, y = _values(sweep), np.array(found, float)
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset), float(1 - ((slope * x + offset - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def _values(sweep: Sweep) -> NDArray[np.float64]:
    values = np.array([point[sweep.axis] for point in sweep.points], float)
    return values**2 if sweep.name == "image pixels" else values


def _layer(density: float, side: int, filters: int) -> Graph:
    rng = np.random.default_rng(SEED)
    weights = rng.choice([-1, 0, 1], (filters, 32, 3, 3), p=[density / 2, 1 - density, density / 2]).astype(np.int8)
    requant = Requant(np.full(filters, 1 << 12), np.zeros(filters, np.int64), 16, "leaky")
    layers = (
        Input("image", 32, side, side, 1.0, 0),
        Conv("conv", "image", weights, 1, (1, 1, 1, 1), requant, 1.0),
        Output("out", "conv"),
    )
    return Graph(layers, act_bits=8, acc_bits=20)


def _draw(rows: list[dict[str, str | int | float]], fits: list[tuple[float, float, float]]) -> None:
    figure, axes = plt.subplots(1, 4, figsize=(18, 4.2), constrained_layout=True)
    judged = [row for row in rows if not str(row["kind"]).startswith("one layer")]
    for kind in dict.fromkeys(row["kind"] for row in judged):
        mine = [row for row in judged if row["kind"] == kind]
        axes[0].loglog([row["counted"] for row in mine], [row["estimated"] for row in mine], "o", ms=4, label=kind)
    ends = [min(int(row["counted"]) for row in judged), max(int(row["counted"]) for row in judged)]
    axes[0].loglog(ends, ends, color="gray", lw=1)
    axes[0].set(xlabel="cycles counted in RTL simulation", ylabel="cycles by the model")
    axes[0].legend()
    for axis, sweep, (slope, offset, r2) in zip(axes[1:], SWEEPS, fits, strict=True):
        x = _values(sweep)
        mine = [row for row in rows if row["kind"] == f"one layer by {sweep.name}"]
        axis.plot(x, [row["counted"] for row in mine], "o", label="counted")
        axis.plot(x, [row["estimated"] for row in mine], "x", label="model")
        axis.plot(x, slope * x + offset, lw=1, label=f"{slope:.4g} x + {offset:.0f}, R² {r2:.4f}")
        axis.set(xlabel=sweep.name, ylabel="cycles of the frame")
        axis.legend()
    figure.savefig(IMAGE, dpi=90)


if __name__ == "__main__":
    sys.exit(main())
