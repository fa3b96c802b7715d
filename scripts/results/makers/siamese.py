"""docs/results/siamese.json: whether two handwritten digits are the same, by a Siamese network, and its graph in RTL.

DIGITS names `digits.csv.gz`, as for digits.json. A row per seed; each form is measured on the same pairs of test
images, half of them of one digit: the float network with the threshold that is best for them, the graph with its
own, which is the best for pairs of validation images.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from results.makers import digits
from results.record import Metric, TableRow
from results.runs import RUNS, data
from results.small_networks import in_rtl, publish, shares
from sterna.graph import Conv, Graph, file, pairs
from sterna.train import train
from sterna.train.data.class_folders import open_classes
from sterna.train.report import distances
from sterna.vision.prepare import to_integers

SEEDS, FEATURES = (0,), 16
#: Pairs of each kind that are computed in RTL.
IN_RTL = 2


def main() -> int:
    """Train, measure and write; 1 and nothing written if a map differs."""
    folder = RUNS / "siamese"
    shutil.rmtree(folder, ignore_errors=True)
    digits.to_folders(data("DIGITS"), folder / "images")
    return publish("siamese", partial(row_of, folder), SEEDS, metrics, "make results-siamese DIGITS=FILE")


def row_of(folder: Path, seed: int) -> TableRow:
    """Accuracy of the forms, and the graph on the engine."""
    options = digits.options(folder, seed, "siamese", features=FEATURES)
    trained = train(options)
    accuracy = {form: round(each["accuracy"], 4) for form, each in trained.summary["accuracy"].items()}
    graph = file.load(trained.graph)
    images = open_classes(options)
    test, chosen = distances.read(images.test)
    shown = np.r_[:IN_RTL, -IN_RTL:0]
    both = (to_integers(test[side[shown]]) for side in chosen[:2])
    return {
        "seed": seed,
        "images": f"{len(images.train)} / {len(images.val)} / {len(images.test)}",
        "pairs": len(chosen.first),
        "density_ternary": round(density_of(graph, trained.summary["layers"]), 3),
        "float": accuracy["float"],
        "integer": accuracy["integer"],
        "threshold": graph.metadata["threshold"],
        **in_rtl(graph, pairs.together(*both)),
    }


def density_of(graph: Graph, layers: Mapping[str, Mapping[str, Any]]) -> float:
    """The share of nonzero weights in the ternary layers of `graph`, which are those of `layers` with a rho."""
    ternary = {name for name, each in layers.items() if each["rho"] is not None}
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv) and layer.name in ternary]
    return sum(np.count_nonzero(each) for each in weights) / sum(each.size for each in weights)


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Means over the seeds."""
    what = {
        "float": "float network, from which the ternary one starts",
        "integer": f"integer graph, density {digits.DENSITY} of its ternary layers",
    }
    told = {name: f"Pairs of handwritten digits that are told right: {text}" for name, text in what.items()}
    method = (
        f"resnet8 with {FEATURES} features, images of 8x8 pixels scaled to 28x28; share of the pairs of test images, "
        "half of them of one digit; of the float network, the best threshold for them, and of the graph, its own, from "
        "validation images"
    )
    return shares(rows, told, method)


if __name__ == "__main__":
    sys.exit(main())
