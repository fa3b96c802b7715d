"""What every reader of a format returns for an image, and the checks that all formats share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from sterna.errors import FaultsError, SternaError
from sterna.train.data.formats.canvas import Box, Canvas

#: An attribute of CVAT: the degrees by which a box is turned about its middle. Its corners are those before that.
ROTATION = "rotation"
TURNED = "boxes with an attribute rotation are read as the boxes around the rotated ones"
OVERHANG = 2.0  # pixels that a box may reach beyond its image, as files written with rounding do; they are cut off


class LabelledObject(NamedTuple):
    """name: of its class. box: left, top, right, bottom in pixels from 0.

    difficult: one object that is hard to tell, as Pascal VOC marks it. crowd: a region of many objects that nobody
    counted, as COCO marks it. Neither is learnt; evaluation has a rule for each.
    """

    name: str
    box: Box
    difficult: bool = False
    crowd: bool = False


class LeftOut(NamedTuple):
    """An object that a format cannot give as a box, and why: words that follow its count in the summary."""

    why: str


class Record(NamedTuple):
    """What is known of an image.

    image: its file. size: width and height of the upright image. objects: inside the image, each once.
    labelled: a file states the objects, or that there are none; otherwise the image has no labels.
    repeated: objects that the labels state again. left_out: numbers of other objects by why they are left out.
    notes: what a person should know, in words that are the same for all images that share it.
    """

    image: Path
    size: tuple[int, int]
    objects: list[LabelledObject]
    labelled: bool = True
    repeated: int = 0
    left_out: Mapping[str, int] = {}
    notes: tuple[str, ...] = ()


@dataclass
class Unread:
    """What a data set holds and states for a split and that no record has.

    labels: label files, each with no image. files: numbers of other files by kind. notes: what is stated and not
    used, a line each. images: those without labels that are left out.
    """

    labels: list[Path] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)


class Source(Protocol):
    """A data set in one format, made from its path and Exif. All methods raise SternaError for what is missing or
    damaged."""

    format: str
    """The format's name."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that the data set holds."""
        ...

    def classes(self, split: str) -> tuple[str, ...] | None:
        """Class names in the order that the data set declares; None if only its objects tell them."""
        ...

    def entries(self, split: str) -> Sequence[Hashable]:
        """What `record` takes, for each image of a split, in order. An image that is listed again is equal again."""
        ...

    def record(self, entry: Any) -> Record:
        """Image and objects of one entry, checked; raises FaultsError if several objects are faulty."""
        ...

    def unread(self, split: str) -> Unread:
        """What lies beside the images of a split and is no part of it."""
        ...


Row = TypeVar("Row")


def collect(
    canvas: Canvas, rows: Iterable[Row], make: Callable[[Row], LabelledObject | LeftOut], *, labelled: bool = True
) -> Record:
    """The record of the objects that `make` gives of the `rows` of a label file, in pixels of `canvas`.

    Objects of one name, box and mark are one object. Raises the SternaError of a faulty row, or all as FaultsError.
    """
    found: list[LabelledObject] = []
    left_out: Counter[str] = Counter()
    faults: list[SternaError] = []
    for row in rows:
        try:
            made = make(row)
        except SternaError as fault:
            faults.append(fault)
            continue
        if isinstance(made, LeftOut):
            left_out[made.why] += 1
        else:
            found.append(made)
    if faults:
        raise faults[0] if len(faults) == 1 else FaultsError(faults, where=str(canvas.image), remedy="correct them")
    objects = [thing._replace(box=canvas.turn(thing.box)) for thing in dict.fromkeys(found)]
    repeated = len(found) - len(objects)
    return Record(canvas.image, canvas.upright, objects, labelled, repeated, left_out, canvas.notes)


def inside(box: Box, size: tuple[int, int], where: str, written: str, rule: str) -> Box:
    """`box` cut to an image of `size`.

    Raises SternaError that quotes the box as `written` if it holds what is no number, is inside out, or reaches more
    than OVERHANG pixels beyond the image. `rule` is how the format counts. A box of no area is let through: published
    data sets have some.
    """
    left, top, right, bottom = box
    if not all(math.isfinite(edge) for edge in box):
        raise _bad_box("a box that is not numbers", where, written, f"four numbers, {rule}")
    if left > right or top > bottom:
        raise _bad_box("a box with swapped edges", where, written, f"{rule}, right and bottom not before left and top")
    width, height = size
    if min(left, top) < -OVERHANG or right > width + OVERHANG or bottom > height + OVERHANG:
        raise _bad_box("a box outside its image", where, written, f"{rule}, in an image of {width}x{height}")
    return _cut(box, size)


def degrees(written: object) -> float:
    """What an attribute says about a rotation; 0 for what is no number."""
    try:
        angle = float(str(written))
    except ValueError:
        return 0.0
    return angle if math.isfinite(angle) else 0.0


def turned(box: Box, degrees: float, size: tuple[int, int]) -> Box:
    """The box around `box` when that is turned about its middle, cut to an image of `size`."""
    left, top, right, bottom = box
    cosine, sine = (abs(of(math.radians(degrees))) for of in (math.cos, math.sin))
    x, y, width, height = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    half_x, half_y = (width * cosine + height * sine) / 2, (width * sine + height * cosine) / 2
    return _cut((x - half_x, y - half_y, x + half_x, y + half_y), size)


def _cut(box: Box, size: tuple[int, int]) -> Box:
    """The part of `box` in an image of `size`."""
    return tuple(min(max(edge, 0.0), float(limit)) for edge, limit in zip(box, size * 2, strict=True))  # type: ignore[return-value]


def _bad_box(what: str, where: str, written: str, allowed: str) -> SternaError:
    return SternaError(
        what, where=where, attribute="box", value=written, allowed=allowed, remedy="correct or delete the object"
    )


def no_split(where: Path, split: str, splits: Sequence[str]) -> SternaError:
    """The refusal of a split that the data set does not have."""
    return SternaError(
        "the data set has no such split",
        where=str(where),
        attribute="split",
        value=split,
        allowed=", ".join(splits) or "none there",
        remedy="name one of these",
    )


def empty_split(where: Path) -> SternaError:
    """The refusal of a split without images."""
    return SternaError("the split is empty", where=str(where), remedy="list an image, or name another split")
