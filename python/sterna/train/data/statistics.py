"""Counts what a data set holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sterna.train.data.frames import SMALLEST_SIDE, Dataset
from sterna.train.data.labelled import LabelledSet
from sterna.train.data.summary import Summary

ALWAYS = ("images", "without objects")  # rows that a table always has, even with zeros
SMALL, LARGE = 32, 96  # sides of squares in pixels, below and from whose area COCO calls an object small and large


@dataclass(frozen=True)
class Statistics:
    """Counts of a data set at the size of its frames.

    images, and of them those without an object: empty. boxes: objects by class, those that are not learnt included.
    small, medium, large: objects by area as COCO divides them. Not learnt are: thin, objects with a side under
    SMALLEST_SIDE pixels; difficult and crowd, objects that the data set marks so. left_out: objects of other classes.
    """

    images: int
    empty: int
    boxes: dict[str, int]
    small: int
    medium: int
    large: int
    thin: int
    difficult: int
    crowd: int
    left_out: int

    def rows(self) -> dict[str, int]:
        """The counts that a table shows, by what they count."""
        return {
            "images": self.images,
            "without objects": self.empty,
            **self.boxes,
            f"objects below {SMALL}² pixels": self.small,
            f"objects of {SMALL}² to {LARGE}² pixels": self.medium,
            f"objects above {LARGE}² pixels": self.large,
            f"thinner than {SMALLEST_SIDE:.0f} pixels": self.thin,
            "difficult": self.difficult,
            "crowd": self.crowd,
            "of other classes, left out": self.left_out,
        }

    @property
    def warnings(self) -> list[str]:
        """Notes before training, a line each."""
        missing = ", ".join(name for name, count in self.boxes.items() if not count)
        notes = {
            f"objects thinner than {SMALLEST_SIDE:.0f} pixels: not trained on, but counted in evaluation": self.thin,
            "objects of classes not in --classes, left out": self.left_out,
            "classes without an object": missing,
        }
        return [f"{note}: {value}" for note, value in notes.items() if value]


def check(dataset: Dataset) -> Statistics:
    """Count what `dataset` holds. Reads no image of a folder, whose headers were checked when it was opened."""
    labels = [dataset.labels(index) for index in range(len(dataset))]
    boxes = np.concatenate([found.boxes for found in labels])
    kinds = np.bincount(np.concatenate([found.classes for found in labels]), minlength=len(dataset.classes))
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return Statistics(
        images=len(labels),
        empty=sum(not len(found.boxes) for found in labels),
        boxes=dict(zip(dataset.classes, kinds.tolist(), strict=True)),
        small=int((area < SMALL**2).sum()),
        medium=int(((area >= SMALL**2) & (area < LARGE**2)).sum()),
        large=int((area >= LARGE**2).sum()),
        thin=int(sum(found.thin.sum() for found in labels)),
        difficult=int(sum(found.difficult.sum() for found in labels)),
        crowd=int(sum(found.crowd.sum() for found in labels)),
        left_out=dataset.left_out if isinstance(dataset, LabelledSet) else 0,
    )


def object_sizes(dataset: Dataset) -> NDArray[np.float32]:
    """Widths and heights [N, 2] in pixels of all objects that are learnt, as anchors are chosen from."""
    labels = (dataset.labels(index) for index in range(len(dataset)))
    return np.concatenate([(found.boxes[:, 2:] - found.boxes[:, :2])[found.learnt] for found in labels])


def show(
    console: Console, sets: Mapping[str, Dataset], summaries: Mapping[str, Summary], size: tuple[int, int]
) -> None:
    """Print what some splits hold at `size`, height and width, and what reading them met, side by side; then a line for
    each thing to know."""
    found = {split: check(data) for split, data in sets.items()}
    console.print(table(found, summaries, f"Data at {size[0]}x{size[1]}"))
    splits: dict[str, list[str]] = {}
    for split in found:
        for line in [*found[split].warnings, *(summaries[split].warnings if split in summaries else ())]:
            splits.setdefault(line, []).append(split)
    for line, of in splits.items():
        console.print(f"warning: {', '.join(of)}: {line}", markup=False, highlight=False, soft_wrap=True)


def table(splits: Mapping[str, Statistics], summaries: Mapping[str, Summary], title: str) -> Table:
    """The counts of some splits side by side; what no split has takes no row."""
    shown = Table("", title=title)
    for split in splits:
        shown.add_column(split, justify="right")
    counts = [found.rows() | (summaries[split].rows() if split in summaries else {}) for split, found in splits.items()]
    for name in dict.fromkeys(name for found in counts for name in found):
        row = [found.get(name, 0) for found in counts]
        if any(row) or name in ALWAYS:
            shown.add_row(name, *(f"{count:,}" for count in row))
    return shown
