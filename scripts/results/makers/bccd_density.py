"""docs/results/bccd_density.json and docs/bccd_density.png: precision by density and pattern, on BCCD, three seeds."""

from __future__ import annotations

import sys
from statistics import mean

from matplotlib import pyplot as plt

from results.record import ROOT, Figure, TableRow, write
from results.runs import bccd, summary
from sterna.cli.guard import guarded
from sterna.train.evaluate import METHOD
from sterna.train.quantisers import Pattern

SEEDS = (0, 1, 2)
DENSITIES = (0.30, 0.20, 0.15, 0.10)
GOAL = (0.15, Pattern.BALANCED)
PICTURE = ROOT / "docs" / "bccd_density.png"


def main() -> None:
    """For each seed one float network, and from it a ternary one for each density and pattern."""
    rows = [row for seed in SEEDS for row in _of_seed(seed)]
    at_goal = [row for row in rows if (row["density"], row["pattern"]) == GOAL]
    lost = [_number(row, "float_map50") - _number(row, "integer_map50") for row in at_goal]
    apart = max(abs(_number(row, "ternary_map50") - _number(row, "integer_map50")) for row in rows)
    figures = {
        "float_map50": Figure(
            what="Float network: mAP on the 72 test pictures, mean of 3 seeds",
            value=round(mean(_number(row, "float_map50") for row in at_goal), 4), unit="", method=METHOD,
        ),
    } | {
        f"integer_{pattern}_{density}": Figure(
            what=f"Integer network, density {density} {pattern}: mAP, mean of {len(SEEDS)} seeds",
            value=_mean(rows, density, pattern), unit="", method=METHOD,
        )
        for pattern in Pattern
        for density in DENSITIES
    } | {
        "lost": Figure(
            what="Points of mAP less than float at density 0.15 balanced, integer, mean of 3 seeds",
            value=round(100 * mean(lost), 2), unit="", method="difference of the means, times 100",
        ),
        "lost_most": Figure(
            what="The same, worst seed", value=round(100 * max(lost), 2), unit="", method="times 100",
        ),
        "apart": Figure(
            what="Points of mAP between ternary and integer form, at most",
            value=round(100 * apart, 2), unit="", method="float against integer arithmetic of the same weights",
        ),
    }  # fmt: skip
    write("bccd_density", figures, command="make results-bccd_density BCCD=FOLDER", rows=rows)
    draw(rows)


def _of_seed(seed: int) -> list[TableRow]:
    rows: list[TableRow] = []
    first = bccd(f"bccd/float-{seed}", seed=seed, ternary_epochs=0, integer_epochs=0, quantised_epochs=1)
    for pattern in Pattern:
        for density in DENSITIES:
            folder = bccd(f"bccd/{pattern}-{density}-{seed}", seed=seed, start=first, density=density, pattern=pattern)
            rows.append(
                {"seed": seed, "density": density, "pattern": pattern.value}
                | {f"{form}_map50": round(found["map50"], 4) for form, found in summary(folder)["precision"].items()}
            )
    return rows


def draw(rows: list[TableRow]) -> None:
    """Precision against density as PICTURE: the integer networks of all seeds, their means, and the float network's."""
    figure, axes = plt.subplots(figsize=(7, 4), constrained_layout=True)
    axes.axhline(mean(_number(row, "float_map50") for row in rows), color="black", ls="--", lw=1, label="float, mean")
    for pattern, colour in zip(Pattern, ("tab:blue", "tab:orange"), strict=True):
        mine = [row for row in rows if row["pattern"] == pattern]
        axes.plot([row["density"] for row in mine], [row["integer_map50"] for row in mine], ".", color=colour)
        means = [_mean(rows, density, pattern) for density in DENSITIES]
        axes.plot(DENSITIES, means, color=colour, label=f"integer, {pattern}, mean of {len(SEEDS)} seeds")
    axes.set(xlabel="density of the weights", ylabel="mAP50 on BCCD's test pictures", ylim=(0.75, 0.95))
    axes.legend()
    figure.savefig(PICTURE, dpi=110)


def _mean(rows: list[TableRow], density: float, pattern: Pattern) -> float:
    same = [row for row in rows if (row["density"], row["pattern"]) == (density, pattern)]
    return round(mean(_number(row, "integer_map50") for row in same), 4)


def _number(row: TableRow, name: str) -> float:
    value = row[name]
    assert isinstance(value, float)
    return value


if __name__ == "__main__":
    sys.exit(guarded(main))
