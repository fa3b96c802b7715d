"""What a YOLO data set says about itself: class names, and the places of each split's images.

It is said by a data.yaml (Ultralytics), by an obj.data (Darknet), or by a list of class names beside lists of images or
folders that are called as splits are (Darknet, labelImg, Label Studio).
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sterna.errors import SternaError
from sterna.text import read_lines, read_yaml
from sterna.train.data.formats.places import Locator, exists
from sterna.train.data.formats.yolo_rows import Points, parse
from sterna.vision import class_names

#: Splits as files and folders call them: as Sterna does.
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
IMAGES = "images"
YAML, DATA, NAMES, CLASSES = (".yaml", ".yml"), ".data", ".names", "classes.txt"
_USUAL = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_LOOKED_AT = 100  # texts, for one that is a label file
_NOTHING = ("", "~", "null", "Null", "NULL", "None")


@dataclass
class Index:
    """file: that says it. root: where its paths count from. places: of each split, as written. points: of poses.

    notes: what it states and Sterna does not use. other: a file that it names. whole: the folder of all images, where
    only folders tell the splits.
    """

    file: Path
    root: Path
    names: tuple[str, ...]
    places: dict[str, list[str]]
    points: Points | None = None
    notes: list[str] = field(default_factory=list)
    other: Path | None = None
    whole: Path | None = None

    def same(self, other: Index) -> bool:
        """Whether the two agree."""
        return (self.names, self.places, self.points) == (other.names, other.places, other.points)


def files(path: Path) -> list[Path]:
    """The files that describe the data set at `path`: itself, or those of a folder of the kind that says most."""
    if path.is_file():
        return [path] if path.suffix.lower() in (*YAML, DATA, NAMES) or path.name == CLASSES else []
    there = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    described = [each for each in there if _describes(each)]
    lists = [each for each in there if each.suffix.lower() == NAMES or each.name == CLASSES]
    if not described and not lists:
        lists = sorted(each for each in path.glob(f"*/{CLASSES}"))
    return described or (lists if _by_lists(path) or _has_rows(path) else [])


def read(path: Path) -> Index:
    """What the data set at `path` says about itself.

    Raises SternaError for a file that is not as the format has it, and if several files say different things.
    """
    root = path if path.is_dir() else path.parent.parent if path.parent.name == "labels" else path.parent
    found = [_read(file, root) for file in files(path)]
    if not all(found[0].same(other) for other in found):
        raise SternaError(
            "several files describe the data set differently",
            where=str(path),
            value=", ".join(index.file.name for index in found),
            allowed="one of them",
            remedy="name the right file instead of the folder",
        )
    return found[0]


def _describes(file: Path) -> bool:
    """Whether `file` is a data.yaml or obj.data, of these or of other names."""
    if file.name in _USUAL:
        return True
    try:
        if file.suffix.lower() in YAML:
            content = _mapping(file)
            return "names" in content and any(name in content for name in SPLITS)
        return file.suffix.lower() == DATA and "names" in _options(file)
    except SternaError:
        return False  # another program's file


def _has_rows(folder: Path) -> bool:
    """Whether a text in `folder` or the two levels below starts as label files do; other formats may list names too."""
    texts = chain.from_iterable(sorted(folder.glob(pattern)) for pattern in ("*.txt", "*/*.txt", "*/*/*.txt"))
    return any(_starts_with_row(text) for text in islice(texts, _LOOKED_AT))


def _starts_with_row(file: Path) -> bool:
    try:
        first = next((line for line in read_lines(file, "the list of objects") if line.strip()), "")
        return len(first.split()) > 4 and parse(first.split(), None, str(file)).number >= 0
    except SternaError:
        return False


def _read(file: Path, root: Path) -> Index:
    if file.suffix.lower() in YAML:
        index = _ultralytics(file)
    elif file.suffix.lower() == DATA:
        index = _darknet(file)
    else:
        lists = _by_lists(root)
        whole = None if lists else _whole(root)
        index = Index(file, root, class_names.listed(file), lists or _by_folders(root), whole=whole)
    class_names.check(index.names, file)
    return index


# Lists of names, with lists of images or with folders


def _by_lists(root: Path) -> dict[str, list[str]]:
    """train.txt and others, each a list of images."""
    return _grouped({name: [f"{name}.txt"] for name in SPLITS if (root / f"{name}.txt").is_file()}, root)


def _by_folders(root: Path) -> dict[str, list[str]]:
    """Folders called as splits are, in `images` or here; without such, all images are to train on."""
    for folder in (root / IMAGES, root):
        found = {name: [str((folder / name).relative_to(root))] for name in SPLITS if (folder / name).is_dir()}
        if found:
            return _grouped(found, root)
    return {"train": [str(_whole(root).relative_to(root))]}


def _whole(root: Path) -> Path:
    return root / IMAGES if (root / IMAGES).is_dir() else root


def _grouped(places: Mapping[str, list[str]], where: Path) -> dict[str, list[str]]:
    """Places by Sterna's name of the split; raises SternaError if two names of a split have different ones."""
    grouped: dict[str, list[str]] = {}
    for name, of_name in places.items():
        split = SPLITS[name]
        if grouped.setdefault(split, of_name) != of_name:
            raise SternaError(
                "a split is given under two names",
                where=str(where),
                attribute=split,
                value=reprlib.repr([grouped[split], of_name]),
                allowed="one of " + ", ".join(other for other in places if SPLITS[other] == split),
                remedy="delete the wrong one",
            )
    return grouped


# obj.data of Darknet


def _darknet(file: Path) -> Index:
    """`key = value` lines. Paths count from where darknet was started, which is not known: they are looked for."""
    options = _options(file)
    if "names" not in options:
        raise SternaError(
            "does not say where the class names are",
            where=str(file),
            attribute="names",
            value="(missing)",
            remedy="add the line",
        )
    names = Locator(file, [file.parent], [[file.parent.parent]]).place(options["names"])
    if names is None:
        raise SternaError(
            "the list of class names is missing",
            where=str(file),
            attribute="names",
            value=options["names"],
            remedy="correct the path, or put the list next to the file",
        )
    of_names = class_names.listed(names)
    if "classes" in options and options["classes"] != str(len(of_names)):
        raise SternaError(
            "the list of class names has the wrong length",
            where=str(file),
            attribute="classes",
            value=options["classes"],
            allowed=f"{len(of_names)}, the lines of {names}",
            remedy="correct classes or the list",
        )
    places = {name: [options[name]] for name in SPLITS if options.get(name)}
    notes = _unused(file, options, ("names", "classes"))
    return Index(file, file.parent, of_names, _grouped(places, file), notes=notes, other=names)


def _options(file: Path) -> dict[str, str]:
    options: dict[str, str] = {}
    for number, line in enumerate(read_lines(file, "the description of the data set"), 1):
        if not line.strip() or line.lstrip()[0] in "#;":
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not (key and equals) or options.get(key, value) != value:
            raise SternaError(
                f"{key} is given twice" if key in options else "a line that is not key = value",
                where=f"{file}, line {number}",
                value=line.strip()[:60],
                remedy="correct the line",
            )
        options[key] = value
    return options


# data.yaml of Ultralytics


def _mapping(file: Path) -> Mapping[str, Any]:
    content = read_yaml(file, "the description of the data set", typed=False)
    if not isinstance(content, Mapping):
        raise SternaError("holds no names and paths", where=str(file), remedy="give it train, val and names")
    return content


def _ultralytics(file: Path) -> Index:
    content = _mapping(file)
    names = _yaml_names(content, file)
    places = {name: _texts(content[name], name, file) for name in SPLITS if content.get(name) not in (None, *_NOTHING)}
    root, notes = _yaml_root(content, file)
    notes += _unused(file, content, ("path", "names", "nc", "kpt_shape"))
    return Index(file, root, names, _grouped(places, file), _points(content, file), notes)


def _yaml_root(content: Mapping[str, Any], file: Path) -> tuple[Path, list[str]]:
    """Where paths count from. A `path` that ends in the name of the file's folder means that folder."""
    text = content.get("path")
    if text is None or text in _NOTHING:
        return file.parent, []
    if isinstance(text, str):
        if exists(file.parent / text):
            return file.parent / text, []
        if re.split(r"[/\\]", text.rstrip("/\\"))[-1] == file.parent.resolve().name:
            return file.parent, [f"{file.name}: path {text} is read as the file's folder, which has that name"]
    raise SternaError(
        "the folder of the data set is missing",
        where=str(file),
        attribute="path",
        value=reprlib.repr(text),
        allowed="a folder, absolute or from the folder of the file",
        remedy="correct path, or delete it if the other paths count from the folder of the file",
    )


def _texts(value: Any, name: str, file: Path) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text not in _NOTHING for text in texts):
        raise SternaError(
            "the images of a split are not given as paths",
            where=str(file),
            attribute=name,
            value=reprlib.repr(value),
            allowed="a path or a list of paths",
            remedy="correct the paths",
        )
    return texts


def _yaml_names(content: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    given, count = content.get("names"), content.get("nc")
    names = given
    if isinstance(given, Mapping) and sorted(given, key=str) == sorted(map(str, range(len(given)))):
        names = [given[str(number)] for number in range(len(given))]
    right = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not right or (count is not None and str(count).strip() != str(len(names))):  # type: ignore[arg-type]
        raise SternaError(
            "the class names are not in a YOLO form",
            where=str(file),
            attribute="names",
            value=f"{reprlib.repr(given)}, nc {'not given' if count is None else str(count)[:20]}",
            allowed="a list, or a mapping of numbers from 0 without gaps to names; nc of them",
            remedy="correct names or nc",
        )
    return tuple(str(name) for name in names or ())


def _points(content: Mapping[str, Any], file: Path) -> Points | None:
    shape = content.get("kpt_shape")
    if shape is None:
        return None
    if not isinstance(shape, list) or len(shape) != 2 or not all(re.fullmatch("[0-9]{1,4}", str(one)) for one in shape):
        raise SternaError(
            "kpt_shape is not in the YOLO form",
            where=str(file),
            attribute="kpt_shape",
            value=reprlib.repr(shape),
            allowed="[points, numbers per point], such as [17, 3]; [0, 0] if rows have no points",
            remedy="correct kpt_shape",
        )
    return Points(int(shape[0]), int(shape[1]))


def _unused(file: Path, given: Sequence[str] | Mapping[str, Any], used: Sequence[str]) -> list[str]:
    keys = [str(key)[:30] for key in given if key not in used and key not in SPLITS]
    return [f"{file.name}: not used: {', '.join(keys[:20])}"] if keys else []
