"""docs/results/bccd_nano.json: yolov2-nano trained on BCCD, whose folder `make results-bccd_nano BCCD=...` names."""

from __future__ import annotations

import shutil
import sys
from time import monotonic

from results.bccd import RUNS, data
from results.record import Figure, write
from sterna.cli.guard import guarded
from sterna.train import train
from sterna.train.quantisers import Pattern
from sterna.train.recipes import bccd

RUN = RUNS / "bccd_nano"
COMMAND = "make results-bccd_nano BCCD=FOLDER"
FORMS = {"float": "Float network", "ternary": "Ternary network", "integer": "Integer reference"}


def main() -> None:
    """Train from nothing, and write."""
    folder = data()
    shutil.rmtree(RUN, ignore_errors=True)
    options = bccd(folder, RUN, density=0.28, pattern=Pattern.UNSTRUCTURED)
    start = monotonic()
    summary = train(options).summary
    minutes = (monotonic() - start) / 60
    pictures = summary["pictures"]
    figures = {
        f"{form}_map50": Figure(
            what=f"{name}: mAP on the {pictures} test pictures", value=round(summary["precision"][form]["map50"], 4),
            unit="",
            method=summary["method"],
        )
        for form, name in FORMS.items()
    } | {
        "density": Figure(
            what="Density of the weights", value=round(summary["density"], 4), unit="",
            method="nonzero weights / weights, all layers",
        ),
        "weights": Figure(what="Weights", value=summary["weights"], unit="", method="count"),
        "minutes": Figure(
            what="Training and evaluation", value=round(minutes, 1), unit="min",
            method=f"wall clock, {options.threads} training thread(s)",
        ),
    }  # fmt: skip
    write("bccd_nano", figures, command=COMMAND, seed=options.seed)


if __name__ == "__main__":
    sys.exit(guarded(main))
