"""Labelled images of a folder as a data set: records in memory, images read on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sterna.errors import SternaError
from sterna.train.data.formats.record import Record
from sterna.train.data.frames import Frame, Labels
from sterna.vision import image_files


@dataclass(frozen=True)
class Table:
    """The records of a split, packed: what stays in memory is about 40 bytes an object.

    images: N paths. sizes: int32 [N, 2], width and height. starts: int64 [N + 1], the objects of image i are
    starts[i] to starts[i + 1]. boxes: float64 [M, 4] in pixels of the image as it is on disk. kinds: int32 [M],
    indices into `names`. difficult, crowd: bool [M]. first: for each name the first image that shows such an object.
    """

    images: list[str]
    sizes: NDArray[np.int32]
    starts: NDArray[np.int64]
    boxes: NDArray[np.float64]
    kinds: NDArray[np.int32]
    difficult: NDArray[np.bool_]
    crowd: NDArray[np.bool_]
    names: list[str]
    first: list[str]

    @staticmethod
    def pack(records: Iterable[Record]) -> Table:
        """All `records`, in order."""
        numbers: dict[str, int] = {}
        paths, sizes, starts, first = [], [], [0], []
        boxes: list[NDArray[np.float64]] = []
        kinds: list[NDArray[np.int32]] = []
        difficult: list[NDArray[np.bool_]] = []
        crowd: list[NDArray[np.bool_]] = []
        for record in records:
            image, objects = record.image, record.objects
            paths.append(str(image))
            sizes.append(record.size)
            starts.append(starts[-1] + len(objects))
            for thing in objects:
                if thing.name not in numbers:
                    numbers[thing.name] = len(numbers)
                    first.append(str(image))
            boxes.append(np.array([thing.box for thing in objects], np.float64).reshape(-1, 4))
            kinds.append(np.array([numbers[thing.name] for thing in objects], np.int32))
            difficult.append(np.array([thing.difficult for thing in objects], bool))
            crowd.append(np.array([thing.crowd for thing in objects], bool))
        return Table(
            images=paths,
            sizes=np.array(sizes, np.int32).reshape(-1, 2),
            starts=np.array(starts, np.int64),
            boxes=np.concatenate(boxes) if boxes else np.zeros((0, 4)),
            kinds=np.concatenate(kinds) if kinds else np.zeros(0, np.int32),
            difficult=np.concatenate(difficult) if difficult else np.zeros(0, bool),
            crowd=np.concatenate(crowd) if crowd else np.zeros(0, bool),
            names=list(numbers),
            first=first,
        )

    def take(self, rows: Sequence[int]) -> Table:
        """The images `rows`, in that order; all names stay known."""
        counts = np.diff(self.starts)[list(rows)]
        objects = np.concatenate([np.arange(self.starts[row], self.starts[row + 1]) for row in rows])
        return replace(
            self,
            images=[self.images[row] for row in rows],
            sizes=self.sizes[list(rows)],
            starts=np.concatenate([[0], np.cumsum(counts)]),
            boxes=self.boxes[objects],
            kinds=self.kinds[objects],
            difficult=self.difficult[objects],
            crowd=self.crowd[objects],
        )

    def keep(self, numbers: Sequence[int | None]) -> Table:
        """The objects of the names that have a number (one entry a name), with that number as their kind."""
        table = np.array([-1 if number is None else number for number in numbers], np.int32)
        kinds = table[self.kinds] if len(table) else self.kinds
        kept = kinds >= 0
        before = np.concatenate([[0], np.cumsum(kept)])
        return replace(
            self,
            starts=before[self.starts],
            boxes=self.boxes[kept],
            kinds=kinds[kept],
            difficult=self.difficult[kept],
            crowd=self.crowd[kept],
        )


class LabelledSet:
    """The images of a split, resized to height x width (aspect not kept), as a data set.

    classes: names by class number. rename: other names for those of the files, applied first. An object of none of
    `classes` is left out if `others_out`, and otherwise raises SternaError that names its image. split: what people
    call it.
    """

    def __init__(
        self,
        table: Table,
        height: int,
        width: int,
        classes: Sequence[str],
        rename: Mapping[str, str] | None = None,
        *,
        others_out: bool = False,
        split: str = "",
    ) -> None:
        self.classes = tuple(classes)
        self._height, self._width = height, width
        names = [(rename or {}).get(name, name) for name in table.names]
        if not others_out:
            _refuse_others(names, self.classes, table.first)
        numbers = {name: number for number, name in enumerate(self.classes)}
        self._table = table.keep([numbers.get(name) for name in names])
        #: Objects that were left out because no class has their name.
        self.left_out = len(table.kinds) - len(self._table.kinds)
        if not len(self._table.kinds):
            raise SternaError(
                "no labelled object in the split",
                where=split or str(Path(table.images[0]).parent),
                attribute="classes",
                value=", ".join(self.classes) or "none",
                allowed=", ".join(sorted({names[kind] for kind in np.unique(table.kinds)})) or "none there",
                remedy="name a split and classes of which the annotations hold objects, or hold a larger share back",
            )

    def __len__(self) -> int:
        return len(self._table.images)

    def __getitem__(self, index: int) -> Frame:
        image = image_files.read(Path(self._table.images[index]))
        small = image.resize((self._width, self._height), Image.Resampling.BILINEAR)
        return Frame(np.asarray(small), *self.labels(index))

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`, from its record."""
        table = self._table
        mine = slice(table.starts[index], table.starts[index + 1])
        size = np.array([self._width, self._height])
        boxes = (table.boxes[mine] * np.tile(size / table.sizes[index], 2)).clip(0, np.tile(size, 2)).astype(np.float32)
        return Labels(boxes, table.kinds[mine].astype(np.int64), table.difficult[mine], table.crowd[mine])

    def resized(self, height: int, width: int) -> LabelledSet:
        """The same records at another size."""
        other = object.__new__(LabelledSet)
        other.__dict__.update(self.__dict__, _height=height, _width=width)
        return other


def _refuse_others(names: Sequence[str], classes: Sequence[str], first: Sequence[str]) -> None:
    for name, image in zip(names, first, strict=True):
        if name not in classes:
            raise SternaError(
                "an object of a class that the training images do not have",
                where=image,
                attribute="class",
                value=name,
                allowed=", ".join(classes),
                remedy="correct the annotation, rename the class, or say which classes to keep",
            )
