"""COCO annotations of objects (Lin et al. 2014): one JSON file a split, beside a folder of images."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sterna.errors import SternaError
from sterna.train.data.formats.canvas import Exif, canvas
from sterna.train.data.formats.coco_file import Annotation, Box, CocoFile, Id, Image, file_names, is_coco, load, shown
from sterna.train.data.formats.listing import NOT_LISTED
from sterna.train.data.formats.places import Locator, exists
from sterna.train.data.formats.record import (
    ROTATION,
    TURNED,
    LabelledObject,
    LeftOut,
    Record,
    Unread,
    collect,
    degrees,
    inside,
    no_split,
    turned,
)
from sterna.vision.image_files import among

ANNOTATIONS = "annotations"
PREFIX = "instances_"
BESIDE = "_annotations.coco.json"  # in the folder of the images, as Roboflow writes
RULE = "left, top, width, height in pixels from 0"
NO_BOX = "no box, and no polygon as mask"


@dataclass(frozen=True, eq=False)
class _Entry:
    """An image with its annotations, each with the box around its mask if it has no other."""

    image: Image
    annotations: list[tuple[Annotation, Box | None]]
    path: Path
    names: dict[Id, str]
    file: Path


@dataclass(frozen=True)
class _Orphans:
    """The annotations of an image that is not listed."""

    image_id: Id
    count: int
    file: Path


class CocoFolder:
    """A folder with COCO annotations, or one annotation file; its splits are the annotation files."""

    format = "COCO"
    looked_for = f"{ANNOTATIONS}/{PREFIX}*.json, {BESIDE} or another *.json of this form (COCO)"

    def __init__(self, path: Path, exif: Exif = Exif.UPRIGHT) -> None:
        self._root = path if path.is_dir() else path.parent
        self._files = _split_files(path)
        self._exif = exif
        self._read: tuple[str, CocoFile, list[str]] | None = None
        self._images: dict[str, list[Path]] = {}

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether `path` is a COCO file or a folder with such."""
        return bool(_split_files(path))

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits: of instances_train2017.json, `train`; of valid/_annotations.coco.json, `val`."""
        return tuple(sorted(self._files))

    def classes(self, split: str) -> tuple[str, ...]:
        """The categories of the split's file, in its order, without those that only group others."""
        return self._content(split)[0].classes

    def entries(self, split: str) -> list[_Entry | _Orphans]:
        """The images of the split's file with their annotations, and annotations of images that it does not list."""
        content, notes = self._content(split)
        locator = _locator(content.path, split)
        paths = locator.files([image["file_name"] for image in content.images])
        if not any(map(exists, paths)):
            raise SternaError(
                "the images are not found",
                where=str(content.path),
                attribute="file_name",
                value=content.images[0]["file_name"],
                allowed="in one of "
                + ", ".join(dict.fromkeys(map(str, chain.from_iterable(_folders(content.path, split))))),
                remedy="put the images into one of these folders",
            )
        notes[:] = [*content.notes, *locator.notes]
        self._images[split] = paths
        return [
            *(
                _Entry(image, content.annotations.get(image["id"], []), path, content.names, content.path)
                for image, path in zip(content.images, paths, strict=True)
            ),
            *(_Orphans(image, count, content.path) for image, count in content.orphans.items()),
        ]

    def record(self, entry: _Entry | _Orphans) -> Record:
        """Image and objects of an entry."""
        if isinstance(entry, _Orphans):
            raise SternaError(
                f"annotations of an image that the file does not list: {entry.count}",
                where=str(entry.file),
                attribute="image_id",
                value=shown(entry.image_id),
                remedy="add the image to `images` or delete the annotations",
            )
        where = f"{entry.file}: image {entry.image['file_name']}"
        said = entry.image.get("width"), entry.image.get("height")
        drawn_on = canvas(entry.path, entry.file, self._exif, said, where)
        notes: Counter[str] = Counter()

        def make(found: tuple[Annotation, Box | None]) -> LabelledObject | LeftOut:
            made = _object(*found, drawn_on.size, entry)
            if isinstance(made, LabelledObject) and found[0].get("bbox") and (angle := _rotation(found[0])):
                notes[TURNED] += 1
                made = made._replace(box=turned(made.box, angle, drawn_on.size))
            return made

        record = collect(drawn_on, entry.annotations, make)
        return record._replace(notes=(*record.notes, *notes))

    def unread(self, split: str) -> Unread:
        """What the file states and Sterna does not use, and images in the split's folders that no file lists."""
        _, notes = self._content(split)
        return Unread(files=Counter({NOT_LISTED: len(self._not_listed(split))}), notes=list(notes))

    def _not_listed(self, split: str) -> set[Path]:
        """Images in the folders of a split's images that neither its file nor that of another split lists."""
        folders = {image.parent for image in self._images[split]}
        there = {path for folder in folders if folder.is_dir() for path in among(folder.iterdir())}
        there -= set(self._images[split])
        for other in self.splits if there else ():  # files are long
            if other not in self._images:
                file = self._files[other]
                self._images[other] = _locator(file, other).files(file_names(file))
            there -= set(self._images[other])
        return there

    def _content(self, split: str) -> tuple[CocoFile, list[str]]:
        """The file of a split, and notes on it; the last one is kept, since each method asks for it."""
        if split not in self._files:
            raise no_split(self._root, split, self.splits)
        if self._read is None or self._read[0] != split:
            content = load(self._files[split])
            self._read = split, content, list(content.notes)
        return self._read[1:]


def _folders(file: Path, split: str) -> list[list[Path]]:
    """Where the images of a file may lie: its own folder, those of its name, of its split, of all images."""
    root = file.parent.parent if file.parent.name == ANNOTATIONS else file.parent
    images = root / "images"
    names = dict.fromkeys([_long_name(file), split])
    return [[file.parent], *([root / name, images / name] for name in names), [images, root]]


def _locator(file: Path, split: str) -> Locator:
    near, *far = _folders(file, split)
    return Locator(file, near, far, tails=[*near, *chain.from_iterable(far)])


def _split_files(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {_split_name(path): path} if path.suffix.lower() == ".json" else {}
    files = sorted((path / ANNOTATIONS).glob(f"{PREFIX}*.json")) or sorted((path / ANNOTATIONS).glob("*.json"))
    files += [*sorted(path.glob(f"*/{BESIDE}")), *path.glob(BESIDE)]
    files = files or [file for file in sorted(path.glob("*.json")) if is_coco(file)]
    short = {_split_name(file): file for file in files}
    # Two years of one split, as in instances_train2014 and instances_train2017, keep their long names.
    return short if len(short) == len(files) else {_long_name(file): file for file in files}


def _long_name(file: Path) -> str:
    return file.parent.name if file.name == BESIDE else file.stem.removeprefix(PREFIX)


def _split_name(file: Path) -> str:
    name = _long_name(file)
    plain = re.sub(r"^(train|val|test)\d{4}$", r"\1", name.lower())
    if plain in ("valid", "validation"):
        return "val"
    return plain if plain in ("train", "val", "test") else name


def _object(
    annotation: Annotation, extent: Box | None, size: tuple[int, int], entry: _Entry
) -> LabelledObject | LeftOut:
    category, file_name = annotation["category_id"], entry.image["file_name"]
    where = f"{entry.file}: annotation {annotation.get('id', '(no id)')} of {file_name}"
    if category not in entry.names:
        raise SternaError(
            "an object of a category that the file does not list",
            where=where,
            attribute="category_id",
            value=shown(category),
            allowed=", ".join(shown(number) for number in entry.names),
            remedy="correct the annotation or add the category",
        )
    where += f" ({entry.names[category]})"
    box, written = extent, "the extent of its mask"
    if given := annotation.get("bbox"):
        box, written = _corners(given, where), str(given)
    if box is None:
        return LeftOut(NO_BOX)
    cut = inside(box, size, where, written, RULE)
    return LabelledObject(entry.names[category], cut, crowd=bool(annotation.get("iscrowd")))


def _rotation(annotation: Annotation) -> float:
    """Degrees by which CVAT's box is turned; 0 if nothing says so."""
    attributes = annotation.get("attributes")
    return degrees(attributes.get(ROTATION)) if isinstance(attributes, dict) else 0.0


def _corners(given: list[float], where: str) -> Box:
    if len(given) != 4:
        raise SternaError(
            "a box that is not four numbers",
            where=where,
            attribute="bbox",
            value=str(given)[:60],
            allowed=RULE,
            remedy="correct or delete the object",
        )
    left, top, width, height = given
    return left, top, left + width, top + height
