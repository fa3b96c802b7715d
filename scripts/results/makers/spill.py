"""docs/results/spill.json: networks whose maps do not fit arria10's feature memory, by the cycle model."""

from __future__ import annotations

import numpy as np

from results.clock import supported_mhz
from results.makers.frame_arria10 import CONFIG, MHZ
from results.record import Metric, TableRow, write
from sterna.cli.progress import bar
from sterna.compile import compile_graph
from sterna.estimate.performance import performance
from sterna.graph import Graph
from sterna.package.package import Package
from sterna.spec.config import load_config
from support.network_graphs import random_network_graph

SEED, DENSITY = 0, 0.15
#: Network, height, width, and words in which all maps fit, or 0.
CASES = (("yolov2", 608, 608, 16384), ("yolov2", 704, 1248, 0), ("yolov2-tiny", 720, 1280, 0))


def main() -> None:
    """Compile each on the config, and on one with more memory, and write."""
    rows = [row for case in CASES for row in rows_of(*case)]
    fps = next(row for row in rows if row["image"] == "608x608")
    metrics = {
        "fps_608": Metric(
            what="YOLOv2 at 608x608 on arria10, maps spill", value=fps["frames_per_s_240mhz"], unit="frames/s",
            method=f"cycle model, not simulated; frames queued, at an assumed {MHZ} MHz; random, density {DENSITY}",
        )
    }  # fmt: skip
    write("spill", metrics, command="make results-spill", config=CONFIG, seed=SEED, rows=rows)


def rows_of(network: str, height: int, width: int, roomy: int) -> list[TableRow]:
    """The row of a network on the config; with `roomy` also that on one with so many words, so that nothing spills."""
    graph = random_network_graph(np.random.default_rng(SEED), network, height, width, density=DENSITY)
    config = load_config(CONFIG)
    return [
        row(network, graph, _compiled(graph, words or config.fm_words))
        for words in ((0, roomy) if roomy else (0,))
    ]  # fmt: skip


def _compiled(graph: Graph, words: int) -> Package:
    with bar("compile") as show:
        return compile_graph(graph, load_config(CONFIG).model_copy(update={"fm_words": words}), progress=show)


def row(network: str, graph: Graph, package: Package) -> TableRow:
    """What the package needs."""
    needed, image = performance(package, MHZ), graph.info[graph.input.name]
    operations = len(package.plan.spreads)
    return {
        "network": network,
        "image": f"{image.width}x{image.height}",
        "fm_words": package.config.fm_words,
        "operations_by_bands": f"{len(package.plan.bands)} of {operations}",
        "scratch_MB": round(package.schedule.scratch_bytes / 1e6, 1),
        "tape_MB": round(len(package.tape) / 1e6, 1),
        "cycles_queued": needed.cycles,
        "MB_per_frame": round(needed.frame_traffic / 1e6, 1),
        "of_which_spilled": round(needed.spilled_bytes / 1e6, 1),
        "GB_per_s_240mhz": round(needed.bandwidth / 1e9, 1),
        "frames_per_s_240mhz": round(needed.frames, 1),
        "frames_per_s_supported_clock": round(performance(package, supported_mhz()).frames, 1),
    }


if __name__ == "__main__":
    main()
