"""YOLO text labels: a row `class x y width height` for each object, in shares of the picture.

Two ways to say where the pictures are: the data.yaml of Ultralytics, and Darknet's *.names with lists of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sterna.errors import SternaError
from sterna.run.pictures import among
from sterna.text import read_lines, read_text
from sterna.train.data.formats.canvas import Exif, canvas
from sterna.train.data.formats.record import (
    LabelledObject,
    Record,
    Unread,
    check_different,
    collect,
    empty_split,
    inside,
    is_of_system,
    no_split,
    passed_over,
)

SPLITS = {"train": "train", "val": "val", "valid": "val", "test": "test"}  # as written: as Sterna names it
NO_LABELS = ("classes.txt", *(f"{name}.txt" for name in SPLITS))  # text that lies beside label files
RULE = "x y width height as shares of the picture, 0..1"


class _Entry(NamedTuple):
    picture: Path
    labels: Path
    listed: Path


class YoloFolder:
    """A folder with YOLO labels, or its data.yaml. A picture without a label file is one without objects."""

    format = "YOLO"
    looked_for = "data.yaml (YOLO) or *.names and train.txt (Darknet)"

    def __init__(self, path: Path, exif: Exif = Exif.UPRIGHT) -> None:
        index = _index(path)
        assert index is not None, "recognises() comes first"
        self._index, self._exif = index, exif
        self._root, self._names, self._splits = (_darknet if index.suffix == ".names" else _ultralytics)(index)
        if not self._names:
            raise SternaError("no class is named", where=str(index), remedy="list the class names")
        check_different(self._names, "class name", index)

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether `path` is a data.yaml or a folder with such, or with Darknet's lists."""
        return _index(path) is not None

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of train, val and test that are named."""
        return tuple(self._splits)

    def classes(self, split: str) -> tuple[str, ...]:
        """The class names; an object's class number counts them from 0."""
        return self._names

    def entries(self, split: str) -> list[_Entry]:
        """The pictures of a split, by folder and name or as listed."""
        if split not in self._splits:
            raise no_split(self._index, split, self.splits)
        places = [self._place(text) for text in self._splits[split]]
        entries = [_Entry(path, _label_file(path), place) for place in places for path in self._pictures(place)]
        if not entries:
            raise empty_split(places[0] if places else self._index)
        if not any(entry.labels.is_file() for entry in entries):
            raise SternaError(
                "no picture of the split has a label file",
                where=str(places[0]),
                attribute="labels",
                value=entries[0].labels,
                remedy="put the label files there: the folder `images` of the path becomes `labels`, the suffix .txt",
            )
        return entries

    def record(self, entry: _Entry) -> Record:
        """Picture and label file of an entry."""
        drawn_on = canvas(entry.picture, entry.listed, self._exif)
        rows = read_lines(entry.labels, "the list of objects") if entry.labels.exists() else []
        rows_of_text = ((number, row.split()) for number, row in enumerate(rows, 1) if row.strip())
        return collect(
            drawn_on,
            rows_of_text,
            lambda row: self._object(row[1], drawn_on.size, f"{entry.labels}: line {row[0]}"),
            labelled=entry.labels.exists(),
        )

    def unread(self, split: str) -> Unread:
        """Label files without a picture, and files that are neither, in the folders of the split's pictures."""
        entries = self.entries(split)
        places = {entry.labels.parent: entry.picture.parent for entry in entries}
        found = Unread()
        for labels, folder in places.items():
            files = {path for place in {labels, folder} for path in place.glob("*") if path.is_file()}
            images = set(among(files))
            texts = {path for path in files if _may_be_labels(path)}
            stems = {path.stem for path in images}
            alone = {path for path in texts if path.parent == labels and path.stem not in stems}
            found.labels += sorted(alone - {entry.labels for entry in entries})
            found.files += passed_over(files - images - texts)
        return found

    def _place(self, text: str) -> Path:
        """The folder of pictures, or list of them, that the index names."""
        # Roboflow writes ../train/images for what lies beside its data.yaml.
        candidates = [self._root / text, self._root / text.removeprefix("../")]
        for path in candidates:
            if path.exists():
                return path
        raise SternaError(
            "the pictures of a split are not there",
            where=str(self._index),
            attribute="path",
            value=text,
            allowed=" or ".join(str(path) for path in dict.fromkeys(candidates)),
            remedy="correct the path, which counts from `path` in the file or else from the file's folder",
        )

    def _pictures(self, place: Path) -> list[Path]:
        if place.is_dir():
            return among(place.rglob("*"))
        lines = read_lines(place, "the list of pictures")
        return [self._listed(line.strip(), place) for line in lines if line.strip()]

    def _listed(self, text: str, listed: Path) -> Path:
        """A picture of a list: paths count from the list, the root, or (Darknet) from where training was started."""
        candidates = [folder / text for folder in (listed.parent, self._root, listed.parent.parent)]
        return next((path for path in candidates if path.is_file()), candidates[0])

    def _object(self, fields: Sequence[str], size: tuple[int, int], where: str) -> LabelledObject:
        try:
            number, shares = int(fields[0]), [float(text) for text in fields[1:]]
        except ValueError:
            raise _bad_row(fields, where) from None
        if len(shares) != 4 and (len(shares) < 6 or len(shares) % 2):
            raise _bad_row(fields, where)
        if not 0 <= number < len(self._names):
            raise SternaError(
                "a class number that has no name",
                where=where,
                attribute="class",
                value=number,
                allowed=f"0..{len(self._names) - 1}",
                remedy=f"correct the row or name the class in {self._index}",
            )
        left, top, right, bottom = _edges(shares)
        pixels = (left * size[0], top * size[1], right * size[0], bottom * size[1])
        where = f"{where} ({self._names[number]})"
        return LabelledObject(self._names[number], inside(pixels, size, where, " ".join(fields[1:]), RULE), False)


def _edges(shares: Sequence[float]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a box given by its centre, or around a polygon x y x y ... as of segmentation."""
    if len(shares) == 4:
        x, y, width, height = shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])


def _bad_row(fields: Sequence[str], where: str) -> SternaError:
    return SternaError(
        "a row that is no object",
        where=where,
        attribute="row",
        value=" ".join(fields)[:60],
        allowed=f"class number, then {RULE}, or a polygon",
        remedy="correct or delete the row",
    )


def _label_file(picture: Path) -> Path:
    """The last folder called `images` on the way to the picture becomes `labels`."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _may_be_labels(path: Path) -> bool:
    return path.suffix == ".txt" and path.name not in NO_LABELS and not is_of_system(path)


def _index(path: Path) -> Path | None:
    """The file that names classes and splits."""
    if path.is_file():
        return path if path.suffix.lower() in (".yaml", ".yml", ".names") else None
    found = [path / name for name in ("data.yaml", "data.yml", "dataset.yaml") if (path / name).is_file()]
    if not found and any((path / f"{name}.txt").is_file() for name in SPLITS):
        found = sorted(path.glob("*.names"))
    return found[0] if found else None


_Index = tuple[Path, tuple[str, ...], dict[str, list[str]]]  # root of paths, class names, places by split


def _darknet(index: Path) -> _Index:
    names = read_lines(index, "the list of class names")
    lists = {split: [f"{name}.txt"] for name, split in SPLITS.items() if (index.parent / f"{name}.txt").is_file()}
    return index.parent, tuple(name.strip() for name in names if name.strip()), lists


def _ultralytics(index: Path) -> _Index:
    try:
        content = yaml.safe_load(read_text(index, "the description of the data set"))
    except yaml.YAMLError as error:
        raise SternaError(f"cannot be read as YAML ({error})", where=str(index), remedy="correct the file") from None
    if not isinstance(content, Mapping):
        raise SternaError("holds no names and paths", where=str(index), remedy="give it train, val and names")
    root = index.parent / str(content.get("path") or ".")
    places = {split: _texts(content[name]) for name, split in SPLITS.items() if content.get(name)}
    return (root if root.is_dir() else index.parent), _class_names(content, index), places


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def _class_names(content: Mapping[str, Any], index: Path) -> tuple[str, ...]:
    names = content.get("names")
    if isinstance(names, Mapping) and sorted(names, key=str) == sorted(range(len(names)), key=str):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or content.get("nc", len(names)) != len(names):
        raise SternaError(
            "the class names are not as YOLO has them",
            where=str(index),
            attribute="names",
            value=f"{names}, nc {content.get('nc', 'not given')}"[:90],
            allowed="a list, or numbers from 0 without gaps each with its name, as many as nc says",
            remedy="correct names or nc",
        )
    return tuple(str(name) for name in names)
