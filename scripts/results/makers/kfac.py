"""docs/results/kfac.json, docs/kfac.png: steps of three optimisers to the precision of SGD; the time of a step."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any

import torch
from matplotlib import pyplot as plt

from results.record import ROOT, Metric, TableRow, write
from results.runs import RUNS, SMALL, bccd, data, summary
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.graph import networks
from sterna.graph.network import ANCHORS
from sterna.train import recipes
from sterna.train.data import open_data
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import collate
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim.optimisers import Optimiser
from sterna.train.report.evaluate import METHOD

SEEDS = (0, 1, 2)
#: Epochs of the trainings of a stage. In each the learning rate rises and falls once.
LENGTHS = {Form.FLOAT: (10, 20, 40, 60), Form.TERNARY: (8, 24)}
#: Highest learning rates of the two stages, the best that short runs found.
RATES = {Optimiser.SGD: (3e-3, 3e-3), Optimiser.ADAMW: (2e-3, 1.5e-3), Optimiser.KFAC: (0.1, 0.03)}
TIMED = 80  # steps; four inverse intervals of K-FAC
IMAGE = ROOT / "docs" / "kfac.png"


def main() -> None:
    """Train with each optimiser, length and seed, then time steps of the three in turn."""
    options = recipes.bccd(data(), Path("unused"), **SMALL)
    steps_of_epoch = len(open_data(options).train) // options.batch
    rows = [
        _row(form, optimiser, epochs, seed, epochs * steps_of_epoch)
        for form, lengths in LENGTHS.items()
        for optimiser in RATES
        for epochs in lengths
        for seed in SEEDS
    ]
    seconds = _seconds()
    metrics = {
        f"{prefix}{optimiser}_steps": _steps(rows, form, optimiser)
        for form, prefix in ((Form.FLOAT, ""), (Form.TERNARY, "ternary_"))
        for optimiser in RATES
    } | {
        f"{prefix}step_time_ratio": Metric(
            what=f"Time of a step with {optimiser}, relative to sgd",
            value=round(seconds[optimiser] / seconds[Optimiser.SGD], 3), unit="",
            method=f"processor time of {TIMED} float steps taken in turn, one thread",
        )
        for optimiser, prefix in ((Optimiser.KFAC, ""), (Optimiser.ADAMW, "adamw_"))
    }  # fmt: skip
    write("kfac", metrics, command="make results-kfac BCCD=FOLDER", rows=rows)
    draw(rows)


def _row(form: Form, optimiser: Optimiser, epochs: int, seed: int, steps: int) -> TableRow:
    """One training of a stage. Ternary ones all start from the float network that SGD trained longest."""
    float_rate, ternary_rate = RATES[optimiser]
    stages: dict[str, Any] = {"float_epochs": epochs, "ternary_epochs": 0}
    if form is Form.TERNARY:
        start = RUNS / _name(Form.FLOAT, Optimiser.SGD, LENGTHS[Form.FLOAT][-1], seed)
        stages = {"ternary_epochs": epochs, "start": start}
    folder = bccd(
        _name(form, optimiser, epochs, seed), seed=seed, optimiser=optimiser,
        float_rate=float_rate, ternary_rate=ternary_rate, quantised_epochs=1, integer_epochs=0, **SMALL, **stages,
    )  # fmt: skip
    return {
        "stage": form.value,
        "optimiser": optimiser.value,
        "steps": steps,
        "seed": seed,
        "map50": round(summary(folder)["map50_by_stage"][form.value], 4),
    }


def _name(form: Form, optimiser: Optimiser, epochs: int, seed: int) -> str:
    return f"kfac/{form}-{optimiser}-{epochs}-{seed}"


def _steps(rows: list[TableRow], form: Form, optimiser: Optimiser) -> Metric:
    """The steps of the shortest training with `optimiser` that reaches what the longest with SGD ends at."""
    lengths = _lengths(rows, form)
    wanted = _map50(rows, form, Optimiser.SGD, lengths[-1])
    enough = [steps for steps in lengths if _map50(rows, form, optimiser, steps) >= wanted]
    return Metric(
        what=f"Steps of the {form} stage with {optimiser} to mAP {wanted:.3f}, which SGD reaches after {lengths[-1]:,}",
        value=enough[0] if enough else f"more than {lengths[-1]:,}", unit="",
        method=f"shortest of {lengths} steps whose mean over {len(SEEDS)} seeds reaches it; {METHOD}",
    )  # fmt: skip


def _lengths(rows: list[TableRow], form: Form) -> list[int]:
    return sorted({int(row["steps"]) for row in rows if row["stage"] == form.value})


def _map50(rows: list[TableRow], form: Form, optimiser: Optimiser, steps: int) -> float:
    """Mean over the seeds."""
    wanted = (form.value, optimiser.value, steps)
    return mean(float(row["map50"]) for row in rows if (row["stage"], row["optimiser"], row["steps"]) == wanted)


def draw(rows: list[TableRow]) -> None:
    """Precision against steps as IMAGE: a part for each stage, dots for the seeds, lines through their means."""
    figure, parts = plt.subplots(1, len(LENGTHS), figsize=(9, 4), sharey=True, constrained_layout=True)
    for axes, form in zip(parts, LENGTHS, strict=True):
        steps = _lengths(rows, form)
        for optimiser, colour in zip(RATES, ("tab:blue", "tab:green", "tab:orange"), strict=True):
            mine = [row for row in rows if (row["stage"], row["optimiser"]) == (form.value, optimiser.value)]
            axes.plot([row["steps"] for row in mine], [row["map50"] for row in mine], ".", color=colour)
            means = [_map50(rows, form, optimiser, each) for each in steps]
            axes.plot(steps, means, color=colour, label=optimiser.value)
        axes.set(xlabel="steps of the training", title=f"{form} stage")
    parts[0].set_ylabel("mAP50 on BCCD's test images")
    parts[0].legend()
    figure.savefig(IMAGE, dpi=110)


def _seconds() -> dict[Optimiser, float]:
    """Processor time of TIMED steps with each optimiser, in turn, so that they share what else the machine does."""
    torch.set_num_threads(1)
    options = recipes.bccd(data(), Path("unused"))
    described = networks.describe(options.network)
    train = open_data(options).train
    frames = [train[index] for index in range(options.batch)]
    anchors = [[1.0 + index, 1.0 + index] for index in range(ANCHORS)]
    batch = collate(frames, anchors, described.stride)
    learners = {}
    for optimiser in RATES:
        torch.manual_seed(0)
        network = Network(described, len(train.classes), Form.FLOAT).to(memory_format=torch.channels_last)
        learners[optimiser] = Learner(network, anchors, None, optimiser, options)
    spent = dict.fromkeys(learners, 0.0)
    with bar("steps") as show:
        for step in range(TIMED):
            for optimiser, learner in learners.items():
                began = process_time()
                learner.step([batch], RATES[optimiser][0] / 10)
                spent[optimiser] += process_time() - began
            show(step, TIMED, "")
    return spent


if __name__ == "__main__":
    sys.exit(guarded(main))
