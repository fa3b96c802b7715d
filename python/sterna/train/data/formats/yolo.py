"""YOLO text labels: a row for each object in a file beside each image, or in the parallel folder `labels`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.text import read_lines, read_text
from sterna.train.data.formats import yolo_index
from sterna.train.data.formats.canvas import Exif, canvas
from sterna.train.data.formats.listing import NOT_LISTED, files_under, is_of_system, passed_over
from sterna.train.data.formats.places import Folders, Locator, label_folders, plain
from sterna.train.data.formats.record import LabelledObject, Record, Unread, collect, empty_split, inside, no_split
from sterna.train.data.formats.yolo_rows import BOX, looks_like_pose, parse
from sterna.vision.image_files import among

#: Text that lies beside label files and is none.
NO_LABELS = (yolo_index.CLASSES, *(f"{name}.txt" for name in yolo_index.SPLITS))
ROWS = "the list of objects"
LOOKED_AT = 500  # label files, for rows that are poses
BY_PLAIN_NAME = "label files whose names are spelt differently from those of their images"


class _Entry(NamedTuple):
    """labels: the files that may hold the image's rows. shared: another image that has the same."""

    image: Path
    listed: Path
    labels: tuple[Path, ...]
    shared: Path | None


class _List(NamedTuple):
    """found: the images of a split, in order, each with the file or folder that names it. notes: on finding them."""

    found: list[tuple[Path, Path]]
    notes: list[str]


class YoloFolder:
    """A folder with YOLO labels, or the file that describes it. An image without a label file has no objects."""

    format = "YOLO"
    looked_for = "data.yaml (YOLO), obj.data or *.names (Darknet), or classes.txt (labelImg)"

    def __init__(self, path: Path, exif: Exif = Exif.UPRIGHT) -> None:
        self._index, self._exif = yolo_index.read(path), exif
        self._lists: dict[str, _List] = {}
        self._entries: tuple[str, list[_Entry]] | None = None

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether `path` is a file that describes such a data set, or a folder with one."""
        return bool(yolo_index.files(path))

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of train, val and test that are named."""
        return tuple(self._index.places)

    def classes(self, split: str) -> tuple[str, ...]:
        """The class names; an object's class number counts them from 0."""
        return self._index.names

    def entries(self, split: str) -> list[_Entry]:
        """The images of a split, by folder and name or as listed."""
        if split not in self._index.places:
            raise no_split(self._index.file, split, self.splits)
        if self._entries is None or self._entries[0] != split:
            self._entries = split, self._find(split)
        return self._entries[1]

    def record(self, entry: _Entry) -> Record:
        """Image and rows of an entry."""
        drawn_on = canvas(entry.image, entry.listed, self._exif)
        labels = _one(entry)
        rows = read_lines(labels, ROWS) if labels else []
        notes: Counter[str] = Counter()
        if labels and labels.stem != entry.image.stem:
            notes[BY_PLAIN_NAME] += 1

        def make(row: tuple[int, list[str]]) -> LabelledObject:
            made, note = self._object(row[1], drawn_on.size, f"{labels}: line {row[0]}")
            notes.update([note] if note else [])
            return made

        texts = [(number, row.split()) for number, row in enumerate(rows, 1) if row.strip()]
        record = collect(drawn_on, texts, make, labelled=labels is not None)
        return record._replace(notes=(*record.notes, *notes))

    def unread(self, split: str) -> Unread:
        """Label files without an image, images of no split and files that are neither, in the folders of the split."""
        entries = self.entries(split)
        known = {path for entry in entries for path in entry.labels}
        folders = {place for image in {entry.image.parent for entry in entries} for place in label_folders(image)}
        tops = [folder for folder in folders if folders.isdisjoint(folder.parents)]
        there, systems = (set(chain.from_iterable(found)) for found in zip(*map(_files, tops), strict=True))
        images = set(among(there))
        texts = {path for path in there if _is_label(path)} - known
        # Files of images that are there but not in this split, and second files of an image, have an image.
        stems = {plain(path.stem) for path in images}
        alone = sorted(path for path in texts if plain(path.stem) not in stems)
        used = {self._index.file, self._index.other, *(entry.listed for entry in entries)}
        others = passed_over(there - images - texts - known - used, systems)
        files = others + Counter({NOT_LISTED: len(self._not_listed(images))})
        return Unread(alone, files, [*self._index.notes, *self._list(split).notes])

    def _not_listed(self, images: set[Path]) -> set[Path]:
        """Those of `images`, and of all that the data set is said to have, that are in no split."""
        there = images.union(among(_files(self._index.whole)[0])) if self._index.whole else images
        listed: set[Path] = set()
        for split in self.splits:
            with suppress(SternaError):  # reported when the split is read
                listed.update(image.resolve() for image, _ in self._list(split).found)
        return {path for path in there if path.resolve() not in listed}

    def _list(self, split: str) -> _List:
        """The images of a split, as often as they are listed."""
        if split not in self._lists:
            notes: list[str] = []
            places = [self._place(text, notes) for text in self._index.places[split]]
            self._lists[split] = _List(
                [(image, place) for place in places for image in self._images(place, notes)], notes
            )
        return self._lists[split]

    def _find(self, split: str) -> list[_Entry]:
        """Entries of the images of a split, each image one entry however often it is listed."""
        found, places = self._list(split).found, self._index.places[split]
        if not found:
            raise empty_split(self._index.root / places[0] if places else self._index.file)
        listed = dict(reversed(found))
        labels = _label_files(listed)
        if not any(labels.values()):
            image = found[0][0]
            raise SternaError(
                "no image of the split has a label file",
                where=str(listed[image]),
                attribute="labels",
                value=label_folders(image.parent)[0] / f"{image.stem}.txt",
                remedy="put the label files there: the folder `images` of the path becomes `labels`, the suffix .txt",
            )
        users: defaultdict[Path, list[Path]] = defaultdict(list)
        for image, of_image in labels.items():
            for path in of_image:
                users[path].append(image)
        entries = {
            image: _Entry(
                image, listed[image], of_image, _other(image, chain.from_iterable(users[path] for path in of_image))
            )
            for image, of_image in labels.items()
        }
        self._refuse_poses(entries.values())
        return [entries[image] for image, _ in found]

    def _place(self, text: str, notes: list[str]) -> Path:
        """The folder of images, or list of them, that the index names."""
        locator = Locator(self._index.file, [self._index.root], [[self._index.root.parent]])
        place = locator.place(text)
        if place is None:
            raise SternaError(
                "the images of a split are missing",
                where=str(self._index.file),
                attribute="path",
                value=text,
                allowed=f"a folder or a list of images, from {self._index.root}",
                remedy="correct the path, which counts from `path` or else the folder of the file, or delete the line",
            )
        notes += locator.notes
        return place

    def _images(self, place: Path, notes: list[str]) -> list[Path]:
        if place.is_dir():
            return among(_files(place)[0])
        lines = [line.strip() for line in read_lines(place, "the list of images") if line.strip()]
        root = self._index.root
        locator = Locator(place, [place.parent, root], [[root.parent]])
        found = locator.files(lines)
        notes += locator.notes
        return found

    def _refuse_poses(self, entries: Iterable[_Entry]) -> None:
        """Raise SternaError if all long rows may as well be a box with points, and nothing says which."""
        if self._index.points is not None:
            return
        first: tuple[Path, int, list[str]] | None = None
        for path in [entry.labels[0] for entry in entries if entry.labels][:LOOKED_AT]:
            for number, fields in _long_rows(path):
                if not looks_like_pose(fields) or (first and len(first[2]) != len(fields)):
                    return
                first = first or (path, number, fields)
        if first:
            path, number, fields = first
            raise SternaError(
                "the rows may be polygons, or boxes with pose points",
                where=f"{path}: line {number}",
                attribute="row",
                value=" ".join(fields)[:60],
                allowed="polygons, or boxes with as many points as kpt_shape says",
                remedy="state kpt_shape in data.yaml: [points, numbers per point] for poses, [0, 0] for polygons",
            )

    def _object(self, fields: Sequence[str], size: tuple[int, int], where: str) -> tuple[LabelledObject, str]:
        row = parse(fields, self._index.points, where)
        names = self._index.names
        if not 0 <= row.number < len(names):
            raise SternaError(
                "a class number without a name",
                where=where,
                attribute="class",
                value=row.number,
                allowed=f"0..{len(names) - 1}",
                remedy=f"correct the row or name the class in {self._index.file}",
            )
        left, top, right, bottom = row.edges
        pixels = (left * size[0], top * size[1], right * size[0], bottom * size[1])
        name = names[row.number]
        box = inside(pixels, size, f"{where} ({name})", " ".join(fields[1:])[:90], BOX)
        return LabelledObject(name, box), row.note


def _label_files(images: Iterable[Path]) -> dict[Path, tuple[Path, ...]]:
    """For each image the label files that have its name; where none has, the one that has it spelt otherwise."""
    folders, places = Folders(), {folder: label_folders(folder) for folder in {image.parent for image in images}}
    found = {}
    for image in images:
        name = f"{image.stem}.txt"
        exact = [place / name for place in places[image.parent] if name in folders.names(place)]
        found[image] = tuple(exact)
    taken = set(chain.from_iterable(found.values()))
    for image in images:
        if not found[image]:
            other = [(place, folders.find(place, f"{image.stem}.txt")) for place in places[image.parent]]
            found[image] = tuple(place / name for place, name in other if name and place / name not in taken)
    return found


def _long_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of a label file with more than a box and a confidence, with their lines; none of a faulty file."""
    with suppress(SternaError):  # which its record tells
        rows = [(number, line.split()) for number, line in enumerate(read_lines(path, ROWS), 1)]
        return [(number, fields) for number, fields in rows if len(fields) > 6]
    return []


def _other(image: Path, users: Iterable[Path]) -> Path | None:
    return next((user for user in users if user != image), None)


def _one(entry: _Entry) -> Path | None:
    """The label file of an entry; raises SternaError if it has two that differ, or shares it."""
    if entry.shared:
        raise SternaError(
            "two images have one label file",
            where=str(entry.labels[0]),
            value=f"{entry.image.name} and {entry.shared.name}",
            allowed="a label file for each image",
            remedy="rename one of the images, or move it away",
        )
    if len(entry.labels) > 1 and len({read_text(path, ROWS) for path in entry.labels}) > 1:
        raise SternaError(
            "an image has two label files that differ",
            where=str(entry.image),
            value=" and ".join(map(str, entry.labels)),
            allowed="one",
            remedy="delete the wrong one",
        )
    return entry.labels[0] if entry.labels else None


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """As `files_under`; nothing where there is no such folder."""
    return files_under(folder) if folder.is_dir() else ([], [])


def _is_label(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and path.name not in NO_LABELS and not is_of_system(Path(path.name))
