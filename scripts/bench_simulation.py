"""How fast the simulated engine runs: builds it, runs one frame of a model, prints cycles and additions per second.

The speed of the simulation depends on how the RTL is written; this shows when a change to it costs or gains.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import typer

from sterna.compile import compile_graph
from sterna.graph import file as graph_file
from sterna.run import open_backend
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT


def main(
    config: Annotated[str, typer.Option(help="Name of the engine config.")] = "nano",
    graph: Annotated[Path, typer.Option(help="Graph file.")] = ROOT / "models" / "demo-nano.sterna-graph",
) -> None:
    """Measure the simulation of one frame of a random image."""
    engine = load_config(config)
    package = compile_graph(graph_file.load(graph), engine)
    shape = package.graph.info[package.graph.input.name].shape
    image = np.random.default_rng(1).integers(-128, 128, (1, *shape)).astype(np.int8)
    start = perf_counter()
    with open_backend("sim:") as backend:
        backend.load(package)
        built = perf_counter() - start
        start = perf_counter()
        backend.infer(image)
        ran = perf_counter() - start
        counters = backend.counters()
    assert counters is not None
    additions = counters.busy * engine.lanes
    print(f"config {config}, {engine.all_pes} PEs of {engine.lanes} lanes")
    print(f"build or cache      {built:10.1f} s")
    print(f"frame               {counters.cycles:10} cycles, {ran:.2f} s")
    print(f"speed               {counters.cycles / ran:10.3g} cycles/s, {additions / ran:.3g} lane additions/s")


if __name__ == "__main__":
    typer.run(main)
