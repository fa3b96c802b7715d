"""The text form of darknet's cfg files: sections of `key = value` lines, each value read with its line number.

Source: `read_cfg` and `option_list.c` of darknet (github.com/pjreddie/darknet). As there, white space means nothing
anywhere, and a line that starts with `#` or `;` is a comment. Unlike there, nothing is ignored in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from sterna.errors import SternaError
from sterna.graph.layers import MAX_SIZE
from sterna.text import read_text

MAX_BYTES = 1 << 20
_REMEDY = "name a darknet .cfg file, not the .weights file"
SHORT_NAMES = {"network": "net", "conv": "convolutional", "max": "maxpool"}
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True)
class Option:
    """The text after a `=`, without white space, and its line, counted from 1."""

    text: str
    line: int


@dataclass
class Section:
    """A section: `name` without brackets, its place (file, line, layer number as darknet counts it) and options.

    The first section, which describes the network, has the number -1, so that the first layer is layer 0.
    """

    file: str
    line: int
    number: int
    name: str
    options: dict[str, list[Option]] = field(default_factory=dict)

    def refuse(
        self, what: str, key: str | None = None, *, allowed: str, remedy: str, value: object | None = None
    ) -> SternaError:
        """The error for this section, or for the line of `key` in it; `value` None: the text in the file."""
        given = self.options.get(key or "", [])
        if value is None and key is not None:
            value = given[0].text if given else "(missing)"
        return SternaError(what, where=self.place(key), attribute=key, value=value, allowed=allowed, remedy=remedy)

    def place(self, key: str | None = None) -> str:
        """Where this section, or the line of `key` in it, stands."""
        given = self.options.get(key or "", [])
        layer = "" if self.number < 0 else f"layer {self.number} "
        return f"{self.file}, line {given[0].line if given else self.line}, {layer}[{self.name}]"

    def check_keys(self, used: Collection[str], others: Collection[str]) -> None:
        """Refuse a key that is neither `used` for the network nor one of the `others` that are known."""
        for key in self.options:
            if key not in used and key not in others:
                raise self.refuse(
                    f"unknown key {key}",
                    key,
                    allowed=", ".join(used) or "no key",
                    remedy="correct the key, or remove the line if it does not change what the network computes",
                )

    def word(self, key: str, default: str | None = None) -> str:
        """The text of `key`; without a default it must be there."""
        given = self.options.get(key, [])
        if len({option.text for option in given}) > 1:
            raise self.refuse(
                f"{key} is given more than once",
                key,
                value=", ".join(f"{option.text} (line {option.line})" for option in given),
                allowed="one value",
                remedy="keep only the intended line",
            )
        if given:
            return given[0].text
        if default is None:
            raise self.refuse(f"{key} is missing", key, allowed="a value", remedy=f"add a line {key}=...")
        return default

    def integer(self, key: str, default: int | None = None, low: int = 1, high: int = MAX_SIZE) -> int:
        """The integer `key`, low .. high; a comment after it is ignored, as in darknet."""
        text = _without_comment(self.word(key, None if default is None else str(default)))
        number = int(text) if _INTEGER.fullmatch(text) else None
        if number is None or not low <= number <= high:
            raise self.refuse(
                f"{key} is out of range" if number is not None else f"{key} is not an integer",
                key,
                allowed=f"{low} .. {high}",
                remedy="correct the value",
            )
        return number

    def integers(self, key: str) -> list[int]:
        """The integers of a list with commas."""
        parts = _without_comment(self.word(key)).split(",")
        if not all(_INTEGER.fullmatch(part) for part in parts):
            raise self.refuse(f"{key} is not a list of integers", key, allowed="such as -1,-4", remedy="correct it")
        return [int(part) for part in parts]

    def real(self, key: str, low: float, high: float) -> float:
        """The number `key`, low .. high."""
        text = _without_comment(self.word(key))
        number = float(text) if _REAL.fullmatch(text) else math.nan
        if not low <= number <= high:
            raise self.refuse(
                f"{key} is not a number" if math.isnan(number) else f"{key} is out of range",
                key,
                allowed=f"{low:g} .. {high:g}",
                remedy="correct the value",
            )
        return number

    def reals(self, key: str) -> list[float]:
        """The finite numbers of a list with commas."""
        parts = _without_comment(self.word(key)).split(",")
        if not all(_REAL.fullmatch(part) and math.isfinite(float(part)) for part in parts):
            raise self.refuse(
                f"{key} is not a list of numbers", key, allowed="such as 1.08,1.19", remedy="correct the list"
            )
        return [float(part) for part in parts]

    def only(self, key: str, value: int, default: int, why: str, remedy: str) -> None:
        """Refuse any other `value` of `key`, which is `default` where it is missing; `why` is the first sentence."""
        if self.integer(key, default, low=-MAX_SIZE) != value:
            given = self.options.get(key)
            raise self.refuse(
                why,
                key,
                value=None if given else f"{default} (the default)",
                allowed=str(value),
                remedy=remedy,
            )


def read_sections(path: Path) -> list[Section]:
    """The sections of the cfg file `path` in order; raises SternaError for what is no cfg file.

    A file is at most MAX_BYTES long. Short names of sections are written out; otherwise they are not looked at.
    """
    found: list[Section] = []
    for number, text in enumerate(read_text(path, "the cfg file", _REMEDY, MAX_BYTES).split("\n"), start=1):
        line = "".join(text.split())
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            found.append(Section(str(path), number, len(found) - 1, _section_name(line, path, number)))
            continue
        key, equals, value = line.partition("=")
        if not (key and equals and value and found):
            raise SternaError(
                "a line that is neither a section nor key = value in a section",
                where=f"{path}, line {number}",
                value=text.strip()[:60],
                allowed="[section], key = value, or a comment that starts with #",
                remedy="correct the line, or put # in front of it",
            )
        found[-1].options.setdefault(key, []).append(Option(value, number))
    return found


def _section_name(line: str, path: Path, number: int) -> str:
    if not (line.endswith("]") and len(line) > 2):
        raise SternaError(
            "the name of a section has no closing bracket",
            where=f"{path}, line {number}",
            value=line[:60],
            allowed="such as [convolutional]",
            remedy="close the bracket; a comment needs a line of its own",
        )
    return SHORT_NAMES.get(line[1:-1], line[1:-1])


def _without_comment(text: str) -> str:
    return re.split("[#;]", text, maxsplit=1)[0]
