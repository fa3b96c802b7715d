"""docs/results/yolov2_trained.json: full YOLOv2 trained on a GPU, float and ternary, and its speed on arria10.

One of the graphs is kept as MODEL.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

from results.makers.frame_arria10 import CLOCK, CONFIG
from results.record import Figure, TableRow, write
from results.runs import data, run, summary
from sterna.cli.guard import guarded
from sterna.compile import compile_graph
from sterna.graph import file
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from sterna.train import recipes, run_folder
from sterna.train.data import SCENES
from sterna.train.evaluate import METHOD

DENSITIES = (0.15, 0.1)
MODEL, KEPT = ROOT / "models" / "yolov2-scenes.sterna-graph", (SCENES, 0.15)


def main() -> None:
    """For each data set a float network, and from it a ternary one for each density."""
    rows: list[TableRow] = []
    devices: set[str] = set()
    for name, source in (("BCCD", str(data())), (SCENES, SCENES)):
        start: dict[str, Any] = {}
        for density in DENSITIES:
            folder = run(f"yolov2/{name}-{density}", partial(recipes.yolov2, source, density=density, **start))
            start = {"start": folder}  # its float weights
            if (name, density) == KEPT:
                shutil.copyfile(folder / run_folder.GRAPH, MODEL)
            found = summary(folder)
            devices.add(found["device"])
            rows.append({"data": name, "density": density, "pattern": "balanced", **_figures(folder, found)})
    most = max(float(row["float_map50"]) - float(row["integer_map50"]) for row in rows)
    figures = {
        "lost_most": Figure(
            what="Points of mAP less than float, integer, at most", value=round(100 * most, 2), unit="", method=METHOD
        ),
        "least_fps": Figure(
            what="Frames a second at 240 MHz, at least", value=min(float(row["frames_per_s_240mhz"]) for row in rows),
            unit="frames/s", method="cycle model of the compiler, frames queued, every weight as trained",
        ),
        "device": Figure(what="Trained on", value=", ".join(sorted(devices)), unit="", method="as the runs say"),
    }  # fmt: skip
    write(
        "yolov2_trained", figures, command="make results-yolov2_trained BCCD=FOLDER", config=CONFIG, seed=0, rows=rows
    )


def _figures(folder: Path, found: dict[str, Any]) -> TableRow:
    package = compile_graph(file.load(folder / run_folder.GRAPH), load_config(CONFIG))
    cycles = package.schedule.queued_cycles
    return {
        **{f"{form}_map50": round(precision["map50"], 4) for form, precision in found["precision"].items()},
        "cycles": cycles,
        "frames_per_s_240mhz": round(CLOCK / cycles, 1),
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
