"""docs/results/skeleton.json: movements of generated skeletons, told by the network `skeleton`, and its graph in RTL.

The skeletons are generated from a seed, not recorded of people. A row per seed, which is that of the training as well;
each form is measured on the same movements, which are not trained on.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np

from results.record import Metric, TableRow, write
from results.runs import RUNS
from sterna.compile import compile_graph
from sterna.graph import Graph, file
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from sterna.train import train
from sterna.train.data import Dataset, skeletons
from sterna.train.data.class_folders import open_classes
from sterna.train.options import parse
from sterna.vision.prepare import to_integers
from support.engines import simulated

CONFIG, SEEDS, DENSITY = "nano", (0,), 0.2
#: Movements of each class.
COUNTS = {"train": 200, "val": 40, "test": 100}
STAGES = {"float_epochs": 12, "ternary_epochs": 10, "quantised_epochs": 2, "integer_epochs": 2}
IN_RTL = 4


def main() -> int:
    """Generate, train, measure and write; 1 and nothing written if a map differs."""
    folder = RUNS / "skeleton"
    shutil.rmtree(folder, ignore_errors=True)
    rows = []
    for seed in SEEDS:
        rows.append(row_of(folder, seed))
        print(rows[-1], flush=True)
    if not all(row["equal"] for row in rows):
        print("error: a map differs from the reference", file=sys.stderr)
        return 1
    write("skeleton", metrics(rows), command="make results-skeleton", config=CONFIG, rows=rows)
    return 0


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
    return {
        "seed": seed,
        "classes": len(trained.summary["classes"]),
        "movements": f"{len(images.train)} / {len(images.val)} / {len(images.test)}",
        "density": round(trained.summary["density"], 3),
        "float": accuracy["float"],
        "integer": accuracy["integer"],
        "cycles": compile_graph(graph, load_config(CONFIG)).schedule.queued_cycles,
        **compared(graph, images.test),
    }


def compared(graph: Graph, images: Dataset) -> TableRow:
    """The maps of `graph` in RTL, beside those of the reference, for movements of several classes."""
    config = load_config(CONFIG)
    chosen = np.linspace(0, len(images) - 1, IN_RTL).astype(int).tolist()
    shown = to_integers(np.stack([images[index].image for index in chosen]))
    package = compile_graph(graph, config, trace=True)
    with simulated(config) as engine, open_backend("reference:") as reference:
        found = compare_backends(reference, engine, package, shown)
    return {"layers": len(found.layers), "movements_in_rtl": len(shown), "equal": found.equal}


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Means over the seeds."""
    what = {"float": "float network", "integer": f"integer graph, density {DENSITY}"}
    made = {
        name: Metric(
            what=f"Accuracy on movements of generated skeletons: {text}",
            value=round(100 * float(np.mean([float(row[name]) for row in rows])), 2), unit="%",
            method="network skeleton, 64 frames of 20 joints with noise; class of the highest score, share of the test "
            f"movements, mean over seeds 0 .. {len(rows) - 1}",
        )
        for name, text in what.items()
    }  # fmt: skip
    return made | {
        "equal": Metric(
            what="Every map of the graph equals the reference in RTL", value=all(row["equal"] for row in rows),
            unit="", method=f"{rows[0]['movements_in_rtl']} movements on the simulated engine of config {CONFIG}",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
