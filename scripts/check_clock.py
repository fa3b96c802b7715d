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
from sterna.run.device import Counters, Device, StepCounters
from sterna.run.package import Package, StepInfo
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from support.engines import infer_queued, simulated
from support.network_graphs import random_network_graph
from support.random_graphs import random_graph

_FIELDS = tuple(StepCounters.__dataclass_fields__)
_DEFAULT = [str(ROOT / "models" / "demo-nano.sterna-graph")]


def main(
    graphs: Annotated[list[str] | None, typer.Argument(help="Files, random:SEED or yolov2:SIZE:DENSITY.")] = None,
    config: Annotated[str, typer.Option(help="Name of the engine config, or FILE.yaml:NAME.")] = "nano",
    every: Annotated[bool, typer.Option(help="Show the steps that are equal as well.")] = False,
) -> None:
    """Compare."""
    engine = load_config(config)
    with simulated(engine) as device:
        for name in graphs or _DEFAULT:
            package = compile_graph(_graph(name), engine)
            alone, queued = _count(device, package)
            _show_total(f"{name} alone", sum(step.cycles for step in package.schedule.steps), alone)
            _show_total(f"{name} queued", package.schedule.queued_cycles, queued)
            _show_steps(package, alone, every)


def _graph(name: str) -> Graph:
    kind, *values = name.split(":")
    if kind == "random":
        return random_graph(np.random.default_rng(int(values[0])), max_size=40, max_channels=40)
    if kind == "yolov2":
        side = int(values[0])
        return random_network_graph(np.random.default_rng(0), "yolov2", side, side, density=float(values[1]))
    return graph_file.load(ROOT / name)


def _count(device: Device, package: Package) -> tuple[Counters, Counters]:
    """Counters of a frame alone, and of the second of three that are queued."""
    shape = package.graph.info[package.graph.input.name].shape
    images = np.random.default_rng(0).integers(-128, 128, (3, *shape)).astype(np.int8)
    device.load(package)
    device.infer(images[:1])
    alone = device.counters()
    assert alone is not None
    return alone, infer_queued(device, images)[1]


def _show_total(name: str, estimated: int, counters: Counters) -> None:
    counted = counters.cycles
    print(f"{name}: estimated {estimated:,}, counted {counted:,}: {estimated / counted - 1:+.2%}")


def _show_steps(package: Package, counted: Counters, every: bool) -> None:
    print(f"{'':24}{'':6}" + "".join(f"{name:>22}" for name in _FIELDS))
    for step, count in zip(package.schedule.steps, counted.steps, strict=False):
        if every or _numbers(step) != astuple(count):
            pairs = zip(_numbers(step), astuple(count), strict=True)
            print(f"{step.layers[-1]:24}{step.op:6}" + "".join(f"{a:>11,}{b:>11,}" for a, b in pairs))


def _numbers(step: StepInfo) -> tuple[int, ...]:
    return tuple(getattr(step, name) for name in _FIELDS)


if __name__ == "__main__":
    typer.run(main)
