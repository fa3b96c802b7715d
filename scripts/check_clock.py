"""The cycle model step by step: estimated and counted cycles and waits of a graph, frame alone and queued.

The model follows the RTL's state machines, so all numbers are equal until a module changes. The first step that differs
then shows by how much; the numbers to set right are in `python/sterna/compile/clock/timing.py`, or a state machine in a
file beside it. A graph is a file, `random:SEED`, or `yolov2:SIZE:DENSITY`.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Annotated

import numpy as np
import typer

from sterna.compile import compile_graph
from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.package.counters import Counters, StepCounters
from sterna.package.package import StepInfo
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from support.engines import count_frames, simulated
from support.network_graphs import random_network_graph
from support.random_graphs import random_graph

_FIELDS = tuple(StepCounters.__dataclass_fields__)
_DEFAULT = [str(ROOT / "models" / "demo-nano.sterna-graph")]


def main(
    graphs: Annotated[list[str] | None, typer.Argument(help="Files, random:SEED or yolov2:SIZE:DENSITY.")] = None,
    config: Annotated[str, typer.Option(help="Name of the engine config, or FILE.yaml:NAME.")] = "nano",
    every: Annotated[bool, typer.Option(help="Show the steps that are equal as well.")] = False,
) -> None:
    """Compare; exit code 1 if a number differs."""
    engine = load_config(config)
    equal = True
    with simulated(engine) as device:
        for name in graphs or _DEFAULT:
            package = compile_graph(_graph(name), engine)
            alone, queued = count_frames(device, package)
            steps = [(step, StepCounters.expected(step)) for step in package.schedule.steps]
            totals = [(sum(step.cycles for _, step in steps), alone.cycles)]
            totals += [(package.schedule.queued_cycles, queued.cycles)]
            _show_totals(name, totals)
            _show_steps(steps, alone, every)
            # What lies after the last step's end is of the frame alone and of no step.
            equal &= totals[1][0] == totals[1][1] and all(a == b for (_, a), b in zip(steps, alone.steps, strict=False))
    raise typer.Exit(not equal)


def _graph(name: str) -> Graph:
    kind, *values = name.split(":")
    if kind == "random":
        return random_graph(np.random.default_rng(int(values[0])), max_size=40, max_channels=40)
    if kind == "yolov2":
        side = int(values[0])
        return random_network_graph(np.random.default_rng(0), "yolov2", side, side, density=float(values[1]))
    return graph_file.load(ROOT / name)


def _show_totals(name: str, totals: list[tuple[int, int]]) -> None:
    for kind, (estimated, counted) in zip(("alone", "queued"), totals, strict=True):
        print(f"{name} {kind}: estimated {estimated:,}, counted {counted:,}: {estimated / counted - 1:+.2%}")


def _show_steps(steps: list[tuple[StepInfo, StepCounters]], counted: Counters, every: bool) -> None:
    rows = [row for row in zip(steps, counted.steps, strict=False) if every or row[0][1] != row[1]]
    if not rows:
        print("every step is equal")
        return
    print(f"{'':24}{'':6}" + "".join(f"{name:>22}" for name in _FIELDS))
    for (step, expected), count in rows:
        pairs = zip(astuple(expected), astuple(count), strict=True)
        print(f"{step.layers[-1]:24}{step.op:6}" + "".join(f"{a:>11,}{b:>11,}" for a, b in pairs))


if __name__ == "__main__":
    typer.run(main)
