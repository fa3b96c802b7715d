"""docs/results/yolov2_trained.json: full YOLOv2 trained on a GPU, float and ternary, and its speed on arria10."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from results import density
from results.density import Study, number
from results.makers.frame_arria10 import CONFIG, MHZ
from results.record import Metric, TableRow, write
from results.runs import BCCD, data, summary
from sterna.cli.guard import guarded
from sterna.compile import compile_graph
from sterna.graph import file
from sterna.spec.config import load_config
from sterna.train import recipes, run_folder

CASES = (("balanced", 0.15), ("balanced", 0.05))


def study() -> Study:
    """Full YOLOv2 on BCCD."""
    return Study("yolov2-BCCD", "BCCD", partial(recipes.yolov2, str(data(BCCD)), recipes.FEW_IMAGES), CASES)


def main() -> None:
    """A float network, and from it a longer trained one and a ternary one for each density."""
    found = list(density.runs(study()))
    rows = [row | speed(folder) for row, folder in found]
    measured = density.method(folder for _, folder in found)
    command = "make results-yolov2_trained BCCD=FOLDER"
    write("yolov2_trained", metrics(rows, measured), command=command, config=CONFIG, rows=rows)


def metrics(rows: list[TableRow], measured: str) -> dict[str, Metric]:
    """The worst of `rows`, whose precisions were `measured` so, in each respect."""
    points = [100 * (number(row, "float_longer_map50") - number(row, "integer_map50")) for row in rows]
    return {
        "lost_most": Metric(
            what="Points of mAP below float trained equally long, integer, at most", value=round(max(points), 2),
            unit="", method=measured,
        ),
        "least_fps": Metric(
            what="Frames per second at 240 MHz, at least",
            value=min(number(row, "frames_per_s_240mhz") for row in rows), unit="frames/s",
            method="cycle model of the compiler, frames queued, every weight as trained",
        ),
    }  # fmt: skip


def speed(folder: Path) -> TableRow:
    """Columns of the graph of the run in `folder`: its density, and the engine's cycles for queued frames."""
    package = compile_graph(file.load(folder / run_folder.GRAPH), load_config(CONFIG))
    cycles = package.schedule.queued_cycles
    return {
        "counted_density": round(float(summary(folder)["density"]), 4),
        "cycles": cycles,
        "frames_per_s_240mhz": round(MHZ * 1e6 / cycles, 1),
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
