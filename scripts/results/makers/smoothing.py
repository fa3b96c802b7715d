"""docs/results/smoothing.json: mAP on test and training images, with and without noise on the weights, by batch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from results.density import FLOAT_ONLY
from results.record import Metric, TableRow, write
from results.runs import SMALL, bccd, data, log
from sterna.cli.guard import guarded
from sterna.train import recipes, run_folder
from sterna.train.data import Splits, open_data
from sterna.train.loop import forms
from sterna.train.optim.optimisers import Optimiser
from sterna.train.report.evaluate import METHOD, evaluate_network

EPOCHS = 50
#: All training images of BCCD in one step, and the batch of the recipe.
FULL, FEW = 205, 8


class Case(NamedTuple):
    """How a float network is trained."""

    optimiser: Optimiser
    batch: int
    rate: float
    smoothing: float = 0.0
    variational: float = 0.0

    @property
    def noise(self) -> str:
        """The noise in words."""
        if self.smoothing:
            return f"--smoothing {self.smoothing:g}"
        return f"--variational {self.variational:g}" if self.variational else "none"


CASES = (
    Case(Optimiser.ADAMW, FEW, 2e-3),
    Case(Optimiser.ADAMW, FULL, 3e-3),
    Case(Optimiser.ADAMW, FULL, 3e-3, smoothing=0.1),
    Case(Optimiser.KFAC, FULL, 0.3),
    Case(Optimiser.KFAC, FULL, 0.3, variational=1e-3),
)


def main() -> None:
    """Train in each way, then measure on the images that were learnt from as well."""
    splits = open_data(recipes.bccd(data(), Path("unused"), **SMALL), Console(quiet=True))
    rows = [_row(case, splits) for case in CASES]
    write("smoothing", metrics(rows), command="make results-smoothing BCCD=FOLDER", seed=0, rows=rows)


def _row(case: Case, splits: Splits) -> TableRow:
    folder = bccd(
        f"smoothing/{case.optimiser}-{case.batch}-{case.noise.replace(' ', '')}", optimiser=case.optimiser,
        batch=case.batch, float_rate=case.rate, smoothing=case.smoothing, variational=case.variational,
        float_epochs=EPOCHS, **FLOAT_ONLY, **SMALL,
    )  # fmt: skip
    trained = forms.load(folder / f"float{run_folder.SUFFIX}")
    learnt, test = (
        evaluate_network(trained.network, trained.anchors, part).map50 for part in (splits.train, splits.test)
    )  # fmt: skip
    last = [line for line in log(folder) if line["stage"] == "float"][-1]
    return row(case, sum(last[name] for name in ("box", "objectness", "classes")), learnt, test)


def row(case: Case, loss: float, learnt: float, test: float) -> TableRow:
    """A way to train: the loss of its last epoch, mAP50 on the images that were `learnt` from, and on `test` images."""
    return {
        "optimiser": case.optimiser.value,
        "batch": case.batch,
        "rate": case.rate,
        "noise": case.noise,
        "steps": EPOCHS * (FULL // case.batch),
        "training_loss": round(loss, 2),
        "training_map50": round(learnt, 4),
        "test_map50": round(test, 4),
        "gap": round(learnt - test, 4),
    }


def metrics(rows: Sequence[TableRow]) -> dict[str, Metric]:
    """The gap of each way between the two kinds of images."""
    return {
        f"{row['optimiser']}_{row['batch']}_{'plain' if row['noise'] == 'none' else 'noisy'}_gap": Metric(
            what=f"mAP on training images above that on test images: {row['optimiser']}, batch {row['batch']}, "
            f"noise {row['noise']}",
            value=row["gap"], unit="", method=METHOD,
        )
        for row in rows
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(guarded(main))
