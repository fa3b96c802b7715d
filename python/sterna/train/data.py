"""The pictures of a run: generated scenes or a Pascal VOC folder, in three splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sterna.train import voc
from sterna.train.frames import Dataset, Kept
from sterna.train.options import SCENES, TrainOptions
from sterna.train.scenes import SceneSet

VAL_SPLIT = "val"


@dataclass(frozen=True)
class Splits:
    """train to learn from, val to watch, test for the final figures."""

    train: Dataset
    val: Dataset
    test: Dataset


def open_data(options: TrainOptions) -> Splits:
    """The data that `options` name; raises SternaError for a folder that is not as Pascal VOC has it."""
    height, width = options.height, options.width
    if options.data == SCENES:
        counts = {"train": options.train_scenes, "val": options.val_scenes, "test": options.test_scenes}
        return Splits(**{name: Kept(SceneSet(options.seed, name, counts[name], height, width)) for name in counts})
    folder = Path(options.data)
    train = Kept(voc.VocSet(folder, options.train_split, height, width))
    watched = VAL_SPLIT if VAL_SPLIT in voc.splits(folder) else options.test_split
    val, test = (
        Kept(voc.VocSet(folder, split, height, width, train.classes)) for split in (watched, options.test_split)
    )
    return Splits(train, val, test)
