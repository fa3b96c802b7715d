"""docs/results/bccd_density.json and docs/bccd_density.png: precision by density and pattern, on BCCD, three seeds."""

from __future__ import annotations

import sys

from results import density
from results.density import Study
from results.record import ROOT, write
from results.runs import BCCD, data
from sterna.cli.guard import guarded
from sterna.train import recipes

SEEDS = (0, 1, 2)
CASES = tuple(("unstructured", density) for density in (0.20, 0.15, 0.10)) + tuple(
    ("balanced", density) for density in (0.20, 0.15)
)
GOAL = ("balanced", 0.15)
PLOT = ROOT / "docs" / "bccd_density.png"


def study() -> Study:
    """The nano on BCCD."""
    return Study(
        "bccd", "BCCD", lambda folder, **changes: recipes.bccd(data(BCCD), folder, **changes),
        CASES, SEEDS,
    )  # fmt: skip


def main() -> None:
    """For each seed a float network, and from it a longer trained one and ternary ones by density and pattern."""
    rows, folders = zip(*density.runs(study()), strict=True)
    metrics = density.metrics(rows, "the 72 test images", density.method(folders)) | density.lost(rows, *GOAL)
    write("bccd_density", metrics, command="make results-bccd_density BCCD=FOLDER", rows=rows)
    density.draw(rows, PLOT, "yolov2-nano on BCCD")


if __name__ == "__main__":
    sys.exit(guarded(main))
