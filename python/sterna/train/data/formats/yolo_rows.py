"""Rows of YOLO label files: a class number, and what is known of where the object lies, in shares of the image.

| numbers after the class | meaning |
|---|---|
| 4 | a box: x y width height, of which x y is the middle |
| 5 | a box and a confidence, which is not used |
| an even number from 6 | a polygon x y x y ..., also of an oriented box |
| 4 + K * D | with `kpt_shape: [K, D]` in data.yaml: a box and K points, which are not used |

A polygon and a box with points can have equally many numbers, so rows that look like the second are refused if there is
no `kpt_shape` (`looks_like_pose`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sterna.errors import SternaError

BOX = "x y width height as shares of the image, 0..1"
POINTS_NOT_USED = "pose points are not used, only their boxes"
CONFIDENCE_NOT_USED = "the confidence after a box is not used"
POLYGONS = "polygons are read as the boxes around them"

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf)", re.IGNORECASE)
_VISIBILITIES = (0, 1, 2)
CORNERS = 8  # numbers of an oriented box, which may have as many as a box with two points

Edges = tuple[float, float, float, float]


class Points(NamedTuple):
    """`kpt_shape`: how many points a row has after its box, and how many numbers per point."""

    points: int
    numbers: int


class Row(NamedTuple):
    """number: of the class. edges: left, top, right, bottom in shares. note: what is not used of the row, or ''."""

    number: int
    edges: Edges
    note: str = ""


def parse(fields: Sequence[str], points: Points | None, where: str) -> Row:
    """The row of these texts; raises SternaError for what is none."""
    if not all(_NUMBER.fullmatch(text) for text in fields):
        raise _bad_row(fields, where, points)
    number, shares = float(fields[0]), [float(text) for text in fields[1:]]
    if not number.is_integer():
        raise _bad_row(fields, where, points)
    if len(shares) == 4:
        return Row(int(number), _around_middle(shares))
    if points is not None and points.points:
        if len(shares) != 4 + points.points * points.numbers:
            raise _bad_row(fields, where, points)
        return Row(int(number), _around_middle(shares), POINTS_NOT_USED)
    if len(shares) == 5 and 0 <= shares[4] <= 1:
        return Row(int(number), _around_middle(shares), CONFIDENCE_NOT_USED)
    if len(shares) < 6 or len(shares) % 2:
        raise _bad_row(fields, where, points)
    edges = (min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2]))
    return Row(int(number), edges, POLYGONS)


def looks_like_pose(fields: Sequence[str]) -> bool:
    """Whether a row may be a box with points that all lie inside, of two numbers each or of three with a visibility."""
    if not all(_NUMBER.fullmatch(text) for text in fields):
        return False
    shares = [float(text) for text in fields[1:]]
    if len(shares) < 6 or len(shares) == CORNERS or shares[:2] == shares[-2:]:
        return False
    left, top, right, bottom = _around_middle(shares[:4])
    rest = shares[4:]

    def inside(xs: Sequence[float], ys: Sequence[float]) -> bool:
        return all(left <= x <= right for x in xs) and all(top <= y <= bottom for y in ys)

    pairs = len(rest) % 2 == 0 and inside(rest[::2], rest[1::2])
    if pairs or len(rest) % 3 or not all(mark in _VISIBILITIES for mark in rest[2::3]):
        return pairs
    seen = [index for index, mark in enumerate(rest[2::3]) if mark]  # a point that is not labelled is 0 0 0
    return inside([rest[3 * index] for index in seen], [rest[3 * index + 1] for index in seen])


def _around_middle(shares: Sequence[float]) -> Edges:
    x, y, width, height = shares[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _bad_row(fields: Sequence[str], where: str, points: Points | None) -> SternaError:
    if points is not None and points.points:
        allowed = f"class number, then {BOX}, then nothing or the {points.points * points.numbers} numbers of kpt_shape"
    else:
        allowed = f"class number, then {BOX}, or a polygon; with points only if data.yaml has their kpt_shape"
    return SternaError(
        "a row that is not an object",
        where=where,
        attribute="row",
        value=" ".join(fields)[:60],
        allowed=allowed,
        remedy="correct or delete the row",
    )
