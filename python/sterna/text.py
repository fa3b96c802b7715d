"""Text files from all kinds of programs: the one place where bytes become characters.

Lists, names, labels, annotations, YAML, JSON, XML and cfg files come from editors and programs of many years, and few
say which encoding they have. A file is decoded by a fixed rule or refused with the cause; no character is ever
replaced:

1. by the byte order mark, if it has one (UTF-8, UTF-16, UTF-32);
2. a NUL byte otherwise means that it is no text;
3. XML by the encoding that it declares, unless that is one of Unicode's, which its own first line tells;
4. as UTF-8, which text in other encodings practically never happens to be;
5. as Windows-1252, if that reads as a language of western Europe: the only characters beyond ASCII are letters with
   accents, at most two of them together and not a word made only of them, and single signs such as a degree. The bytes
   of
   other encodings (Windows-1251, GBK, Shift JIS, ...) give other characters or longer runs of them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml
from yaml.composer import Composer
from yaml.constructor import BaseConstructor, ConstructorError

from sterna.errors import SternaError

#: UTF-32 before UTF-16, whose mark it starts with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_LETTERS, _SIGNS = "À-ÖØ-öø-ÿ", "°²³µ§£"
#: What shows that text is not of western Europe.
_FOREIGN = re.compile(
    rf"[^\x00-\x7f{_LETTERS}{_SIGNS}]|[{_LETTERS}]{{3}}|(?<![A-Za-z])[{_LETTERS}]{{2}}(?![A-Za-z])"
    rf"|[{_SIGNS}][^\x00-\x7f]|[^\x00-\x7f][{_SIGNS}]"
)
#: Values of a YAML file, each alias replaced by what it names; a list of all images of a large data set has fewer.
MOST_VALUES = 1_000_000
_COUNTING = 0
_SAVE_AGAIN = "save the file again as UTF-8"


def read_text(path: Path, what: str, remedy: str = "check the file", limit: int | None = None) -> str:
    r"""The text of a file, all of its line ends as \n.

    what: the file's role, such as "the list of images", for errors. limit: bytes; a longer file is refused.
    Raises SternaError if the file cannot be read, with `remedy`, or decoded.
    """
    return decode(_bytes(path, what, remedy, limit), path, what)


def read_lines(path: Path, what: str, remedy: str = "check the file") -> list[str]:
    """The lines of a file without their ends; raises SternaError as `read_text` does."""
    return read_text(path, what, remedy).split("\n")


def read_xml(path: Path, what: str, remedy: str = "check the file") -> ElementTree.Element:
    """The root of an XML file; raises SternaError as `read_text` does, and for what is no XML."""
    try:
        return ElementTree.fromstring(decode(_bytes(path, what, remedy), path, what, declared=True))
    except ElementTree.ParseError as error:
        raise SternaError(f"{what} cannot be read ({error})", where=str(path), remedy="write it again as XML") from None


def read_yaml(path: Path, what: str, remedy: str = "correct the file", *, typed: bool = True) -> Any:
    """The content of a YAML file, no key twice in a mapping.

    typed: numbers and truth values become such; without it every scalar stays as it is written (`on`, `010`, `1.0`).
    Raises SternaError as `read_text` does, and for what is no YAML or repeats itself to more than MOST_VALUES values.
    """
    text = read_text(path, what, remedy)
    try:
        return yaml.load(text, _TypedLoader if typed else _PlainLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SternaError(f"{what} cannot be read as YAML ({reason})", where=str(path), remedy=remedy) from None


def check_json_keys(text: str, path: Path) -> None:
    """Raise SternaError if an object of a JSON text, read from `path`, has a key twice: readers take the last."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise SternaError(
                "a key is given twice in one object",
                where=str(path),
                attribute="key",
                value=next(key for key in keys if keys.count(key) > 1),
                remedy="delete the wrong one",
            )

    json.loads(text, object_pairs_hook=check, parse_int=len, parse_float=len)  # numbers of any length do


class _Strict(Composer, BaseConstructor):
    """What YAML leaves open: a key that a mapping has twice, and aliases (`*name`) that multiply."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            _count(node, {})
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        twice = next((key for key, times in keys.items() if times > 1), None)
        if twice is not None:
            raise ConstructorError(problem=f"{twice} is given twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


class _TypedLoader(_Strict, yaml.SafeLoader):
    pass


class _PlainLoader(_Strict, yaml.BaseLoader):
    pass


def _count(node: yaml.Node, counted: dict[yaml.Node, int]) -> int:
    """The values of `node`, those of an alias as often as it is named."""
    if counted.get(node) == _COUNTING:
        raise ConstructorError(problem="found a recursive alias", problem_mark=node.start_mark)
    if node not in counted:
        counted[node] = _COUNTING
        parts = [] if isinstance(node, yaml.ScalarNode) else node.value
        nodes = (each for part in parts for each in (part if isinstance(part, tuple) else (part,)))
        counted[node] = 1 + sum(_count(each, counted) for each in nodes)
        if counted[node] > MOST_VALUES:
            raise ConstructorError(
                problem=f"aliases make more than {MOST_VALUES} values of it", problem_mark=node.start_mark
            )
    return counted[node]


def decode(data: bytes, where: Path | str, what: str, *, declared: bool = False) -> str:
    r"""The characters of `data` by the rule of this module, all line ends as \n, without a byte order mark.

    declared: the data are XML, which may name its encoding. Raises SternaError for what is no text, is not in the
    encoding that it claims, or is in one that cannot be told.
    """
    encoding, start = next(((name, len(mark)) for mark, name in _MARKS if data.startswith(mark)), ("", 0))
    if not encoding and b"\0" in data:
        raise SternaError(
            f"{what} is not text: it has NUL bytes",
            where=str(where),
            allowed="text in UTF-8, or in UTF-16 with a byte order mark",
            remedy=f"name another file, or {_SAVE_AGAIN}",
        )
    claimed = _DECLARED.match(data) if declared and not encoding else None
    if claimed and not claimed[1].lower().startswith((b"utf", b"ucs")):
        encoding = claimed[1].decode("ascii")
    text = _as_claimed(data[start:], encoding, where, what) if encoding else _as_found(data, where, what)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _bytes(path: Path, what: str, remedy: str, limit: int | None = None) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read() if limit is None else file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SternaError(f"{what} cannot be read ({reason})", where=str(path), remedy=remedy) from None
    if limit is not None and len(data) > limit:
        raise SternaError(
            f"{what} is too long", where=str(path), allowed=f"text of at most {limit} bytes", remedy=remedy
        )
    return data


def _as_claimed(data: bytes, encoding: str, where: Path | str, what: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        raise SternaError(
            f"{what} says that it is {encoding}, but line {line} is not", where=str(where), remedy=_SAVE_AGAIN
        ) from None
    except LookupError:
        raise SternaError(
            f"{what} is in an unknown encoding",
            where=str(where),
            attribute="encoding",
            value=encoding,
            remedy=_SAVE_AGAIN,
        ) from None


def _as_found(data: bytes, where: Path | str, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data.decode("iso-8859-1")  # the same letters; what Windows-1252 adds is none of them
        if not _FOREIGN.search(text):
            return text
        line = data[: error.start].count(b"\n") + 1
        raise SternaError(
            f"{what} is text in an encoding that cannot be told: line {line} is not UTF-8",
            where=str(where),
            allowed="UTF-8, UTF-16 with a byte order mark, or Windows-1252 of a western language",
            remedy=_SAVE_AGAIN,
        ) from None


def check_different(names: Sequence[object], what: str, where: Path, remedy: str = "delete one of them") -> None:
    """Raise SternaError for the first of `names` that occurs twice."""
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise SternaError(f"duplicate {what}", where=str(where), attribute=what, value=name, remedy=remedy)
        seen.add(name)
