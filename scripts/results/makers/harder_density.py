"""docs/results/harder_density.json: precision by density where float is far from perfect: TollRoad and hard scenes."""

from __future__ import annotations

import sys
from functools import partial

from results import density
from results.density import Study
from results.record import write
from results.runs import TOLL_ROAD, data
from sterna.cli.guard import guarded
from sterna.train import recipes
from sterna.train.data import HARD_SCENES

CASES = (("balanced", 0.15), ("balanced", 0.05))


def studies() -> list[Study]:
    """The nano on TollRoad, three seeds, and on hard scenes."""
    return [
        Study("toll_road", "TollRoad", partial(recipes.harder, str(data(TOLL_ROAD))), CASES, (0, 1, 2)),
        Study("hard_scenes", HARD_SCENES, partial(recipes.harder, HARD_SCENES), CASES),
    ]


def main() -> None:
    """For each data set and seed a float network, and from it a longer trained one and ternary ones by density."""
    rows, metrics = [], {}
    for study in studies():
        found, folders = zip(*density.runs(study), strict=True)
        rows += found
        of_study = density.metrics(found, "the test images", density.method(folders))
        of_study |= density.lost(found, *CASES[0])
        metrics |= {
            f"{study.name}_{name}": metric.model_copy(update={"what": f"{study.data}. {metric.what}"})
            for name, metric in of_study.items()
        }
    write("harder_density", metrics, command="make results-harder_density TOLLROAD=FOLDER", rows=rows)


if __name__ == "__main__":
    sys.exit(guarded(main))
