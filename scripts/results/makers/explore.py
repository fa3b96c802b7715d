"""docs/results/explore.json: engines that run full YOLOv2 at over 1,000 frames/s on a GX1150, the best by name.

Sizes and frames are estimates, from open synthesis and from the compiler's cycle model. docs/explore.png shows all of
them. What has been evaluated is kept, so an interrupted command continues where it stopped.
"""

from __future__ import annotations

import sys

import numpy as np

from results.record import ROOT, Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.estimate.engine import FULL
from sterna.estimate.explore import candidates, front, search
from sterna.estimate.plot import draw
from sterna.spec.config import load_config
from sterna.spec.fpga import load_fpga
from sterna.spec.paths import build_cache
from support.network_graphs import random_network_graph

SEED, SIDE, DENSITY = 0, 416, 0.15
BASE, FPGA, LEAST_FRAMES = "arria10", "gx1150", 1000.0
IMAGE = ROOT / "docs" / "explore.png"
METHOD = "sizes: open synthesis; frames: the compiler's cycle model, batch 1"


def main() -> None:
    """Search, draw and write."""
    fpga = load_fpga(FPGA)
    graph = random_network_graph(np.random.default_rng(SEED), "yolov2", SIDE, SIDE, density=DENSITY)
    configs = candidates(load_config(BASE), fpga)
    with bar("explore") as show:
        points = search(graph, load_config(BASE), fpga, LEAST_FRAMES, build_cache() / "explore", show)
    best = front(points)
    draw(points, best, fpga, LEAST_FRAMES, IMAGE)
    fitting = [point for point in points if point.fits(fpga)]
    rows: list[TableRow] = [
        {
            "engine": point.config.name,
            "memory_words": point.config.fm_words,
            "frames/s": round(point.frames(fpga), 1),
            "ALM": point.alms,
            "M20K": point.block_rams,
            "DSP": point.dsps,
            "fits": point.fits(fpga),
        }
        for point in best
    ]
    metrics = {
        "engines": Metric(what="Engines of the grid", value=len(configs), unit="", method="count"),
        "fast_enough": Metric(
            what=f"Of these, with at least {LEAST_FRAMES:,.0f} frames/s on YOLOv2-416, density {DENSITY}",
            value=len(points), unit="", method=METHOD,
        ),
        "fitting": Metric(
            what=f"Of these, with at most {FULL:.0%} of each resource of the {fpga.name}", value=len(fitting), unit="",
            method=METHOD,
        ),
        "fastest": Metric(
            what="Frames per second of the fastest that fits",
            value=round(max((point.frames(fpga) for point in fitting), default=0.0), 1), unit="frames/s",
            method=METHOD,
        ),
    }  # fmt: skip
    write("explore", metrics, command="make results-explore", config=BASE, seed=SEED, rows=rows)


if __name__ == "__main__":
    sys.exit(guarded(main))
