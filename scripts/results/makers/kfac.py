"""docs/results/kfac.json: K-FAC in a third of the epochs of SGD and AdamW, on BCCD; the time of its step."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean
from time import process_time

import torch

from results.bccd import data, log, run, summary
from results.record import Figure, write
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.train import networks, recipes
from sterna.train.data import open_data
from sterna.train.data.loader import collate
from sterna.train.evaluate import METHOD
from sterna.train.history import total_loss
from sterna.train.learner import Learner
from sterna.train.networks import Form, Network
from sterna.train.optimisers import Optimiser

SEEDS = (0, 1, 2)
#: Epochs of the float and of the ternary stage.
WHOLE, THIRD = (60, 39), (20, 13)
EPOCHS = {Optimiser.SGD: WHOLE, Optimiser.ADAMW: WHOLE, Optimiser.KFAC: THIRD}
#: Highest learning rates of the two stages, the best that short runs found.
RATES = {Optimiser.SGD: (3e-3, 3e-3), Optimiser.ADAMW: (2e-3, 1.5e-3), Optimiser.KFAC: (0.1, 0.1)}
STEPS = 80  # timed; four inverse intervals of K-FAC
FORMS = ("float", "ternary")

Row = dict[str, bool | int | float | str]


def main() -> None:
    """Train with each optimiser and seed, then time steps of the three in turn."""
    rows = [_row(optimiser, seed) for optimiser in EPOCHS for seed in SEEDS]
    seconds = _seconds()
    figures = {
        f"{form}_{optimiser}": Figure(
            what=f"{form.capitalize()} network, {optimiser}, {_epochs(optimiser)} epochs: mAP, mean of 3 seeds",
            value=_mean(rows, optimiser, f"{form}_map50"), unit="", method=METHOD,
        )
        for form in FORMS
        for optimiser in EPOCHS
    } | {
        f"step_{optimiser}": Figure(
            what=f"Step with {optimiser} against one with sgd",
            value=round(seconds[optimiser] / seconds[Optimiser.SGD], 3), unit="",
            method=f"processor time of {STEPS} float steps taken in turn, one thread",
        )
        for optimiser in (Optimiser.ADAMW, Optimiser.KFAC)
    }  # fmt: skip
    write("kfac", figures, command="make results-kfac BCCD=FOLDER", rows=rows)


def _epochs(optimiser: Optimiser) -> str:
    return " + ".join(map(str, EPOCHS[optimiser]))


def _row(optimiser: Optimiser, seed: int) -> Row:
    """One run: the two stages, and an epoch in which activations learn their ranges."""
    (float_epochs, ternary_epochs), (float_rate, ternary_rate) = EPOCHS[optimiser], RATES[optimiser]
    folder = run(
        f"kfac/{optimiser}-{seed}", seed=seed, optimiser=optimiser, float_rate=float_rate, ternary_rate=ternary_rate,
        float_epochs=float_epochs, ternary_epochs=ternary_epochs, quantised_epochs=1, integer_epochs=0,
    )  # fmt: skip
    precision = summary(folder)["precision"]
    last = {line["stage"]: total_loss(line) for line in log(folder)}
    return (
        {"optimiser": optimiser.value, "seed": seed, "float_epochs": float_epochs, "ternary_epochs": ternary_epochs}
        | {f"{form}_loss": round(last[form], 2) for form in FORMS}
        | {f"{form}_map50": round(precision[form]["map50"], 4) for form in FORMS}
    )


def _mean(rows: list[Row], optimiser: Optimiser, name: str) -> float:
    return round(mean(float(row[name]) for row in rows if row["optimiser"] == optimiser.value), 4)


def _seconds() -> dict[Optimiser, float]:
    """Processor time of STEPS steps with each optimiser, in turn, so that they share what else the machine does."""
    torch.set_num_threads(1)
    options = recipes.bccd(data(), Path("unused"))
    layers = networks.describe(options.network)
    train = open_data(options).train
    frames = [train[index] for index in range(options.batch)]
    anchors = [[1.0 + index, 1.0 + index] for index in range(networks.ANCHORS)]
    batch = collate(frames, anchors, networks.stride(layers))
    learners = {}
    for optimiser in EPOCHS:
        torch.manual_seed(0)
        network = Network(layers, len(train.classes), Form.FLOAT).to(memory_format=torch.channels_last)
        learners[optimiser] = Learner(network, anchors, None, optimiser, options)
    spent = dict.fromkeys(learners, 0.0)
    with bar("steps") as show:
        for step in range(STEPS):
            for optimiser, learner in learners.items():
                began = process_time()
                learner.step([batch], RATES[optimiser][0] / 10)
                spent[optimiser] += process_time() - began
            show(step, STEPS, "")
    return spent


if __name__ == "__main__":
    sys.exit(guarded(main))
