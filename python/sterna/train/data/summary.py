"""What was found while a split of a data set was read, used or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sterna.train.data.formats.record import Record


@dataclass
class Summary:
    """Counts of one split, as its files have it: before classes are chosen and images resized.

    images and objects: that were read. without_labels: images with no label file, which are taken as background.
    unlabelled: images with no label file, left out in formats where background has one. without_image: label files
    with no image, which are not read. repeated: objects that a label file states again, counted once. left_out:
    numbers of objects by why they are left out. bad: a fault of each image that is left out as faulty. listed_again:
    entries of a list that name an image again. passed_over: files that are not read, by kind. notes: what else a
    person should know, with the number of images that it is about; 0: of none in particular.
    """

    images: int = 0
    objects: int = 0
    without_labels: list[Path] = field(default_factory=list)
    unlabelled: list[Path] = field(default_factory=list)
    without_image: list[Path] = field(default_factory=list)
    repeated: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    listed_again: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count a record."""
        self.images += 1
        self.objects += len(record.objects)
        self.repeated += record.repeated
        self.left_out.update(record.left_out)
        self.notes.update(record.notes)
        if not record.labelled:
            self.without_labels.append(record.image)

    def rows(self) -> dict[str, int]:
        """The counts that a table shows, by what they count."""
        return {
            "without a label file, taken as background": len(self.without_labels),
            "without a label file, left out": len(self.unlabelled),
            "label files without an image": len(self.without_image),
            "repeated objects, counted once": self.repeated,
            "listed again": self.listed_again,
            "faulty images, left out": len(self.bad),
            **{f"objects left out: {why}": count for why, count in self.left_out.items()},
            **{f"files ignored: {kind}": count for kind, count in sorted(self.passed_over.items())},
        }

    @property
    def warnings(self) -> list[str]:
        """Notes besides the counts, a line each."""
        lines = [
            *(f"left out: {fault}" for fault in self.bad),
            *(f"{note}{_counted(count)}" for note, count in self.notes.items()),
        ]
        for what, paths in (
            ("images without a label file, taken as background", self.without_labels),
            ("images without a label file, left out", self.unlabelled),
            ("label files without an image", self.without_image),
        ):
            if paths:
                lines.append(f"{what}: {_names(paths)}")
        return lines


def _counted(images: int) -> str:
    return f": {images} image{'s' * (images > 1)}" if images else ""


def _names(paths: Sequence[Path], most: int = 3) -> str:
    """The first of `paths`."""
    names = [path.name for path in paths[:most]]
    return ", ".join(names) + f" and {len(paths) - most} more" * (len(paths) > most)
