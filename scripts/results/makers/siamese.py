"""docs/results/siamese.json: whether two handwritten digits are the same, by a Siamese network, and its graph in RTL.

DIGITS names `digits.csv.gz`, as for digits.json. A row per seed; each form is measured on the same pairs of test
images, half of them of one digit, with the threshold that is best for pairs of validation images.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np

from results.makers import digits
from results.record import Metric, TableRow, write
from results.runs import RUNS, data
from sterna.compile import compile_graph
from sterna.graph import Graph, file, pairs
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from sterna.train.data import Dataset
from sterna.train.data.class_folders import open_classes
from sterna.train.pairs import PairOptions, kinds, some_pairs, train
from sterna.vision.prepare import to_integers
from support.engines import simulated

CONFIG, SEEDS = digits.CONFIG, (0,)
#: Pairs of test images, and how many of them of each kind are computed in RTL.
PAIRS, IN_RTL = 2000, 2


def main() -> int:
    """Train, measure and write; 1 and nothing written if a map differs."""
    folder = RUNS / "siamese"
    shutil.rmtree(folder, ignore_errors=True)
    digits.to_folders(data("DIGITS"), folder / "images")
    rows = []
    for seed in SEEDS:
        rows.append(row_of(folder, seed))
        print(rows[-1], flush=True)
    if not all(row["equal"] for row in rows):
        print("error: a map differs from the reference", file=sys.stderr)
        return 1
    write("siamese", metrics(rows), command="make results-siamese DIGITS=FILE", config=CONFIG, rows=rows)
    return 0


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
    return {
        "seed": seed,
        "images": f"{images['train']} / {images['val']} / {images['test']}",
        "pairs": trained.summary["pairs"],
        "density": round(trained.summary["density"], 3),
        "float": accuracy["float"],
        "integer": accuracy["integer"],
        "threshold": graph.metadata["threshold"],
        "cycles": compile_graph(graph, load_config(CONFIG)).schedule.queued_cycles,
        **compared(graph, open_classes(digits.options(folder, seed, "siamese")).test),
    }


def compared(graph: Graph, images: Dataset) -> TableRow:
    """The maps of `graph` in RTL, beside those of the reference, for some pairs of `images` of each kind."""
    config, chosen = load_config(CONFIG), some_pairs(kinds(images), 2 * IN_RTL, 0)
    both = [to_integers(np.stack([images[index].image for index in side])) for side in chosen[:2]]
    package = compile_graph(graph, config, trace=True)
    with simulated(config) as engine, open_backend("reference:") as reference:
        found = compare_backends(reference, engine, package, pairs.together(*both))
    return {"layers": len(found.layers), "pairs_in_rtl": len(chosen.first), "equal": found.equal}


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Means over the seeds."""
    what = {"float": "float network, from which the ternary one starts", "integer": "integer graph, density 0.2"}
    made = {
        name: Metric(
            what=f"Pairs of handwritten digits that are told right: {text}",
            value=round(100 * float(np.mean([float(row[name]) for row in rows])), 2), unit="%",
            method="resnet8 with 16 features, images of 8x8 pixels scaled to 28x28; share of the pairs of test images, "
            f"half of them of one digit, mean over seeds 0 .. {len(rows) - 1}; threshold from validation images",
        )
        for name, text in what.items()
    }  # fmt: skip
    return made | {
        "equal": Metric(
            what="Every map of the graph equals the reference in RTL", value=all(row["equal"] for row in rows),
            unit="", method=f"{rows[0]['pairs_in_rtl']} pairs on the simulated engine of config {CONFIG}",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
