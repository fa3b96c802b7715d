"""docs/results/skeleton.json: movements of generated skeletons, told by the network `skeleton`, and its graph in RTL.

The skeletons are generated from a seed, not recorded of people. A row per seed, which is that of the training as well;
each form is measured on the same movements, which are not trained on.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np

from results.record import Metric, TableRow
from results.runs import RUNS
from results.small_networks import in_rtl, publish, shares
from sterna.graph import file
from sterna.train import train
from sterna.train.data import skeletons
from sterna.train.data.class_folders import open_classes
from sterna.train.options import parse
from sterna.vision.prepare import to_integers

SEEDS, DENSITY = (0,), 0.2
#: Movements of each class.
COUNTS = {"train": 200, "val": 40, "test": 100}
STAGES = {"float_epochs": 12, "ternary_epochs": 10, "quantised_epochs": 2, "integer_epochs": 2}
IN_RTL = 4


def main() -> int:
    """Generate, train, measure and write; 1 and nothing written if a map differs."""
    folder = RUNS / "skeleton"
    shutil.rmtree(folder, ignore_errors=True)
    return publish("skeleton", partial(row_of, folder), SEEDS, metrics, "make results-skeleton")


def row_of(folder: Path, seed: int) -> TableRow:
    """Accuracy of the forms, and the graph on the engine."""
    data = folder / f"movements-{seed}"
    skeletons.generate(data, COUNTS, seed)
    options = parse(
        data=str(data), output=folder / f"run-{seed}", network="skeleton", height=skeletons.SIDE, width=skeletons.SIDE,
        seed=seed, batch=32, density=DENSITY, threads=1, **STAGES,
    )  # fmt: skip
    trained = train(options)
    accuracy = {form: round(each["top1"], 4) for form, each in trained.summary["accuracy"].items()}
    graph = file.load(trained.graph)
    images = open_classes(options, graph.input.channels)
    chosen = np.linspace(0, len(images.test) - 1, IN_RTL).astype(int).tolist()
    return {
        "seed": seed,
        "classes": len(trained.summary["classes"]),
        "movements": f"{len(images.train)} / {len(images.val)} / {len(images.test)}",
        "density": round(trained.summary["density"], 3),
        "float": accuracy["float"],
        "integer": accuracy["integer"],
        **in_rtl(graph, to_integers(np.stack([images.test[index].image for index in chosen]))),
    }


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Means over the seeds."""
    what = {
        "float": "float network, from which the ternary one starts",
        "integer": f"integer graph, density {DENSITY} of its ternary layers",
    }
    told = {name: f"Accuracy on movements of generated skeletons: {text}" for name, text in what.items()}
    method = (
        "network skeleton, 64 frames of 20 joints with noise; class of the highest score, share of the test movements"
    )
    return shares(rows, told, method)


if __name__ == "__main__":
    sys.exit(main())
