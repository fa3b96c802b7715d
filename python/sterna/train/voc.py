"""Pascal VOC folders: JPEGImages, Annotations and ImageSets/Main (Everingham et al. 2010)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from sterna.errors import SternaError
from sterna.train.frames import Frame

SMALLEST_SIDE = 2.0  # pixels of the resized picture; boxes thinner than this count as difficult
PICTURES, LABELS, SETS = "JPEGImages", "Annotations", "ImageSets/Main"


@dataclass(frozen=True)
class _Object:
    name: str
    box: tuple[float, float, float, float]
    difficult: bool


class VocSet:
    """One image set of a VOC folder, resized to height x width (aspect not kept), as a dataset.

    classes None: the sorted names of all objects in the folder's annotations of this set; otherwise every object must
    be of one of `classes`. Raises SternaError that names the file for anything missing, unreadable or inconsistent.
    """

    def __init__(
        self, folder: Path, split: str, height: int, width: int, classes: tuple[str, ...] | None = None
    ) -> None:
        self._folder, self._height, self._width = folder, height, width
        self._names = _image_set(folder, split)
        self._objects = [_read_labels(folder / LABELS / f"{name}.xml") for name in self._names]
        found = sorted({thing.name for things in self._objects for thing in things})
        self.classes = tuple(found) if classes is None else classes
        self._check_classes(split)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Frame:
        path = self._folder / PICTURES / f"{self._names[index]}.jpg"
        picture = _read_picture(path)
        factors = np.array([self._width / picture.width, self._height / picture.height] * 2)
        things = self._objects[index]
        boxes = np.array([thing.box for thing in things], np.float64).reshape(-1, 4)
        limits = [self._width, self._height, self._width, self._height]
        resized = (boxes * factors).clip(0, limits).astype(np.float32)
        tiny = (resized[:, 2:] - resized[:, :2]).min(1, initial=np.inf) < SMALLEST_SIDE
        small = picture.resize((self._width, self._height), Image.Resampling.BILINEAR)
        return Frame(
            np.asarray(small),
            resized,
            np.array([self.classes.index(thing.name) for thing in things], np.int64),
            np.array([thing.difficult for thing in things], bool) | tiny,
        )

    def _check_classes(self, split: str) -> None:
        if not self.classes:
            raise SternaError(
                "no labelled object in the image set",
                where=f"{self._folder}/{SETS}/{split}.txt",
                remedy="name an image set whose annotations hold objects",
            )
        for name, things in zip(self._names, self._objects, strict=True):
            for thing in things:
                if thing.name not in self.classes:
                    raise SternaError(
                        "an object of a class that the training pictures do not have",
                        where=f"{self._folder}/{LABELS}/{name}.xml",
                        attribute="name",
                        value=thing.name,
                        allowed=", ".join(self.classes),
                        remedy="correct the annotation or train on a set that holds this class",
                    )


def splits(folder: Path) -> list[str]:
    """Names of the image sets in `folder`, sorted."""
    return sorted(path.stem for path in (folder / SETS).glob("*.txt"))


def _image_set(folder: Path, split: str) -> list[str]:
    for part in (PICTURES, LABELS, SETS):
        if not (folder / part).is_dir():
            raise SternaError(
                f"no folder {part}",
                where=str(folder),
                remedy=f"give a Pascal VOC folder, which holds {PICTURES}, {LABELS} and {SETS}",
            )
    path = folder / SETS / f"{split}.txt"
    if not path.is_file():
        raise SternaError(
            "no such image set",
            where=str(folder / SETS),
            attribute="split",
            value=split,
            allowed=", ".join(splits(folder)) or "none there",
        )
    # A line may carry a flag behind the name, as in the class lists of the original challenge.
    names = [
        line.split()[0] for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
    ]
    if not names:
        raise SternaError("the image set is empty", where=str(path), remedy="list one picture name a line")
    for name in names:
        if not (folder / PICTURES / f"{name}.jpg").is_file():
            raise SternaError(
                "a listed picture is missing",
                where=str(path),
                attribute="picture",
                value=f"{name}.jpg",
                remedy=f"add it to {PICTURES} or take it from the list",
            )
    return names


def _read_labels(path: Path) -> list[_Object]:
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        raise SternaError(
            "the annotation is missing", where=str(path), remedy="add it or take its picture from the list"
        ) from None
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise SternaError(f"the annotation cannot be read ({error})", where=str(path)) from None
    return [_read_object(element, path) for element in root.iter("object")]


def _read_object(element: ElementTree.Element, path: Path) -> _Object:
    name = (element.findtext("name") or "").strip()
    corners = [element.findtext(f"bndbox/{corner}") or "" for corner in ("xmin", "ymin", "xmax", "ymax")]
    try:
        left, top, right, bottom = (float(text) for text in corners)
    except ValueError:
        left = top = right = bottom = float("nan")
    if not name or not (left <= right and top <= bottom):
        raise SternaError(
            "an object without name or with a box inside out",
            where=str(path),
            attribute="bndbox",
            value=f"{name or '(no name)'} {' '.join(corners)}",
            allowed="xmin <= xmax and ymin <= ymax",
            remedy="correct the annotation",
        )
    # VOC counts pixels from 1 and includes the last one.
    return _Object(name, (left - 1, top - 1, right, bottom), (element.findtext("difficult") or "0").strip() == "1")


def _read_picture(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SternaError(f"the picture cannot be read ({error})", where=str(path), remedy="replace the file") from None
