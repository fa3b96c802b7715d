"""What every reader of a format gives for a picture, and the checks that all formats share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sterna.errors import SternaError
from sterna.run import pictures

OVERHANG = 2.0  # pixels that a box may reach beyond its picture, as files written with rounding do; they are cut off

Box = tuple[float, float, float, float]


class LabelledObject(NamedTuple):
    """name: of its class. box: left, top, right, bottom in pixels from 0.

    difficult: one object that is hard to tell, as Pascal VOC marks it. crowd: a region of many objects that nobody
    counted, as COCO marks it. Neither is learnt; evaluation has a rule for each.
    """

    name: str
    box: Box
    difficult: bool = False
    crowd: bool = False


class Record(NamedTuple):
    """picture: its file. size: width and height of the upright picture. objects: inside the picture."""

    picture: Path
    size: tuple[int, int]
    objects: list[LabelledObject]


class Source(Protocol):
    """A data set in one format. All methods raise SternaError for what is missing or damaged."""

    format: str
    """The format's name."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that the data set holds."""
        ...

    def classes(self, split: str) -> tuple[str, ...] | None:
        """Class names in the order that the data set declares; None if only its objects tell them."""
        ...

    def entries(self, split: str) -> Sequence[Any]:
        """What `record` takes, for each picture of a split, in order."""
        ...

    def record(self, entry: Any) -> Record:
        """Picture and objects of one entry, checked."""
        ...


def picture_size(picture: Path, listed: Path) -> tuple[int, int]:
    """Width and height of `picture`, which the file `listed` names; raises SternaError if it is not there."""
    if not picture.is_file():
        raise SternaError(
            "a listed picture is missing",
            where=str(listed),
            attribute="picture",
            value=picture,
            remedy="add the picture or take it from the list",
        )
    return pictures.size(picture)


def check_size(said: tuple[int | None, int | None], size: tuple[int, int], where: str) -> None:
    """Raise SternaError if an annotation says another size than its picture has. None and 0 say nothing."""
    if all(said) and tuple(said) != size:
        raise SternaError(
            "the annotation was made for a picture of another size",
            where=where,
            attribute="size",
            value=f"{said[0]}x{said[1]}",
            allowed=f"{size[0]}x{size[1]}, the size of the upright picture",
            remedy="annotate the picture again, or put back the one that was annotated",
        )


def inside(box: Box, size: tuple[int, int], where: str, written: str, rule: str) -> Box:
    """`box` cut to a picture of `size`.

    Raises SternaError that quotes the box as `written` if it holds what is no number, is inside out, or reaches more
    than OVERHANG pixels beyond the picture. `rule` is how the format counts. A box of no area is let through: published
    data sets have some.
    """
    left, top, right, bottom = box
    if not all(math.isfinite(edge) for edge in box):
        raise _bad_box("a box that is not of numbers", where, written, f"four numbers, {rule}")
    if left > right or top > bottom:
        raise _bad_box("a box inside out", where, written, f"{rule}, the far edges not before the near ones")
    width, height = size
    if min(left, top) < -OVERHANG or right > width + OVERHANG or bottom > height + OVERHANG:
        raise _bad_box("a box outside of its picture", where, written, f"{rule}, in a picture of {width}x{height}")
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
    """The refusal of a split without pictures."""
    return SternaError("the split is empty", where=str(where), remedy="list a picture, or name another split")


def check_different(names: Sequence[object], what: str, where: Path) -> None:
    """Raise SternaError for the first of `names` that occurs twice."""
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise SternaError(
                f"the same {what} twice", where=str(where), attribute=what, value=name, remedy="delete one of them"
            )
        seen.add(name)
