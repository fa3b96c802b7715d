"""docs/results/corruptions.json: networks in all forms on images made worse, and under attack, on BCCD."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from results.density import FLOAT_ONLY
from results.record import Metric, TableRow, write
from results.runs import bccd
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.train.evaluation import Evaluation, Wanted
from sterna.train.report import robustness
from sterna.train.report.evaluate import METHOD
from sterna.train.report.report import Comparison

DENSITIES = (0.15, 0.05)
FLOAT, TERNARY, INTEGER = "float", "ternary", "integer"
#: Of the attack whose precisions are metrics: 2 of 255 levels.
SEVERITY = 2


def main() -> None:
    """Train a float network and from it ternary ones, and measure each in all forms."""
    first = bccd("corruptions/float", **FLOAT_ONLY)
    measured = {
        density: _measured(bccd(f"corruptions/ternary-{density}", start=first, density=density))
        for density in DENSITIES
    }
    write(
        "corruptions", metrics(measured), command="make results-corruptions BCCD=FOLDER", seed=0, rows=rows(measured)
    )  # fmt: skip


def _measured(folder: Path) -> Comparison:
    """All forms of the run in `folder` on its test images."""
    evaluation = Evaluation.of(folder)
    dataset = evaluation.images(Wanted(), Console(quiet=True))
    with bar(folder.name) as show:
        found = evaluation.corrupted(evaluation.measure(dataset, show), dataset, show)
    assert isinstance(found, Comparison)
    return found


def rows(measured: Mapping[float, Comparison]) -> list[TableRow]:
    """A row for the images as they are, one for each hardship, and one for the mean over the corruptions."""
    first = next(iter(measured.values()))
    plain = _row("none", "", {density: _plain(found) for density, found in measured.items()})
    hard = [
        _row(
            f"{each.kind} {each.severity}", each.amount, {d: found.hardships[n].map50 for d, found in measured.items()}
        )
        for n, each in enumerate(first.hardships)
    ]
    means = {density: robustness.means(found.hardships) for density, found in measured.items()}
    return [plain, *hard, _row("mean", "without attacks", means)]


def _row(kind: str, amount: str, map50: Mapping[float, Mapping[str, float]]) -> TableRow:
    """The float network is the same in all runs."""
    columns: TableRow = {"images": kind, "amount": amount, "float": round(next(iter(map50.values()))[FLOAT], 4)}
    for density, found in map50.items():
        columns |= {f"{form}_{density}": round(found[form], 4) for form in (TERNARY, INTEGER)}
    return columns


def metrics(measured: Mapping[float, Comparison]) -> dict[str, Metric]:
    """The share of mAP that corruptions and an attack leave, of the float network and of each integer one."""
    networks = {"float": (FLOAT, next(iter(measured.values())))} | {
        f"integer_{density}": (INTEGER, found) for density, found in measured.items()
    }
    made = {}
    for name, (form, found) in networks.items():
        title = f"{form.capitalize()} network" + f", density {name.partition('_')[2]}" * (form == INTEGER)
        plain = _plain(found)[form]
        attacked = next(each for each in found.hardships if (each.kind, each.severity) == (robustness.ATTACK, SEVERITY))
        made |= {
            f"{name}_map50": Metric(
                what=f"{title}: mAP on the {found.images} test images", value=round(plain, 4), unit="", method=METHOD,
            ),
            f"{name}_corrupted": Metric(
                what="The same, mean over corruptions", value=round(robustness.means(found.hardships)[form], 4),
                unit="", method=robustness.METHOD,
            ),
            f"{name}_attacked": Metric(
                what=f"The same under attack, {attacked.amount}", value=round(attacked.map50[form], 4), unit="",
                method=robustness.ATTACK_METHOD,
            ),
        }  # fmt: skip
    return made


def _plain(found: Comparison) -> dict[str, float]:
    return {form: each.map50 for form, each in found.precision.items()}


if __name__ == "__main__":
    sys.exit(guarded(main))
