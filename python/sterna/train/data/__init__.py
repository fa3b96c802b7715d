"""Labelled images: where they come from, how they vary, how they reach the training."""

from __future__ import annotations

from sterna.train.data.augment import augment
from sterna.train.data.frames import Dataset, Frame, Labels
from sterna.train.data.options import GENERATED, HARD_SCENES, SCENES, DataOptions, ReadOptions
from sterna.train.data.scenes import SPLITS, SceneSet
from sterna.train.data.splits import Splits, check_data, open_data, open_split
from sterna.train.data.statistics import Statistics, check
from sterna.train.data.stream import default_workers, frames

__all__ = [
    "GENERATED",
    "HARD_SCENES",
    "SCENES",
    "SPLITS",
    "DataOptions",
    "Dataset",
    "Frame",
    "Labels",
    "ReadOptions",
    "SceneSet",
    "Splits",
    "Statistics",
    "augment",
    "check",
    "check_data",
    "default_workers",
    "frames",
    "open_data",
    "open_split",
]
