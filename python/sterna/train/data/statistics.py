"""What a data set holds, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from sterna.train.data.frames import SMALLEST_SIDE, Dataset
from sterna.train.data.labelled import LabelledSet

SMALL, LARGE = 32**2, 96**2  # areas in pixels below and from which COCO calls an object small and large


@dataclass(frozen=True)
class Statistics:
    """Counts of a data set at the size of its frames.

    pictures, and of them those without an object: empty. boxes: objects by class, those that are not learnt included.
    small, medium, large: objects by area as COCO divides them. Not learnt are: thin, objects with a side under
    SMALLEST_SIDE pixels; difficult and crowd, objects that the data set marks so. left_out: objects of classes that
    are not asked for.
    """

    pictures: int
    empty: int
    boxes: dict[str, int]
    small: int
    medium: int
    large: int
    thin: int
    difficult: int
    crowd: int
    left_out: int

    @property
    def warnings(self) -> list[str]:
        """What a person should know before training, a line each."""
        missing = ", ".join(name for name, count in self.boxes.items() if not count)
        notes = {
            f"objects thinner than {SMALLEST_SIDE:.0f} pixels, not trained on, counted in evaluation": self.thin,
            "objects of classes that are not asked for, left out": self.left_out,
            "classes without an object": missing,
        }
        return [f"{note}: {value}" for note, value in notes.items() if value]


def check(dataset: Dataset) -> Statistics:
    """Count what `dataset` holds. Reads no picture of a folder, whose headers were checked when it was opened."""
    labels = [dataset.labels(index) for index in range(len(dataset))]
    boxes = np.concatenate([found.boxes for found in labels])
    kinds = np.bincount(np.concatenate([found.classes for found in labels]), minlength=len(dataset.classes))
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return Statistics(
        pictures=len(labels),
        empty=sum(not len(found.boxes) for found in labels),
        boxes=dict(zip(dataset.classes, kinds.tolist(), strict=True)),
        small=int((area < SMALL).sum()),
        medium=int(((area >= SMALL) & (area < LARGE)).sum()),
        large=int((area >= LARGE).sum()),
        thin=int(sum(found.thin.sum() for found in labels)),
        difficult=int(sum(found.difficult.sum() for found in labels)),
        crowd=int(sum(found.crowd.sum() for found in labels)),
        left_out=dataset.left_out if isinstance(dataset, LabelledSet) else 0,
    )


def object_sizes(dataset: Dataset) -> NDArray[np.float32]:
    """Widths and heights [N, 2] in pixels of all objects that are learnt, as anchors are chosen from."""
    labels = (dataset.labels(index) for index in range(len(dataset)))
    return np.concatenate([(found.boxes[:, 2:] - found.boxes[:, :2])[found.learnt] for found in labels])


def table(splits: Mapping[str, Statistics]) -> Table:
    """The counts of some splits side by side."""
    shown = Table("", title="Data")
    for split in splits:
        shown.add_column(split, justify="right")
    names = list(dict.fromkeys(name for found in splits.values() for name in found.boxes))
    rows = {
        "pictures": [found.pictures for found in splits.values()],
        "without objects": [found.empty for found in splits.values()],
        **{name: [found.boxes.get(name, 0) for found in splits.values()] for name in names},
        f"small, under {SMALL} pixels": [found.small for found in splits.values()],
        "medium": [found.medium for found in splits.values()],
        f"large, from {LARGE} pixels": [found.large for found in splits.values()],
        f"thinner than {SMALLEST_SIDE:.0f} pixels": [found.thin for found in splits.values()],
        "difficult": [found.difficult for found in splits.values()],
        "crowd": [found.crowd for found in splits.values()],
    }
    for name, counts in rows.items():
        shown.add_row(name, *(f"{count:,}" for count in counts))
    return shown
