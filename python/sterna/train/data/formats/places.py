r"""Finds the files that a list from another folder or machine names.

People move data sets, so a path is looked for in steps, and the first step that finds anything counts:

1. as it is written, from the folders that it may count from;
2. by its tail, without one or several of its first folders: `data/obj/a.png` is `obj/a.png` here.

Of several folders that a step finds the one with most of the files counts; if two have equally many, the path is
refused. Within a folder a file may have its suffix in other letters, its name in per-cent code, or its accents in one
or two characters, if that is unambiguous. `\` separates folders as `/` does.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from sterna.errors import SternaError

#: Names of the folders that hold images where label files lie in a folder `labels` beside it, in small letters.
IMAGE_FOLDERS = ("images", "jpegimages")


def plain(name: str) -> str:
    """The name of a file as it is compared where it is not found as written."""
    path = PurePosixPath(unicodedata.normalize("NFC", unquote(name)))
    return path.stem + path.suffix.lower()


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; none has a path that is too long or not a path at all."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


class Folders:
    """Names of the files of folders, each folder read once."""

    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}
        self._plain: dict[Path, dict[str, list[str]]] = {}

    def names(self, folder: Path) -> frozenset[str]:
        """What lies in `folder`; nothing if there is no such folder."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(path.name for path in folder.iterdir())
            except (OSError, ValueError):
                self._names[folder] = frozenset()
        return self._names[folder]

    def find(self, folder: Path, name: str) -> str | None:
        """The file of `folder` that `name` means: of that name, or else the only one whose plain name is the same."""
        names = self.names(folder)
        if name in names:
            return name
        if folder not in self._plain:
            grouped: defaultdict[str, list[str]] = defaultdict(list)
            for each in names:
                grouped[plain(each)].append(each)
            self._plain[folder] = grouped
        same = self._plain[folder].get(plain(name), [])
        return same[0] if len(same) == 1 else None


class Locator:
    """Finds what the file `listed` names.

    near: the folders that its paths count from. far: folders that are looked at next, step by step. tails: those from
    which the tails of paths count, `near` if not given. Raises SternaError for what is found in more than one. `notes`
    says what is not where it is written.
    """

    def __init__(
        self, listed: Path, near: Iterable[Path], far: Iterable[Iterable[Path]] = (), tails: Iterable[Path] = ()
    ) -> None:
        self._listed, self._near, self._far = listed, list(near), [list(step) for step in far]
        self._tails = list(tails) or self._near
        self._folders = Folders()
        self.notes: list[str] = []

    def place(self, text: str) -> Path | None:
        """The file or folder that `text` names; None if there is none."""
        parent, name = _split(text)
        folder = self._choose(parent, lambda folder: int(exists(folder / name)), name)
        return folder / name if folder else None

    def files(self, texts: Sequence[str]) -> list[Path]:
        """The files that `texts` name, those of one folder together; a missing one is given where it should be."""
        split = [self._as_here(text) for text in texts]
        names: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
        for parent, name in split:
            names[parent].append(name)
        folders = {parent: self._folder_of(parent, of_parent) for parent, of_parent in names.items()}
        return [folders[parent] / (self._folders.find(folders[parent], name) or name) for parent, name in split]

    def _as_here(self, text: str) -> tuple[PurePosixPath, str]:
        """Parent and name; a file may have a backslash in its name, as archives of Windows unpack."""
        if "\\" in text and any(text in self._folders.names(folder) for folder in self._near):
            return PurePosixPath(), text
        return _split(text)

    def _folder_of(self, parent: PurePosixPath, names: Sequence[str]) -> Path:
        def count(folder: Path) -> int:
            return sum(self._folders.find(folder, name) is not None for name in names)

        return self._choose(parent, count, names[0]) or self._near[0] / parent

    def _choose(self, parent: PurePosixPath, count: Callable[[Path], int], name: str) -> Path | None:
        for step, folders in enumerate(self._steps(parent)):
            counts = {folder: count(folder) for folder in folders}
            most = max(counts.values(), default=0)
            found = {folder.resolve(): folder for folder in folders if most and counts[folder] == most}
            if len(found) > 1:
                raise SternaError(
                    "a path that fits several folders",
                    where=str(self._listed),
                    attribute="path",
                    value=parent / name,
                    allowed=" or ".join(str(folder) for folder in found.values()),
                    remedy="write the path relative to the file's folder, or move the wrong folder away",
                )
            if found:
                (folder,) = found.values()
                if step > len(self._far):
                    self.notes.append(f"{self._listed.name}: {parent / name} is read as {folder / name}")
                return folder
        return None

    def _steps(self, parent: PurePosixPath) -> Iterator[list[Path]]:
        yield [base / parent for base in self._near] + self._beside(parent)
        for bases in self._far:
            yield [base / parent for base in bases]
        parts = [part for part in parent.parts if part not in ("/", "..")]
        tails = [
            PurePosixPath(*parts[start:]) for start in range(1 if parts == list(parent.parts) else 0, len(parts) + 1)
        ]
        yield [base / tail for base in self._tails for tail in tails]

    def _beside(self, parent: PurePosixPath) -> list[Path]:
        """Roboflow writes ../train/images for what lies beside its data.yaml."""
        return [base / parent.relative_to("..") for base in self._near] if parent.parts[:1] == ("..",) else []


def _split(text: str) -> tuple[PurePosixPath, str]:
    path = PurePosixPath(text.replace("\\", "/"))
    return path.parent, path.name


def label_folders(images: Path) -> list[Path]:
    """Where label files of the images in a folder may lie: where `images` of its path is `labels`, and beside them."""
    parts = images.parts
    for index in range(len(parts) - 1, -1, -1):
        if parts[index].lower() in IMAGE_FOLDERS:
            return [Path(*parts[:index], _labels_beside(Path(*parts[:index])), *parts[index + 1 :]), images]
    return [images]


def _labels_beside(folder: Path) -> str:
    """`labels` as it is written here."""
    names = [path.name for path in folder.iterdir()] if exists(folder) else []
    return next((name for name in sorted(names, reverse=True) if name.lower() == "labels"), "labels")
