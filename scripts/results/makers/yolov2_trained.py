"""docs/results/yolov2_trained.json: full YOLOv2 on blood cells, a toll road and street scenes, trained on a GPU."""

from __future__ import annotations

import sys
from functools import partial

from results.density import Study
from results.full_yolov2 import CASES, record
from results.runs import BCCD, TOLL_ROAD, data
from sterna.cli.guard import guarded
from sterna.train import recipes
from sterna.train.data.options import SCENES


def main() -> None:
    """Train what is lacking, and write."""
    recipe, toll_road, bccd = recipes.yolov2, str(data(TOLL_ROAD)), str(data(BCCD))
    studies = [
        Study("yolov2-BCCD", "BCCD", partial(recipe, bccd, recipes.FEW_IMAGES), CASES, on_gpu=True),
        Study("yolov2-TollRoad", "TollRoad", partial(recipe, toll_road, recipes.THOUSAND_IMAGES), CASES, on_gpu=True),
        Study("yolov2-scenes", SCENES, partial(recipe, SCENES, recipes.MANY_IMAGES), CASES, on_gpu=True),
    ]
    record("yolov2_trained", studies, "make results-yolov2_trained BCCD=FOLDER TOLLROAD=FOLDER")


if __name__ == "__main__":
    sys.exit(guarded(main))
