"""Precision by density: from one float network a longer trained one, and ternary ones by density and pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from matplotlib import pyplot as plt

from results.record import Metric, TableRow
from results.runs import finished, origin, run, summary
from sterna.train.options import TrainOptions

#: A run whose float network alone is wanted: one epoch is needed for the ranges of its activations.
FLOAT_ONLY = {"ternary_epochs": 0, "quantised_epochs": 1, "integer_epochs": 0}
Recipe = Callable[..., TrainOptions]
#: What the row of a network that was not trained says in every column of a measured value.
NOT_TRAINED = "not trained"


@dataclass(frozen=True)
class Study:
    """What is trained: `recipe` of a run folder and changes, by seed, and by pattern and density.

    name: of its run folders under build/results. data: how a row calls the data set. on_gpu: without a GPU nothing of
    it is trained.
    """

    name: str
    data: str
    recipe: Recipe
    cases: Sequence[tuple[str, float]]
    seeds: Sequence[int] = (0,)
    on_gpu: bool = False

    def trainable(self) -> Study:
        """The study of those cases whose runs are finished or can be trained here."""
        able = torch.cuda.is_available() or not self.on_gpu
        return replace(self, cases=[case for case in self.cases if able or self._finished(*case)])

    def _finished(self, pattern: str, density: float) -> bool:
        names = (f"{name}-{seed}" for name in ("float", "longer", f"{pattern}-{density}") for seed in self.seeds)
        return all(finished(f"{self.name}/{name}") for name in names)


def untrained(study: Study, columns: Iterable[str]) -> list[TableRow]:
    """A row of `columns` for each seed and case of the study that was not trained."""
    trainable = study.trainable().cases
    cases = [(seed, *case) for seed in study.seeds for case in study.cases if case not in trainable]
    rest = dict.fromkeys(columns, NOT_TRAINED)
    return [
        rest | {"data": study.data, "seed": seed, "density": density, "pattern": pattern}
        for seed, pattern, density in cases
    ]  # fmt: skip


def runs(study: Study) -> Iterator[tuple[TableRow, Path]]:
    """A row for each ternary network of the study, and the folder of its run; what is not there is trained."""
    for seed in study.seeds if study.cases else ():
        first = _run(study, f"float-{seed}", seed=seed, **FLOAT_ONLY)
        epochs = further(study, first)
        longer = _run(study, f"longer-{seed}", seed=seed, start=first, float_epochs=epochs, **FLOAT_ONLY)
        for pattern, density in study.cases:
            name = f"{pattern}-{density}-{seed}"
            folder = _run(study, name, seed=seed, start=first, density=density, pattern=pattern)
            yield _row(study, seed, density, pattern, (first, longer, folder)), folder


def _run(study: Study, name: str, **changes: Any) -> Path:
    return run(f"{study.name}/{name}", lambda folder: study.recipe(folder, **changes))


def further(study: Study, first: Path) -> int:
    """Epochs that a ternary network is trained after its float one."""
    options = study.recipe(Path("unused"), start=first)
    return options.ternary_epochs + options.quantised_epochs + options.integer_epochs


def _row(study: Study, seed: int, density: float, pattern: str, folders: tuple[Path, Path, Path]) -> TableRow:
    first, longer, ternary = folders
    return {
        "data": study.data,
        "seed": seed,
        "density": density,
        "pattern": pattern,
        "float_map50": map50(first, "float"),
        "float_longer_map50": map50(longer, "float"),
        "ternary_map50": map50(ternary, "ternary"),
        "integer_map50": map50(ternary, "integer"),
        **origin(ternary),
    }


def map50(folder: Path, form: str) -> float:
    """mAP50 of a form of the run in `folder` on the test images."""
    return float(round(summary(folder)["precision"][form]["map50"], 4))


def number(row: TableRow, column: str) -> float:
    """The number in a column."""
    value = row[column]
    assert isinstance(value, int | float)
    return float(value)


def method(folders: Iterable[Path]) -> str:
    """How the runs in `folders` measured precision, as they say themselves."""
    return "; ".join(dict.fromkeys(str(summary(folder)["method"]) for folder in folders))


def metrics(table: Sequence[TableRow], images: str, measured: str) -> dict[str, Metric]:
    """Means over the seeds of `table`, the precisions on `images`, which were `measured` so."""
    count = len({row["seed"] for row in table})
    seeds = f"mean of {count} seeds" if count > 1 else "1 seed"
    found = {
        "float_map50": Metric(
            what=f"Float network: mAP on {images}, {seeds}", value=_mean(table, "float_map50"),
            unit="", method=measured,
        ),
        "float_longer_map50": Metric(
            what="The same, trained for as many more epochs as the ternary networks",
            value=_mean(table, "float_longer_map50"), unit="", method=measured,
        ),
    }  # fmt: skip
    for pattern, density in dict.fromkeys((str(row["pattern"]), number(row, "density")) for row in table):
        same = _of(table, density, pattern)
        found[f"integer_{pattern}_{density}"] = Metric(
            what=f"Integer network, density {density} {pattern}: mAP, {seeds}",
            value=_mean(same, "integer_map50"), unit="", method=measured,
        )  # fmt: skip
    apart = max(abs(number(row, "ternary_map50") - number(row, "integer_map50")) for row in table)
    found["apart"] = Metric(
        what="Points of mAP between ternary and integer form, at most",
        value=round(100 * apart, 2), unit="", method="float against integer arithmetic of the same weights",
    )  # fmt: skip
    return found


def lost(table: Sequence[TableRow], pattern: str, density: float) -> dict[str, Metric]:
    """How far the integer networks of a density and pattern are below the float ones that were trained equally long."""
    same = _of(table, density, pattern)
    points = [100 * (number(row, "float_longer_map50") - number(row, "integer_map50")) for row in same]
    return {
        "lost": Metric(
            what=f"Points of mAP below float trained equally long, density {density} {pattern}, integer, mean",
            value=round(mean(points), 2), unit="", method="difference of the means, times 100",
        ),
        "lost_most": Metric(
            what="The same, worst seed", value=round(max(points), 2), unit="", method="times 100"
        ),
    }  # fmt: skip


def _of(table: Sequence[TableRow], density: float, pattern: str) -> list[TableRow]:
    return [row for row in table if (row["density"], row["pattern"]) == (density, pattern)]


def _mean(table: Sequence[TableRow], column: str) -> float:
    return round(mean(number(row, column) for row in table), 4)


def draw(table: Sequence[TableRow], path: Path, title: str) -> None:
    """Precision against density as a plot: integer networks of all seeds, their means, and both float networks'."""
    plot, axes = plt.subplots(figsize=(7, 4), constrained_layout=True)
    for column, label, style in (("float_map50", "float", ":"), ("float_longer_map50", "float, trained as long", "--")):
        axes.axhline(_mean(table, column), color="black", ls=style, lw=1, label=f"{label}, mean")
    patterns = dict.fromkeys(str(row["pattern"]) for row in table)
    for pattern, colour in zip(patterns, ("tab:blue", "tab:orange"), strict=False):
        mine = [row for row in table if row["pattern"] == pattern]
        axes.plot([row["density"] for row in mine], [row["integer_map50"] for row in mine], ".", color=colour)
        densities = sorted({number(row, "density") for row in mine})
        means = [_mean(_of(table, density, pattern), "integer_map50") for density in densities]
        axes.plot(densities, means, color=colour, label=f"integer, {pattern}, mean")
    axes.set(xlabel="density of the weights", ylabel="mAP50 on the test images", title=title)
    axes.legend()
    plot.savefig(path, dpi=110)
    plt.close(plot)
