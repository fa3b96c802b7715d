"""Pascal VOC folders: JPEGImages, Annotations and ImageSets/Main (Everingham et al. 2010)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.run.pictures import SUFFIXES, among
from sterna.text import read_lines, read_xml
from sterna.train.data.formats.canvas import Exif, canvas, there
from sterna.train.data.formats.record import (
    LabelledObject,
    Record,
    Unread,
    collect,
    empty_split,
    inside,
    is_of_system,
    no_split,
    passed_over,
)

PICTURES, LABELS, SETS = "JPEGImages", "Annotations", "ImageSets/Main"
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class _Entry(NamedTuple):
    name: str
    listed: Path


class VocFolder:
    """A Pascal VOC folder; its splits are the image sets in ImageSets/Main."""

    format = "Pascal VOC"
    looked_for = f"{PICTURES}, {LABELS} and {SETS} (Pascal VOC)"

    def __init__(self, folder: Path, exif: Exif = Exif.UPRIGHT) -> None:
        for part in (PICTURES, LABELS, SETS):
            if not (folder / part).is_dir():
                raise SternaError(
                    f"no folder {part}",
                    where=str(folder),
                    remedy=f"give a Pascal VOC folder, which holds {PICTURES}, {LABELS} and {SETS}",
                )
        self._folder, self._exif = folder, exif

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether `path` is meant as a Pascal VOC folder."""
        return (path / PICTURES).is_dir() or ((path / LABELS).is_dir() and (path / SETS).is_dir())

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the image sets."""
        return tuple(sorted(path.stem for path in (self._folder / SETS).glob("*.txt")))

    def classes(self, split: str) -> None:
        """VOC declares none."""
        return

    def entries(self, split: str) -> list[_Entry]:
        """The pictures that an image set lists."""
        listed = self._folder / SETS / f"{split}.txt"
        if split not in self.splits:
            raise no_split(self._folder / SETS, split, self.splits)
        names = self._listed(split)
        if not names:
            raise empty_split(listed)
        return [_Entry(name, listed) for name in names]

    def _listed(self, split: str) -> list[str]:
        """The names in an image set."""
        lines = read_lines(self._folder / SETS / f"{split}.txt", "the list of pictures")
        # A line may carry a flag behind the name, as in the class lists of the original challenge.
        return [line.split()[0] for line in lines if line.strip()]

    def record(self, entry: _Entry) -> Record:
        """Picture and annotation of an entry."""
        picture = there(self._picture(entry.name), entry.listed)
        path = self._folder / LABELS / f"{entry.name}.xml"
        root = _parse(path)
        said = [root.findtext(f"size/{side}") or "" for side in ("width", "height")]
        width, height = (int(text) if text.strip().isdecimal() else None for text in said)
        drawn_on = canvas(picture, entry.listed, self._exif, (width, height), path)
        return collect(drawn_on, enumerate(root.iter("object"), 1), lambda found: _object(found, drawn_on.size, path))

    def unread(self, split: str) -> Unread:
        """Annotations without a picture that no list names, and other files, in the folders of the data set."""
        listed = {name for each in self.splits for name in self._listed(each)}
        files = sorted(path for path in (self._folder / PICTURES).iterdir() if path.is_file())
        known = listed | {path.stem for path in among(files)}
        labels = sorted(path for path in (self._folder / LABELS).iterdir() if path.is_file())
        annotations = [path for path in labels if path.suffix.lower() == ".xml" and not is_of_system(path)]
        return Unread(
            [path for path in annotations if path.stem not in known],
            passed_over({*files, *labels} - {*among(files), *annotations}),
        )

    def _picture(self, name: str) -> Path:
        stem = self._folder / PICTURES / name
        candidates = [stem.with_name(stem.name + suffix) for suffix in (".jpg", *SUFFIXES)]
        return next((path for path in candidates if path.is_file()), candidates[0])


def _parse(path: Path) -> ElementTree.Element:
    if not path.exists():
        raise SternaError(
            "the annotation is missing", where=str(path), remedy="add it or take its picture from the list"
        )
    return read_xml(path, "the annotation")


def _object(found: tuple[int, ElementTree.Element], size: tuple[int, int], path: Path) -> LabelledObject:
    number, element = found
    name = (element.findtext("name") or "").strip()
    where = f"{path}: object {number} ({name or 'no name'})"
    texts = [(element.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
    if not name:
        raise SternaError("an object without a name", where=where, remedy="name its class or delete the object")
    try:
        left, top, right, bottom = (float(text) for text in texts)
    except ValueError:
        left = top = right = bottom = float("nan")
    # VOC counts pixels from 1 and includes the last one: a box from 9 to 9 is one pixel wide.
    box = inside((left - 1, top - 1, right, bottom), size, where, " ".join(texts), " ".join(CORNERS) + " from 1")
    return LabelledObject(name, box, (element.findtext("difficult") or "0").strip() == "1")
