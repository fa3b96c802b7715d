"""Lines and zones in which objects are counted, as people give them: in an option or a YAML file.

Coordinates are pixels from the top left corner, or shares of width and height if none of them is more than 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.text import read_yaml

#: Coordinates of a point, and how many points a line and the smallest zone have.
_AXES, _ENDS, _LEAST_CORNERS = 2, 2, 3
_LINE = "X1,Y1,X2,Y2: two different points"
_ZONE = "X,Y,X,Y,...: at least three points"
_NUMBERS = "numbers of at least 0: pixels, or shares if none is more than 1"


@dataclass(frozen=True)
class Place:
    """A line (two points) or zone (at least three corners), by its points x, y."""

    name: str
    points: tuple[tuple[float, float], ...]

    def on(self, height: int, width: int) -> NDArray[np.float64]:
        """The points [P, 2] in pixels of an image."""
        points = np.array(self.points)
        return points * (width, height) if points.max() <= 1 else points


@dataclass(frozen=True)
class Places:
    """Lines and zones, each of a name of its own."""

    lines: tuple[Place, ...] = ()
    zones: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        for places, what in ((self.lines, "line"), (self.zones, "zone")):
            names = [place.name for place in places]
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise SternaError(f"two {what}s have one name", attribute="name", value=twice[0],
                                  remedy="give each its own name: NAME=X,Y,X,Y")  # fmt: skip

    def __add__(self, others: Places) -> Places:
        return Places(self.lines + others.lines, self.zones + others.zones)

    @classmethod
    def parse(cls, lines: Iterable[str], zones: Iterable[str]) -> Places:
        """The places of options `[NAME=]X,Y,X,Y,...`; one without a name is called by its number.

        Raises SternaError for a text that is none.
        """
        return cls(
            tuple(_line(*_named(text, f"line{number}")) for number, text in enumerate(lines, 1)),
            tuple(_zone(*_named(text, f"zone{number}")) for number, text in enumerate(zones, 1)),
        )

    @classmethod
    def read(cls, path: Path) -> Places:
        """The places in a YAML file: `lines` and `zones`, each `NAME: [X, Y, X, Y, ...]`.

        Raises SternaError if it cannot be read or holds something else.
        """
        remedy = "write lines: and zones:, below them NAME: [X, Y, X, Y, ...]"
        found = read_yaml(path, "the list of lines and zones", remedy)
        if not isinstance(found, dict) or not found or not found.keys() <= {"lines", "zones"}:
            raise SternaError("holds something else than lines and zones", where=str(path), remedy=remedy)
        tables = [found.get(name) or {} for name in ("lines", "zones")]
        if not all(isinstance(table, dict) for table in tables):
            raise SternaError("its lines or zones have no names", where=str(path), remedy=remedy)
        lines, zones = tables
        return cls.of(lines, zones, str(path))

    @classmethod
    def of(cls, lines: Mapping[str, Any], zones: Mapping[str, Any], where: str) -> Places:
        """The places by name, each a list of numbers or of points. Raises SternaError, naming `where`, for others."""
        return cls(
            tuple(_line(str(name), _flat(points), where) for name, points in lines.items()),
            tuple(_zone(str(name), _flat(points), where) for name, points in zones.items()),
        )


def _named(text: str, otherwise: str) -> tuple[str, list[Any], str]:
    name, given, numbers = text.rpartition("=")
    return (name.strip() if given else otherwise), numbers.split(","), f"'{text}'"


def _flat(points: Any) -> list[Any]:
    """Numbers, from a list of them or of points."""
    if not isinstance(points, list | tuple):
        return [points]
    return [number for each in points for number in (each if isinstance(each, list | tuple) else [each])]


def _line(name: str, numbers: Sequence[Any], where: str) -> Place:
    points = _points(name, numbers, where, "line", _LINE)
    if len(points) != _ENDS or points[0] == points[1]:
        raise _refused(name, numbers, where, "line", _LINE)
    return Place(name, points)


def _zone(name: str, numbers: Sequence[Any], where: str) -> Place:
    points = _points(name, numbers, where, "zone", _ZONE)
    if len(set(points)) < _LEAST_CORNERS:
        raise _refused(name, numbers, where, "zone", _ZONE)
    return Place(name, points)


def _points(name: str, numbers: Sequence[Any], where: str, what: str, allowed: str) -> tuple[tuple[float, float], ...]:
    try:
        values = [float(number) for number in numbers if not isinstance(number, bool)]
    except (TypeError, ValueError):
        values = []
    if not name or len(values) < len(numbers) or not all(0 <= value < math.inf for value in values):
        raise _refused(name, numbers, where, what, _NUMBERS)
    if len(values) % _AXES:
        raise _refused(name, numbers, where, what, allowed)
    return tuple(zip(values[::2], values[1::2], strict=True))


def _refused(name: str, numbers: Sequence[Any], where: str, what: str, allowed: str) -> SternaError:
    return SternaError(
        f"is no {what}", where=where, attribute=name or "name", value=",".join(map(str, numbers)) or "nothing",
        allowed=allowed, remedy=f"give for example {name or what}=0.1,0.5,0.9,0.5" + (",0.9,0.9" * (what == "zone")),
    )  # fmt: skip
