"""docs/results/yolov2_compile.json: full YOLOv2 with random ternary weights, compiled for config arria10."""

from __future__ import annotations

import resource
from time import monotonic

import numpy as np

from results.record import Metric, write
from sterna.compile import compile_graph
from sterna.spec.config import load_config
from support.network_graphs import random_network_graph

SEED, SIZE, DENSITY, CONFIG = 0, 416, 0.2, "arria10"


def main() -> None:
    """Measure and write."""
    graph = random_network_graph(np.random.default_rng(SEED), "yolov2", SIZE, SIZE, density=DENSITY)
    start = monotonic()
    package = compile_graph(graph, load_config(CONFIG))
    seconds = monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    what = f"YOLOv2 at {SIZE}x{SIZE}, density {DENSITY}"
    metrics = {
        "seconds": Metric(what=f"Compile {what}", value=round(seconds, 1), unit="s", method="wall clock"),
        "memory": Metric(
            what="Memory for that", value=round(peak / 1e9, 2), unit="GB", method="peak resident size of the process"
        ),
        "tape": Metric(what="Tape", value=round(len(package.tape) / 1e6, 2), unit="MB", method="size in bytes"),
        "cycles": Metric(
            what="Clock cycles from one frame to the next, estimated", value=package.schedule.queued_cycles, unit="",
            method="the compiler's cycle model, not simulated",
        ),
    }  # fmt: skip
    write("yolov2_compile", metrics, command="make results-yolov2_compile", config=CONFIG, seed=SEED)


if __name__ == "__main__":
    main()
