"""Results of small networks that answer with a class: a row per seed, shares of right answers, and maps in RTL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from results.record import Metric, TableRow, write
from sterna.compile import compile_graph
from sterna.graph import Graph
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from support.engines import simulated

#: Of the engine on which each graph runs.
CONFIG = "nano"


def publish(
    name: str,
    row_of: Callable[[int], TableRow],
    seeds: Sequence[int],
    metrics: Callable[[list[TableRow]], dict[str, Metric]],
    command: str,
) -> int:
    """Write docs/results/NAME.json with a row for each seed; 1 and nothing written if a map differs."""
    rows = []
    for seed in seeds:
        rows.append(row_of(seed))
        print(rows[-1], flush=True)
    if not all(row["equal"] for row in rows):
        print("error: a map differs from the reference", file=sys.stderr)
        return 1
    write(name, metrics(rows), command=command, config=CONFIG, rows=rows)
    return 0


def in_rtl(graph: Graph, images: NDArray[np.int8]) -> TableRow:
    """Cycles of a queued frame, and the maps of `images` in RTL beside those of the reference."""
    config = load_config(CONFIG)
    package = compile_graph(graph, config, trace=True, cycles=False)
    with simulated(config) as engine, open_backend("reference:") as reference:
        found = compare_backends(reference, engine, package, images)
    cycles = compile_graph(graph, config).schedule.queued_cycles
    return {"cycles": cycles, "layers": len(found.layers), "images_in_rtl": len(images), "equal": found.equal}


def shares(rows: Sequence[TableRow], what: Mapping[str, str], method: str) -> dict[str, Metric]:
    """Means over the seeds of the columns of `what` is told, and whether all maps are equal."""
    method = f"{method}, mean over seeds 0 .. {len(rows) - 1}"
    made = {
        name: Metric(
            what=text, value=round(100 * float(np.mean([float(row[name]) for row in rows])), 2), unit="%", method=method
        )
        for name, text in what.items()
    }  # fmt: skip
    return made | {
        "equal": Metric(
            what="Every map of the graph equals the reference in RTL", value=all(row["equal"] for row in rows),
            unit="", method=f"{rows[0]['images_in_rtl']} images on the simulated engine of config {CONFIG}",
        ),
    }  # fmt: skip
