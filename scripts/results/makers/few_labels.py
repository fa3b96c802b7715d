"""docs/results/few_labels.json: a tenth of BCCD's labels, alone and with the other images unlabelled."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean

from results.record import Metric, TableRow, write
from results.runs import RUNS, SMALL, bccd, data, summary
from sterna.cli.guard import guarded
from sterna.train.report.evaluate import METHOD

SEEDS = (0, 1, 2)
LABELLED = 0.1
COLUMNS = ("labels_10", "labels_10_longer", "labels_10_and_unlabelled", "all_labels")
CHANGES = {"ternary_epochs": 0, "quantised_epochs": 1, "integer_epochs": 0, **SMALL}


def main() -> None:
    """For each seed a float network of a tenth of the labels; then as many steps again without and with the others."""
    rows: list[TableRow] = []
    for seed in SEEDS:
        alone = bccd(f"few/alone-{seed}", seed=seed, train_share=LABELLED, float_epochs=600, **CHANGES)
        taught = bccd(
            f"few/taught-{seed}", seed=seed, train_share=LABELLED, start=alone, unlabelled=_images(),
            unlabelled_epochs=30, **CHANGES,
        )  # fmt: skip
        whole = bccd(f"few/whole-{seed}", seed=seed, **CHANGES)
        longer = bccd(f"few/longer-{seed}", seed=seed, train_share=LABELLED, start=alone, float_epochs=750, **CHANGES)
        maps = [_float_map50(folder) for folder in (alone, longer, taught, whole)]
        rows.append({"seed": seed} | dict(zip(COLUMNS, maps, strict=True)))
    write("few_labels", metrics(rows), command="make results-few_labels BCCD=FOLDER", rows=rows)


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """The mean of each column."""
    return {
        name: Metric(what=what, value=round(mean(float(row[name]) for row in rows), 4), unit="", method=METHOD)
        for name, what in (
            ("labels_10", "Float network, 10 % of the labels: mAP, mean of 3 seeds"),
            ("labels_10_longer", "The same, trained for as many more steps as the next"),
            ("labels_10_and_unlabelled", "The same, and the other images without labels"),
            ("all_labels", "All labels"),
        )
    }


def _float_map50(folder: Path) -> float:
    return float(round(summary(folder)["precision"]["float"]["map50"], 4))


def _images() -> Path:
    """A folder of links to the training images, so that no test image is learnt from."""
    folder = RUNS / "few" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (data() / "ImageSets" / "Main" / "train.txt").read_text("utf-8").split():
        link = folder / f"{name}.jpg"
        if not link.is_symlink():
            link.symlink_to((data() / "JPEGImages" / link.name).resolve())
    return folder


if __name__ == "__main__":
    sys.exit(guarded(main))
