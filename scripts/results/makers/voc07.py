"""docs/results/voc07.json: full YOLOv2 on the train and val images of Pascal VOC 2007, measured on its test images.

VOC names the folder VOC2007 of the challenge, with its lists of images trainval and test.
"""

from __future__ import annotations

import sys
from functools import partial

from results.density import Study
from results.full_yolov2 import CASES, record
from results.runs import VOC, data
from sterna.cli.guard import guarded
from sterna.train import recipes

SPLITS = {"train_split": "trainval", "val_split": "test", "test_split": "test"}


def main() -> None:
    """Train what is lacking, and write."""
    recipe = partial(recipes.yolov2, str(data(VOC)), recipes.MANY_IMAGES, **SPLITS)
    study = Study("yolov2-VOC07", "VOC 2007", recipe, CASES, on_gpu=True)
    record("voc07", [study], "make results-voc07 VOC=FOLDER")


if __name__ == "__main__":
    sys.exit(guarded(main))
