"""A file of COCO annotations: what it lists, checked as far as the file alone tells."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # what pydantic asks for before Python 3.12

from sterna.errors import FaultsError, SternaError
from sterna.text import check_different, check_json_keys, read_text
from sterna.train.data.formats.record import empty_split

#: Keys of COCO that Sterna uses, and those that say nothing of boxes and classes.
_USED = ("images", "annotations", "categories", "id", "file_name", "width", "height", "image_id", "category_id", "bbox",
         "iscrowd", "name", "supercategory", "attributes", "rotation")  # fmt: skip
_PLAIN = ("area", "info", "licenses", "license", "coco_url", "flickr_url", "date_captured", "url", "year", "version",
          "description", "contributor", "date_created")  # fmt: skip
_KEY = re.compile(r'"([^"\\\n]{1,40})"\s*:(?!\s*(?:\[\s*\]|null))')  # with a value that states something
MOST_KEYS = 20
MOST_FAULTS = 20  # of the form of a file, which tend to be the same one again

Id = int | str
Box = tuple[float, float, float, float]


class Image(TypedDict):
    """An image as the file lists it."""

    id: Id
    file_name: str
    width: NotRequired[int | None]
    height: NotRequired[int | None]


class Annotation(TypedDict):
    """An object as the file lists it. bbox: left, top, width, height in pixels; nothing or [] if it has a mask only.

    attributes: of CVAT, of which one may say that the box is turned.
    """

    id: NotRequired[Id]
    image_id: Id
    category_id: Id
    bbox: NotRequired[list[float] | None]
    iscrowd: NotRequired[int | None]
    attributes: NotRequired[Any]


class Category(TypedDict):
    """A class, or a group of such, as the file lists it."""

    id: Id
    name: str
    supercategory: NotRequired[str | None]


class _Content(TypedDict):
    images: list[Image]
    annotations: list[Annotation]
    categories: list[Category]


class _Named(TypedDict):
    file_name: str


class _Names(TypedDict):
    images: list[_Named]


class _Mask(TypedDict):
    segmentation: NotRequired[Any]


class _Masks(TypedDict):
    annotations: list[_Mask]


_READER, _MASK_READER, _NAME_READER = TypeAdapter(_Content), TypeAdapter(_Masks), TypeAdapter(_Names)


@dataclass(frozen=True, eq=False)
class CocoFile:
    """What a file lists.

    names: of the categories by id. classes: names of those that are no mere groups, in order. annotations: by image;
    those of images that are not listed: orphans. extents: by the index of an annotation without a box, in the order of
    the file, the box around its polygons, None if it has none. notes: what is stated and not used.
    """

    path: Path
    images: list[Image]
    names: dict[Id, str]
    classes: tuple[str, ...]
    annotations: dict[Id, list[tuple[Annotation, Box | None]]]
    orphans: dict[Id, int]
    notes: list[str]


def is_coco(path: Path) -> bool:
    """Whether a JSON file seems to hold annotations; other programs leave JSON files as well."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return all(f'"{key}"'.encode() in data for key in _Content.__annotations__)


def file_names(path: Path) -> list[str]:
    """The `file_name` of each image that `path` lists; none of a file that is not as COCO has it."""
    try:
        images = _NAME_READER.validate_json(read_text(path, "the annotations"))["images"]
        return [image["file_name"] for image in images]
    except (ValidationError, SternaError):
        return []


def shown(identity: Id) -> str:
    """An id in words: a text in quotes, since "7" and 7 are different."""
    return repr(identity)


def load(path: Path) -> CocoFile:
    """The content of `path`; raises SternaError for a file that cannot be read or is not as COCO has it."""
    text = read_text(path, "the annotations")
    try:
        content = _READER.validate_json(text)
    except ValidationError as error:
        raise _not_coco(error, path) from None
    check_json_keys(text, path)
    if not content["images"]:
        raise empty_split(path)
    for category in content["categories"]:
        category["name"] = category["name"].strip()
    images = _images(content["images"], path)
    names = _names(content, path)
    annotations = _with_masks(content["annotations"], text)
    by_image: defaultdict[Id, list[tuple[Annotation, Box | None]]] = defaultdict(list)
    for annotation, extent in annotations:
        by_image[annotation["image_id"]].append((annotation, extent))
    orphans = {image: len(by_image[image]) for image in by_image.keys() - {image["id"] for image in images}}
    classes = _classes(content)
    masks = sum(extent is not None for _, extent in annotations)
    notes = _notes(content, classes, text, path, masks)
    return CocoFile(path, images, names, classes, dict(by_image), orphans, notes)


def _images(images: Sequence[Image], path: Path) -> list[Image]:
    """The images, each once: a repeated record is the same image."""
    different = {(image["id"], image["file_name"]): image for image in images}
    check_different([identity for identity, _ in different], "image id", path)
    check_different([name for _, name in different], "file_name", path)
    return list(different.values())


def _names(content: _Content, path: Path) -> dict[Id, str]:
    used = {annotation["category_id"] for annotation in content["annotations"]}
    categories = content["categories"]
    check_different([category["id"] for category in categories], "category id", path)
    # A group may have the name of a class in it; two classes may not.
    check_different([category["name"] for category in categories if category["id"] in used], "category name", path)
    unnamed = next((category["id"] for category in categories if not category["name"]), None)
    if unnamed is not None:
        raise SternaError(
            "a category without a name", where=str(path), attribute="category", value=unnamed, remedy="name it"
        )
    return {category["id"]: category["name"] for category in categories}


def _classes(content: _Content) -> tuple[str, ...]:
    used = {annotation["category_id"] for annotation in content["annotations"]}
    categories = content["categories"]
    groups = {
        category.get("supercategory") for category in categories if category.get("supercategory") != category["name"]
    }
    kept = [each["name"] for each in categories if each["id"] in used or each["name"] not in groups]
    return tuple(dict.fromkeys(kept))


def _notes(content: _Content, classes: Sequence[str], text: str, path: Path, masks: int) -> list[str]:
    """masks: the number of annotations of which it is used."""
    keys = dict.fromkeys(found[1] for found in _KEY.finditer(text))
    used = (*_USED, *_PLAIN, *(["segmentation"] if masks else []))
    unused = [key for key in keys if key not in used][:MOST_KEYS]
    groups = dict.fromkeys(each["name"] for each in content["categories"] if each["name"] not in classes)
    ids = Counter(annotation["id"] for annotation in content["annotations"] if "id" in annotation)
    again = sum(count - 1 for count in ids.values())
    return [
        *([f"{path.name}: not used: {', '.join(unused)}"] if unused else []),
        *([f"{path.name}: {masks} annotations without a box get the box around their polygons"] if masks else []),
        *([f"{path.name}: categories that only group others are not classes: {', '.join(groups)}"] if groups else []),
        *([f"{path.name}: {again} annotations share an id with another one; all are read"] if again else []),
    ]


def _with_masks(annotations: Sequence[Annotation], text: str) -> list[tuple[Annotation, Box | None]]:
    """Each annotation with the box around its polygons if it has no box of its own."""
    if all(annotation.get("bbox") for annotation in annotations):
        return [(annotation, None) for annotation in annotations]
    masks = _MASK_READER.validate_json(text)["annotations"]  # read only here, since masks are most of a file
    return [
        (annotation, None if annotation.get("bbox") else _extent(mask.get("segmentation")))
        for annotation, mask in zip(annotations, masks, strict=True)
    ]


def _extent(polygons: Any) -> Box | None:
    """The box around `polygons`, lists x y x y ... of numbers; None for what is none, such as run lengths."""
    if not isinstance(polygons, list) or not polygons:
        return None
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            return None
        if not all(isinstance(number, int | float) for number in polygon):
            return None
    xs, ys = ([number for polygon in polygons for number in polygon[start::2]] for start in (0, 1))
    return min(xs), min(ys), max(xs), max(ys)


def _not_coco(error: ValidationError, path: Path) -> SternaError:
    found = error.errors()
    faults = [_fault(str(each["msg"]), each["loc"], each["input"], path) for each in found[:MOST_FAULTS]]
    if len(found) > MOST_FAULTS:
        faults.append(SternaError(f"and {len(found) - MOST_FAULTS} more faults like these", where=str(path)))
    return faults[0] if len(faults) == 1 else FaultsError(faults, where=str(path), remedy="write the file again")


def _fault(message: str, place: Sequence[int | str], value: object, path: Path) -> SternaError:
    return SternaError(
        f"is not a file of COCO annotations ({message})",
        where=str(path),
        attribute=".".join(map(str, place)) or None,
        value=str(value)[:60] if place else None,
        remedy="write the file again with images, annotations (image_id, category_id, bbox) and categories",
    )
