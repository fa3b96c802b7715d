"""Folders of Pascal VOC annotations: with lists of images, as the challenge has them, or without.

With lists: JPEGImages, Annotations and ImageSets/Main (Everingham et al. 2010). Without: images and annotations of
the same names, side by side or in folders beside each other, as labelImg and Roboflow leave them.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.text import read_lines
from sterna.train.data.formats.canvas import Exif, canvas, there
from sterna.train.data.formats.listing import NOT_LISTED, by_key, files_under, passed_over
from sterna.train.data.formats.record import Record, Unread, empty_split, no_split
from sterna.train.data.formats.voc_annotation import read_annotation
from sterna.vision.image_files import among

IMAGES, LABELS = "JPEGImages", "Annotations"
SETS = ("ImageSets/Main", "ImageSets")
DEEPER = ("*/ImageSets", "*/*/ImageSets")  # where folders like VOCdevkit/VOC2012 lie in the one that is named
#: Folders that hold images or annotations and do not belong to the name that a pair shares.
IMAGE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "pictures", "photos")
LABEL_FOLDERS = ("annotations", "annotation", "annots", "labels", "label", "xmls", "xml")
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
SPLIT_FOLDER = re.compile(rf"({'|'.join(SPLITS)})(\d{{4}})?", re.IGNORECASE)  # a year may follow, as in train2017

NAMED_OTHERWISE = "<filename> differs from the name of the image, which is used anyway"
NOT_THERE = "<filename> names no existing image and is not used"


class _Entry(NamedTuple):
    """name: that image and annotation share. listed: what says that there is such an image."""

    name: str
    listed: Path


class _VocFolder(ABC):
    """Images and annotations by the name that they share: a path without its suffix."""

    format = "Pascal VOC"

    def __init__(self, folder: Path, exif: Exif) -> None:
        self._folder, self._exif = folder, exif

    def classes(self, split: str) -> None:
        """VOC declares none."""
        return

    @property
    @abstractmethod
    def _images(self) -> dict[str, list[Path]]: ...

    @property
    @abstractmethod
    def _labels(self) -> dict[str, list[Path]]: ...

    @cached_property
    def _by_file_name(self) -> dict[str, list[Path]]:
        """Images by the folder of their name and their own name with suffix."""
        found: dict[str, list[Path]] = {}
        for name, paths in self._images.items():
            for path in paths:
                found.setdefault(_beside(name, path.name), []).append(path)
        return found

    def record(self, entry: _Entry) -> Record:
        """Image and annotation of an entry."""
        labels = self._labels.get(entry.name, [])
        if not labels:
            there(self._image(entry, ""), entry.listed)
            raise SternaError(
                "the annotation is missing",
                where=str(self._folder / LABELS / f"{entry.name}.xml"),
                remedy="add it or remove its image from the list",
            )
        annotation = read_annotation(_only(labels, "annotations", entry.name))
        image = there(self._image(entry, annotation.filename), entry.listed)
        drawn_on = canvas(image, entry.listed, self._exif, annotation.size, annotation.file)
        record = annotation.record(drawn_on)
        return record._replace(notes=record.notes + _notes(image, entry, annotation.filename))

    def _image(self, entry: _Entry, stated: str) -> Path:
        """The image of an entry, whose annotation states that its file is called `stated`, or ''."""
        same = self._images.get(entry.name, [])
        named = self._by_file_name.get(_beside(entry.name, stated), []) if stated else []
        both = [path for path in same if path in named]
        if both:
            return _only(both, "images", stated)
        if same and named:
            raise SternaError(
                "the annotation names another image than the one with the same name",
                where=str(self._labels[entry.name][0]),
                attribute="filename",
                value=stated,
                allowed=same[0].name,
                remedy="correct <filename> or delete it, or rename the annotation",
            )
        if same or named:
            return _only(same or named, "images", entry.name)
        return self._folder / IMAGES / f"{entry.name}.jpg"


def _composed(name: str) -> str:
    """`name` with each accented letter as one character; macOS takes them apart."""
    return unicodedata.normalize("NFC", name)


def _beside(name: str, file: str) -> str:
    """`file` in the folder of `name`."""
    return _composed(str(PurePosixPath(name).parent / file))


def _only(paths: list[Path], what: str, name: str) -> Path:
    """The only one of `paths`, which may lead to one file in several ways; raises SternaError if there are several."""
    if len({path.resolve() for path in paths}) > 1:
        raise SternaError(
            f"several {what} with the same name",
            where=str(paths[0].parent),
            attribute=name,
            value=", ".join(path.name if path.parent == paths[0].parent else str(path) for path in paths),
            remedy="rename or delete all but one",
        )
    return paths[0]


def _notes(image: Path, entry: _Entry, stated: str) -> tuple[str, ...]:
    """What came of the file name that an annotation states."""
    if _composed(stated.lower()) in ("", _composed(image.name.lower()), _composed(image.stem.lower())):
        return () if _composed(image.stem) == PurePosixPath(entry.name).name else (NAMED_OTHERWISE,)
    return (NOT_THERE,)


def _annotations(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.suffix.lower() == ".xml"]


def _sets(folder: Path) -> Path | None:
    """The folder of the lists of images."""
    return next((folder / name for name in SETS if any((folder / name).glob("*.txt"))), None)


def _folders(path: Path) -> list[Path]:
    """The folders with lists and with images or annotations: `path` itself, or those in it."""
    above = [path] if _sets(path) else sorted(found.parent for glob in DEEPER for found in path.glob(glob))
    return [folder for folder in above if _sets(folder) and any((folder / part).is_dir() for part in (IMAGES, LABELS))]


class VocFolder(_VocFolder):
    """A Pascal VOC folder; its splits are the image sets in ImageSets/Main."""

    looked_for = f"{IMAGES}, {LABELS} and {SETS[0]} (Pascal VOC)"

    def __init__(self, path: Path, exif: Exif = Exif.UPRIGHT) -> None:
        folder, *others = _folders(path)
        if others:
            raise SternaError(
                "holds several Pascal VOC folders",
                where=str(path),
                value=", ".join(str(each) for each in (folder, *others)),
                remedy="name one of them",
            )
        super().__init__(folder, exif)
        for part in (IMAGES, LABELS):
            if not (folder / part).is_dir():
                raise SternaError(
                    f"no folder {part}",
                    where=str(folder),
                    remedy=f"give a Pascal VOC folder, which holds {IMAGES}, {LABELS} and {SETS[0]}",
                )
        sets = _sets(folder)
        assert sets is not None, "recognises() comes first"
        self._sets = sets
        self._lists: dict[str, list[str]] = {}

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether `path` is meant as a Pascal VOC folder with lists, or holds such folders."""
        return bool(_folders(path))

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the image sets."""
        return tuple(sorted(path.stem for path in self._sets.glob("*.txt") if not path.name.startswith(".")))

    @cached_property
    def _files(self) -> dict[str, tuple[list[Path], list[Path]]]:
        return {part: files_under(self._folder / part) for part in (IMAGES, LABELS)}

    def _by_name(self, part: str, paths: list[Path]) -> dict[str, list[Path]]:
        return by_key(paths, lambda path: _composed(path.relative_to(self._folder / part).with_suffix("").as_posix()))

    @cached_property
    def _images(self) -> dict[str, list[Path]]:
        return self._by_name(IMAGES, among(self._files[IMAGES][0]))

    @cached_property
    def _labels(self) -> dict[str, list[Path]]:
        return self._by_name(LABELS, _annotations(self._files[LABELS][0]))

    def entries(self, split: str) -> list[_Entry]:
        """The images that an image set lists."""
        listed = self._sets / f"{split}.txt"
        if split not in self.splits:
            raise no_split(self._sets, split, self.splits)
        names = self._listed(split)
        if not names:
            raise empty_split(listed)
        return [_Entry(name, listed) for name in names]

    def _listed(self, split: str) -> list[str]:
        """The names in an image set."""
        if split not in self._lists:
            listed = self._sets / f"{split}.txt"
            lines = enumerate(read_lines(listed, "the list of images"), 1)
            texts = ((number, _composed(line.strip())) for number, line in lines)
            names = [self._name(text, f"{listed}: line {number}") for number, text in texts if text]
            self._lists[split] = names
        return self._lists[split]

    def _name(self, line: str, where: str) -> str:
        """The name in a line of a list: all of it, or without quotes, the suffix, or the flag of a class list."""
        without_flag = re.sub(r"\s+(-1|0|1)$", "", line)
        readings = dict.fromkeys(reading for text in (line, without_flag) for reading in (text, _unquoted(text)))
        known = list(dict.fromkeys(name for text in readings if (name := self._known(text))))
        if len(known) > 1:
            raise SternaError(
                "an ambiguous line in a list: several images fit",
                where=where,
                attribute="line",
                value=line,
                allowed=" or ".join(known),
                remedy="put the name in quotes, or rename one of them",
            )
        return known[0] if known else _unquoted(without_flag)

    def _known(self, text: str) -> str | None:
        """The name of an image or annotation that `text` gives with or without its suffix."""
        if text in self._images or text in self._labels:
            return text
        files = self._by_file_name.get(str(PurePosixPath(text)), [])
        return _composed(files[0].relative_to(self._folder / IMAGES).with_suffix("").as_posix()) if files else None

    def unread(self, split: str) -> Unread:
        """Annotations without an image that no list names, and other files, in the folders of the data set."""
        found, listed = Unread(), set[str]()
        for each in self.splits:
            try:
                listed |= set(self._listed(each))
            except SternaError as fault:
                found.notes.append(f"split {each} cannot be read: {fault}")
        alone = self._labels.keys() - self._images.keys() - listed
        found.labels = sorted(path for name in alone for path in self._labels[name])
        for part, taken in ((IMAGES, self._images), (LABELS, self._labels)):
            files, systems = self._files[part]
            found.files += passed_over(set(files) - {path for paths in taken.values() for path in paths}, systems)
        found.files[NOT_LISTED] += len(self._images.keys() - listed)
        return found


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'" else text


class VocPairs(_VocFolder):
    """Images and annotations that share their names; the splits are folders called so, or all is `train`.

    Side by side, or in folders such as `images` and `annotations`, in which other folders may be, in the same way.
    """

    looked_for = "images with .xml files of the same names (Pascal VOC)"

    def __init__(self, folder: Path, exif: Exif = Exif.UPRIGHT) -> None:
        super().__init__(folder, exif)
        self._files, self._systems = files_under(folder)

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether `path` is a folder with Pascal VOC annotations and no lists of images."""
        if not path.is_dir() or VocFolder.recognises(path):
            return False
        first = next(iter(_annotations(files_under(path)[0])), None)
        return first is not None and _is_annotation(first)

    @cached_property
    def _labels(self) -> dict[str, list[Path]]:
        return by_key(_annotations(self._files), self._name)

    @cached_property
    def _images(self) -> dict[str, list[Path]]:
        """All images but those among annotations, such as masks."""
        found = by_key(among(self._files), self._name)
        return {
            name: paths
            for name, paths in found.items()
            if name in self._labels or not _among_labels(paths[0], self._folder)
        }

    def _name(self, path: Path) -> str:
        """What an image and its annotation share of their paths."""
        inner = path.relative_to(self._folder)
        kept = [part for part in inner.parts[:-1] if part.lower() not in (*IMAGE_FOLDERS, *LABEL_FOLDERS)]
        return _composed(PurePosixPath(*kept, inner.stem).as_posix())

    @cached_property
    def _split_folders(self) -> dict[str, str]:
        """The folder of each split. Raises SternaError for two folders of one split."""
        found: dict[str, str] = {}
        for name in (*self._labels, *self._images):
            folder = _split_folder(name)
            split = _split_of(folder)
            if folder and found.setdefault(split, folder) != folder:
                raise SternaError(
                    "two folders for one split",
                    where=str(self._folder),
                    attribute=split,
                    value=", ".join(sorted((found[split], folder))),
                    remedy="move one of them out of the data set",
                )
        return found

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of train, val and test that have a folder; or train."""
        return tuple(self._split_folders) or ("train",)

    def _of(self, split: str, name: str) -> bool:
        """Whether the images and annotations of a name belong to a split."""
        return not self._split_folders or _split_folder(name) == self._split_folders[split]

    def entries(self, split: str) -> list[_Entry]:
        """The annotations with an image of a split, by name."""
        if split not in self.splits:
            raise no_split(self._folder, split, self.splits)
        names = sorted(name for name in self._labels if self._of(split, name) and self._has_image(name))
        if not names:
            raise empty_split(self._folder)
        return [_Entry(name, self._labels[name][0]) for name in names]

    def _has_image(self, name: str) -> bool:
        return name in self._images or name in self._named_otherwise

    @cached_property
    def _named_otherwise(self) -> dict[str, Path]:
        """Images without an annotation of their own name, by the name of the one that states their file."""
        found: dict[str, Path] = {}
        for name in self._labels.keys() - self._images.keys():
            try:
                stated = read_annotation(self._labels[name][0]).filename
            except SternaError:
                continue  # it is counted as one without an image
            paths = self._by_file_name.get(_beside(name, stated), [])
            if stated and paths and self._name(paths[0]) not in self._labels:
                found[name] = paths[0]
        return found

    def unread(self, split: str) -> Unread:
        """Annotations without an image, images without an annotation, and other files."""
        taken = {path for found in (self._images, self._labels) for paths in found.values() for path in paths}
        alone = (
            self._images.keys() - self._labels.keys() - {self._name(path) for path in self._named_otherwise.values()}
        )
        found = Unread(
            [
                self._labels[name][0]
                for name in sorted(self._labels)
                if self._of(split, name) and not self._has_image(name)
            ],
            passed_over(set(self._files) - taken, self._systems),
            images=[self._images[name][0] for name in sorted(alone) if self._of(split, name)],
        )
        if self._split_folders:
            lost = sum(not _split_folder(name) for name in self._labels.keys() | self._images.keys())
            found.files["images or annotations outside the folders of the splits"] += lost
        return found


def _split_folder(name: str) -> str:
    """The folder on the way to a name that is called as a split, or ''."""
    return next((part for part in PurePosixPath(name).parts[:-1] if _split_of(part)), "")


def _split_of(folder: str) -> str:
    """The split that a folder is called as, or ''."""
    match = SPLIT_FOLDER.fullmatch(folder)
    return SPLITS[match[1].lower()] if match else ""


def _is_annotation(path: Path) -> bool:
    """Whether an XML file looks like a Pascal VOC annotation."""
    try:
        read_annotation(path)
    except SternaError as error:
        return error.attribute != "root element"
    return True


def _among_labels(path: Path, folder: Path) -> bool:
    return any(part.lower() in LABEL_FOLDERS for part in path.relative_to(folder).parts[:-1])
