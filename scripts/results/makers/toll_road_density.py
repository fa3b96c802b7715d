"""docs/results/toll_road_density.json and its plot: precision by density on TollRoad, three seeds."""

from __future__ import annotations

import sys

from results import density
from results.density import Study
from results.record import ROOT, write
from results.runs import TOLL_ROAD, data
from sterna.cli.guard import guarded
from sterna.train import recipes
from sterna.train.quantisers import Pattern

SEEDS = (0, 1, 2)
DENSITIES = (0.30, 0.15, 0.05)
GOAL = (0.15, Pattern.BALANCED)
PLOT = ROOT / "docs" / "toll_road_density.png"


def study() -> Study:
    """The nano on TollRoad."""
    return Study(
        "toll_road", "TollRoad", lambda folder, **changes: recipes.toll_road(data(TOLL_ROAD), folder, **changes),
        DENSITIES, (Pattern.BALANCED,), SEEDS,
    )  # fmt: skip


def main() -> None:
    """For each seed a float network, and from it a longer trained one and a ternary one for each density."""
    rows = density.rows(study())
    figures = density.figures(rows, "the 361 test images") | density.lost(rows, *GOAL)
    write("toll_road_density", figures, command="make results-toll_road_density TOLLROAD=FOLDER", rows=rows)
    density.draw(rows, PLOT, "yolov2-nano on TollRoad")


if __name__ == "__main__":
    sys.exit(guarded(main))
