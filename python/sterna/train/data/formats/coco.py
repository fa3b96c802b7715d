"""COCO annotations of objects (Lin et al. 2014): one JSON file a split, beside a folder of pictures."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NotRequired

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # what pydantic asks for before Python 3.12

from sterna.errors import SternaError
from sterna.text import read_text
from sterna.train.data.formats.canvas import Exif, canvas
from sterna.train.data.formats.record import (
    LabelledObject,
    Record,
    Unread,
    check_different,
    collect,
    empty_split,
    inside,
    no_split,
)

ANNOTATIONS = "annotations"
PREFIX = "instances_"
BESIDE = "_annotations.coco.json"  # in the folder of the pictures, as Roboflow writes

Id = int | str


class _Image(TypedDict):
    id: Id
    file_name: str
    width: NotRequired[int | None]
    height: NotRequired[int | None]


class _Annotation(TypedDict):
    id: NotRequired[Id]
    image_id: Id
    category_id: Id
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)]
    iscrowd: NotRequired[int]


class _Category(TypedDict):
    id: Id
    name: str
    supercategory: NotRequired[str | None]


class _Content(TypedDict):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


@dataclass(frozen=True, eq=False)
class _Entry:
    image: _Image
    annotations: list[_Annotation]
    names: dict[Id, str]
    folder: Path
    file: Path


class CocoFolder:
    """A folder with COCO annotations, or one annotation file; its splits are the annotation files."""

    format = "COCO"
    looked_for = f"{ANNOTATIONS}/{PREFIX}*.json or {BESIDE} (COCO)"

    def __init__(self, path: Path, exif: Exif = Exif.UPRIGHT) -> None:
        self._root = path if path.is_dir() else path.parent
        self._files = _split_files(path)
        self._exif = exif
        self._read: tuple[str, _Content] | None = None

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
        content = self._content(split)
        used = {annotation["category_id"] for annotation in content["annotations"]}
        above = {found["name"]: found.get("supercategory") for found in content["categories"]}
        groups = {group for name, group in above.items() if group != name}
        return tuple(
            found["name"] for found in content["categories"] if found["id"] in used or found["name"] not in groups
        )

    def entries(self, split: str) -> list[_Entry]:
        """The images of the split's file with their annotations."""
        content, file = self._content(split), self._files[split]
        by_image: defaultdict[Id, list[_Annotation]] = defaultdict(list)
        for annotation in content["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        unknown = by_image.keys() - {image["id"] for image in content["images"]}
        if unknown:
            raise SternaError(
                "an annotation of an image that the file does not list",
                where=str(file),
                attribute="image_id",
                value=min(unknown, key=str),
                remedy="add the image to `images` or delete the annotation",
            )
        names = {category["id"]: category["name"] for category in content["categories"]}
        folder = self._pictures(content["images"][0]["file_name"], split)
        return [_Entry(image, by_image.get(image["id"], []), names, folder, file) for image in content["images"]]

    def record(self, entry: _Entry) -> Record:
        """Picture and objects of an entry."""
        picture = entry.folder / entry.image["file_name"]
        where = f"{entry.file}: image {entry.image['file_name']}"
        said = entry.image.get("width"), entry.image.get("height")
        drawn_on = canvas(picture, entry.file, self._exif, said, where)
        return collect(drawn_on, entry.annotations, lambda annotation: _object(annotation, drawn_on.size, entry))

    def unread(self, split: str) -> Unread:
        """Nothing: the file of the split lists its images, and other splits may lie in the same folder."""
        return Unread()

    def _content(self, split: str) -> _Content:
        """The file of a split; the last one is kept, since each method asks for it."""
        if split not in self._files:
            raise no_split(self._root, split, self.splits)
        if self._read is None or self._read[0] != split:
            self._read = split, _load(self._files[split])
        return self._read[1]

    def _pictures(self, first: str, split: str) -> Path:
        """The folder that holds the picture file named `first`."""
        file = self._files[split]
        long = file.stem.removeprefix(PREFIX)
        root = file.parent.parent if file.parent.name == ANNOTATIONS else file.parent
        names = (long, f"images/{long}", split, f"images/{split}", "images", ".")
        folders = [file.parent, *(root / name for name in names)]
        for folder in folders:
            if (folder / first).is_file():
                return folder
        raise SternaError(
            "the pictures are not found",
            where=str(file),
            attribute="file_name",
            value=first,
            allowed="in one of " + ", ".join(str(folder) for folder in dict.fromkeys(folders)),
            remedy="put the pictures into one of these folders",
        )


def _split_files(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {_split_name(path): path} if path.suffix.lower() == ".json" else {}
    files = sorted((path / ANNOTATIONS).glob(f"{PREFIX}*.json")) or sorted((path / ANNOTATIONS).glob("*.json"))
    files += [*sorted(path.glob(f"*/{BESIDE}")), *path.glob(BESIDE)]
    short = {_split_name(file): file for file in files}
    # Two years of one split, as in instances_train2014 and instances_train2017, keep their long names.
    return short if len(short) == len(files) else {_long_name(file): file for file in files}


def _long_name(file: Path) -> str:
    return file.parent.name if file.name == BESIDE else file.stem.removeprefix(PREFIX)


def _split_name(file: Path) -> str:
    name = re.sub(r"^(train|val|test)\d{4}$", r"\1", _long_name(file))
    return "val" if name == "valid" else name


_READER = TypeAdapter(_Content)


def _load(file: Path) -> _Content:
    try:
        content = _READER.validate_json(read_text(file, "the annotations"))
    except ValidationError as error:
        raise _not_coco(error, file) from None
    if not content["images"]:
        raise empty_split(file)
    check_different([image["id"] for image in content["images"]], "image id", file)
    check_different([image["file_name"] for image in content["images"]], "file_name", file)
    check_different([category["id"] for category in content["categories"]], "category id", file)
    check_different([category["name"] for category in content["categories"]], "category name", file)
    check_different([found["id"] for found in content["annotations"] if "id" in found], "annotation id", file)
    return content


def _not_coco(error: ValidationError, file: Path) -> SternaError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return SternaError(
        f"is not as COCO annotations are ({first['msg']})",
        where=str(file),
        attribute=place or None,
        value=str(first["input"])[:60] if place else None,
        remedy="write the file again with images, annotations (image_id, category_id, bbox) and categories",
    )


def _object(annotation: _Annotation, size: tuple[int, int], entry: _Entry) -> LabelledObject:
    category, where = annotation["category_id"], f"{entry.file}: annotation {annotation.get('id', '(no id)')}"
    if category not in entry.names:
        raise SternaError(
            "an object of a category that the file does not list",
            where=where,
            attribute="category_id",
            value=category,
            allowed=", ".join(str(number) for number in entry.names),
            remedy="correct the annotation or add the category",
        )
    left, top, width, height = annotation["bbox"]
    where += f" ({entry.names[category]}) of {entry.image['file_name']}"
    box = (left, top, left + width, top + height)
    cut = inside(box, size, where, str(annotation["bbox"]), "left, top, width, height in pixels from 0")
    return LabelledObject(entry.names[category], cut, crowd=bool(annotation.get("iscrowd")))
