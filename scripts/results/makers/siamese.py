"""docs/results/siamese.json: whether two handwritten digits are the same, by a Siamese network, and its graph in RTL.

DIGITS names `digits.csv.gz`, as for digits.json. A row per seed; each form is measured on the same pairs of test
images, half of them of one digit, with the threshold that is best for pairs of validation images.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np

from results.makers import digits
from results.record import Metric, TableRow
from results.runs import RUNS, data
from results.small_networks import in_rtl, publish, shares
from sterna.graph import file, pairs
from sterna.train.data.class_folders import open_classes
from sterna.train.pairs import PairOptions, kinds, some_pairs, train
from sterna.vision.prepare import to_integers

SEEDS = (0,)
#: Pairs of test images, and how many of them of each kind are computed in RTL.
PAIRS, IN_RTL = 2000, 2


def main() -> int:
    """Train, measure and write; 1 and nothing written if a map differs."""
    folder = RUNS / "siamese"
    shutil.rmtree(folder, ignore_errors=True)
    digits.to_folders(data("DIGITS"), folder / "images")
    return publish("siamese", partial(row_of, folder), SEEDS, metrics, "make results-siamese DIGITS=FILE")


def row_of(folder: Path, seed: int) -> TableRow:
    """Accuracy of the forms, and the graph on the engine."""
    trained = train(
        PairOptions(
            data=folder / "images", output=folder / f"siamese-{seed}", network="resnet8", seed=seed, batch=32, shift=2,
            density=digits.DENSITY, pairs=PAIRS, **digits.STAGES,
        )
    )  # fmt: skip
    accuracy = {form: round(each["accuracy"], 4) for form, each in trained.summary["accuracy"].items()}
    graph = file.load(trained.graph)
    images = trained.summary["images"]
    test = open_classes(digits.options(folder, seed, "siamese")).test
    chosen = some_pairs(kinds(test), 2 * IN_RTL, 0)
    both = (to_integers(np.stack([test[index].image for index in side])) for side in chosen[:2])
    return {
        "seed": seed,
        "images": f"{images['train']} / {images['val']} / {images['test']}",
        "pairs": trained.summary["pairs"],
        "density_ternary": round(trained.summary["density"], 3),
        "float": accuracy["float"],
        "integer": accuracy["integer"],
        "threshold": graph.metadata["threshold"],
        **in_rtl(graph, pairs.together(*both)),
    }


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Means over the seeds."""
    what = {
        "float": "float network, from which the ternary one starts",
        "integer": f"integer graph, density {digits.DENSITY} of its ternary layers",
    }
    told = {name: f"Pairs of handwritten digits that are told right: {text}" for name, text in what.items()}
    method = (
        "resnet8 with 16 features, images of 8x8 pixels scaled to 28x28; share of the pairs of test images, "
        "half of them of one digit, threshold from validation images"
    )
    return shares(rows, told, method)


if __name__ == "__main__":
    sys.exit(main())
