"""docs/results/digits.json: a residual network on handwritten digits, beside float, and its graph on an engine.

DIGITS names `digits.csv.gz`, which scikit-learn's package holds: 1,797 images of 8x8 pixels, from "Optical recognition
of handwritten digits" of the UCI repository. A row per seed, with a float network that was trained for as many epochs
as all stages together; each graph's maps of one test image are compared in RTL.
"""

from __future__ import annotations

import gzip
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from results.record import Metric, TableRow
from results.runs import RUNS, data
from results.small_networks import in_rtl, publish, shares
from sterna.graph import file
from sterna.train import TrainOptions, train
from sterna.train.data.class_folders import open_classes
from sterna.train.options import parse
from sterna.vision.prepare import to_integers

SEEDS, DENSITY = (0,), 0.2
#: Images to learn from and for validation; the others are test images.
TRAIN, VAL = 1200, 200
STAGES = {"float_epochs": 12, "ternary_epochs": 10, "quantised_epochs": 2, "integer_epochs": 2}
#: The float network gets as many epochs as all stages together; the last stage is not measured.
LONGER = {"float_epochs": sum(STAGES.values()), "ternary_epochs": 0, "quantised_epochs": 1, "integer_epochs": 0}


def main() -> int:
    """Train, measure and write; 1 and nothing written if a map differs."""
    folder = RUNS / "digits"
    shutil.rmtree(folder, ignore_errors=True)
    to_folders(data("DIGITS"), folder / "images")
    return publish("digits", partial(row_of, folder), SEEDS, metrics, "make results-digits DIGITS=FILE")


def to_folders(source: Path, folder: Path) -> None:
    """Write the images as a data set for classification, in three splits by a fixed seed."""
    with gzip.open(source, "rt") as text:
        rows = np.loadtxt(text, delimiter=",").astype(np.int64)
    for place, index in enumerate(np.random.default_rng(0).permutation(len(rows))):
        split = "train" if place < TRAIN else "val" if place < TRAIN + VAL else "test"
        pixels = np.minimum(16 * rows[index, :64].reshape(8, 8), 255).astype(np.uint8)
        path = folder / split / str(rows[index, 64]) / f"{index:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def options(folder: Path, seed: int, name: str, **changes: int) -> TrainOptions:
    """Those of a run in `folder`, with `changes`. Digits are moved by up to two of 28 pixels, and not varied else."""
    return parse(
        data=str(folder / "images"), output=folder / f"{name}-{seed}", network="resnet8", height=28, width=28,
        seed=seed, batch=32, density=DENSITY, threads=1, shift=2 / 28, mirror=0, zoom=1, stretch=1, exposure=1,
        saturation=1, hue=0, **STAGES | changes,
    )  # fmt: skip


def row_of(folder: Path, seed: int) -> TableRow:
    """Accuracy of the forms, and the graph on the engine."""
    chosen = options(folder, seed, "ternary")
    trained = train(chosen)
    longer = train(options(folder, seed, "float", **LONGER))
    accuracy = trained.summary["accuracy"]
    graph = file.load(trained.graph)
    images = open_classes(chosen)
    return {
        "seed": seed,
        "images": f"{len(images.train)} / {len(images.val)} / {len(images.test)}",
        "density": round(trained.summary["density"], 3),
        "float": round(accuracy["float"]["top1"], 4),
        "float_as_long": round(longer.summary["accuracy"]["float"]["top1"], 4),
        "integer": round(accuracy["integer"]["top1"], 4),
        **in_rtl(graph, to_integers(images.test[0].image[None])),
    }


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Means over the seeds."""
    what = {
        "float": "float network, from which the ternary one starts",
        "float_as_long": "float network, trained for as many epochs as all stages together",
        "integer": f"integer graph, density {DENSITY} of its ternary layers",
    }
    told = {name: f"Accuracy on handwritten digits: {text}" for name, text in what.items()}
    method = "resnet8, images of 8x8 pixels scaled to 28x28; class of the highest score, share of the test images"
    return shares(rows, told, method)


if __name__ == "__main__":
    sys.exit(main())
