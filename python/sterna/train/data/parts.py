"""Data sets made from others: a part of one, several as one, images with labels from elsewhere."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from sterna.errors import SternaError
from sterna.train.data.formats.listing import files_under, passed_over
from sterna.train.data.frames import Dataset, Derived, Frame, Labels, resize_boxes
from sterna.train.data.options import ReadOptions
from sterna.train.data.reading import Faults
from sterna.vision import image_files
from sterna.vision.image_files import among


@dataclass(frozen=True)
class Part(Derived):
    """The frames `indices` of `source`; an index may come more than once."""

    indices: Sequence[int]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Frame:
        return self.source[self.indices[index]]

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`."""
        return self.source.labels(self.indices[index])

    def resized(self, height: int, width: int) -> Dataset:
        """The same part at another size."""
        return Part(self.source.resized(height, width), self.indices)


def share(dataset: Dataset, part: float, seed: int) -> Dataset:
    """The share `part` (0..1] of `dataset`, at least one frame, by `seed`; a smaller share is part of a larger."""
    if part == 1:
        return dataset
    order = np.random.default_rng(seed).permutation(len(dataset))
    return Part(dataset, sorted(order[: max(1, round(part * len(dataset)))].tolist()))


@dataclass(frozen=True)
class Joined:
    """The frames of several data sets of the same classes, one set after the other."""

    sources: Sequence[Dataset]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the sources."""
        return self.sources[0].classes

    def __len__(self) -> int:
        return sum(map(len, self.sources))

    def _find(self, index: int) -> tuple[Dataset, int]:
        ends = list(accumulate(map(len, self.sources)))
        number = bisect_right(ends, index)
        return self.sources[number], index - (ends[number - 1] if number else 0)

    def __getitem__(self, index: int) -> Frame:
        source, inside = self._find(index)
        return source[inside]

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`."""
        source, inside = self._find(index)
        return source.labels(inside)

    def resized(self, height: int, width: int) -> Dataset:
        """The same sets at another size."""
        return Joined([source.resized(height, width) for source in self.sources])


@dataclass(frozen=True)
class Images:
    """The image files `paths`, at height x width pixels, with labels from elsewhere or none.

    found: labels of each image in pixels of a frame of `found_size`, height and width; empty: no image has any.
    """

    paths: Sequence[Path]
    classes: tuple[str, ...]
    height: int
    width: int
    found: Sequence[Labels] = ()
    found_size: tuple[int, int] = (1, 1)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Frame:
        image = image_files.read(self.paths[index]).resize((self.width, self.height), Image.Resampling.BILINEAR)
        return Frame(np.asarray(image), *self.labels(index))

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`."""
        if not self.found:
            return Labels.of(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
        labels = self.found[index]
        return labels._replace(boxes=resize_boxes(labels.boxes, self.found_size, (self.height, self.width)))

    def resized(self, height: int, width: int) -> Images:
        """The same images at another size."""
        return Images(self.paths, self.classes, height, width, self.found, self.found_size)

    def labelled(self, found: Sequence[Labels]) -> Images:
        """The same images with labels `found` in frames of this size."""
        return Images(self.paths, self.classes, self.height, self.width, found, (self.height, self.width))


def open_images(
    folder: Path,
    classes: tuple[str, ...],
    height: int,
    width: int,
    options: ReadOptions,
    console: Console | None = None,
) -> Images:
    """All images in `folder` and the folders in it, in order of their names; what is passed over is told.

    Raises SternaError if it holds no image, and for images whose headers cannot be read unless `options` leave them
    out.
    """
    files, systems = files_under(folder) if folder.is_dir() else ([], [])
    found, faults = among(files), Faults()
    bad = {path: fault for path in found if (fault := _fault(path))}
    if not options.skip_bad:
        faults.records += bad.values()
    faults.refuse(str(folder))
    paths = [path for path in found if path not in bad]
    if not paths:
        raise SternaError(
            "no images to learn from", where=str(folder), attribute="unlabelled",
            value=str(folder), allowed=" ".join(image_files.SUFFIXES), remedy="name a folder that holds images",
        )  # fmt: skip
    if console:
        others = passed_over(set(files) - set(found), systems)
        told = [f"{count} {kind}" for kind, count in sorted(others.items())]
        passed = f", ignored: {', '.join(told)}" if told else ""
        console.print(f"images without labels in {folder}: {len(paths)}{passed}", markup=False, soft_wrap=True)
        for fault in bad.values():
            console.print(f"warning: left out: {fault}", markup=False, soft_wrap=True)
    return Images(paths, classes, height, width)


def _fault(path: Path) -> SternaError | None:
    try:
        image_files.header(path)
    except SternaError as fault:
        return fault
    return None
