"""docs/results/hls.json: the demo's network in C simulations of its projects of high-level synthesis."""

from __future__ import annotations

import sys
from contextlib import closing
from importlib.metadata import version
from time import process_time, time

import sterna
from results.record import Metric, TableRow, write
from sterna.generate.hls.backend import CSimulation
from sterna.generate.hls.cycles import cycles
from sterna.generate.hls.layers import nodes_of
from sterna.graph import Graph, reference
from sterna.run.compare import compare_results
from support.hls_cases import FORMS, compared, random_case

MODEL, SCENE = "demo-nano", 7
SEED, RANDOM_GRAPHS = 100, 30


def row_of(graph: Graph, tool: str, io: str) -> TableRow:
    """One project of the demo's network, with the seconds of g++ and of a frame."""
    image = sterna.prepare(graph, sterna.scene(SCENE))
    start = time()
    with closing(CSimulation(graph, list(graph.info), tool, io)) as simulation:
        built, before = time() - start, process_time()
        found = simulation.run(image)
        frame = process_time() - before
    equal = compare_results(reference.execute(graph, image), found, list(graph.info)).equal_layers
    estimate = cycles(nodes_of(graph).nodes, io)
    return {
        "backend": tool, "io": io, "maps": len(equal), "maps_equal": sum(equal.values()),
        "compile_seconds": round(built, 1), "frame_seconds": round(frame, 2),
        "estimated_cycles": estimate.alone, "estimated_cycles_queued": estimate.queued,
    }  # fmt: skip


def random_equal() -> int:
    """Random graphs of which every map is equal, each by one of the forms in turn."""
    cases = [(random_case(SEED + seed), FORMS[seed % len(FORMS)]) for seed in range(RANDOM_GRAPHS)]
    return sum(compared(case, *form).equal for case, form in cases)


def main() -> int:
    """Measure and write; 1 and nothing written if a map differs."""
    graph = sterna.load(MODEL)
    assert isinstance(graph, Graph)
    rows = [row_of(graph, *form) for form in FORMS]
    equal = random_equal()
    if any(row["maps"] != row["maps_equal"] for row in rows) or equal != RANDOM_GRAPHS:
        print(f"error: maps differ: {rows}; random graphs equal: {equal} of {RANDOM_GRAPHS}", file=sys.stderr)
        return 1
    metrics = {
        "equal": Metric(
            what="Every map of every C simulation equals the reference", value=True, unit="",
            method=f"{MODEL} by hls4ml {version('hls4ml')} and g++, bit for bit; compile_seconds are those of the "
            "whole build, frame_seconds of one thread; cycles are estimated by a formula, nothing was synthesised",
        ),
        "random_graphs": Metric(
            what="Random graphs of which every map is equal", value=equal, unit="",
            method=f"of {RANDOM_GRAPHS}, each by one of the tools and forms in turn",
        ),
    }  # fmt: skip
    write("hls", metrics, command="make results-hls", seed=SEED, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
