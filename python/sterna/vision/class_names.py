"""Class names as a data set or a darknet network lists them: the place in the list is the number of the class."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from pathlib import Path

from sterna.errors import SternaError
from sterna.text import check_different, read_text


def listed(file: Path) -> tuple[str, ...]:
    """One class per line; an empty line between them is a class without a name, since it counts.

    Raises SternaError if the file cannot be read.
    """
    text = read_text(file, "the list of class names", "name a text with one class per line")
    lines = text.rstrip().split("\n")
    return tuple(line.strip() for line in lines) if lines != [""] else ()


def check(names: Sequence[str], file: Path) -> None:
    """Raise SternaError unless `names`, which `file` lists, are some, none of them empty, all different."""
    if not names:
        raise SternaError("the list is empty", where=str(file), remedy="list the class names")
    if not all(names):
        raise SternaError(
            "a class without a name",
            where=str(file),
            attribute="names",
            value=reprlib.repr(tuple(names)),
            remedy="name the class",
        )
    check_different(names, "class name", file, remedy="give one of the classes another name")
