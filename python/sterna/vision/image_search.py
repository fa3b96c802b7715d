"""The images that paths of files and folders name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sterna import recognise
from sterna.errors import FaultsError, SternaError
from sterna.files import walk
from sterna.vision import image_files
from sterna.vision.image_files import SUFFIXES

#: Called with a line about what was ignored.
Say = Callable[[str], None]
#: What users name in place of images if they name the package or graph second.
_MODELS = (recognise.PACKAGE, recognise.GRAPH, recognise.RUN, recognise.ENGINE)


def find(
    paths: Sequence[Path],
    recursive: bool = False,
    apart: Path | None = None,
    say: Say = lambda text: None,
    also: tuple[str, ...] = (),
    suffixes: tuple[str, ...] = SUFFIXES,
) -> list[Path]:
    """The image files that `paths` name, folders replaced by the images in them, by name.

    recursive: the folders in folders as well, but not `apart`, the folder that results go to. also: further suffixes of
    files that are taken from folders; suffixes: those of images. `say` is told what is passed over. Raises SternaError
    for a path that does not exist, for a folder without images, and for a package or graph.
    """
    found = [
        file
        for path in paths
        for file in ([path] if path.is_file() else _in_folder(path, recursive, apart, say, also, suffixes))
    ]
    once = list({file.absolute(): file for file in found}.values())
    if len(once) < len(found):
        say(f"{_number(len(found) - len(once), 'image')} named twice: read once")
    for file in once:
        kind = recognise.kind_of(file)
        if kind in _MODELS:
            raise _model(file, kind)
    return once


def _in_folder(
    folder: Path, recursive: bool, apart: Path | None, say: Say, also: tuple[str, ...], suffixes: tuple[str, ...]
) -> list[Path]:
    if not folder.is_dir():
        raise SternaError("no such file or folder", where=str(folder), remedy="give images or a folder of images")
    paths, folders = _listed(folder, recursive, apart)
    files = image_files.among(paths, suffixes + also)
    others = [path for path in paths if path not in set(files) and not path.name.startswith(".")]
    if not files:
        raise _none(folder, len(folders), suffixes)
    passed = [f"{_number(len(folders), 'sub-folder')} (--recursive reads them)"] if folders else []
    passed += [_number(len(others), "file") + " of other kinds"] if others else []
    if passed:
        say(f"{folder}: {_kinds(files, suffixes)}; not read: {', '.join(passed)}")
    return files


def _listed(folder: Path, recursive: bool, apart: Path | None) -> tuple[list[Path], list[Path]]:
    """The files of `folder`, and its sub-folders that are not read."""
    left_out: list[Path] = []

    def skip(inner: Path) -> bool:
        if inner.name.startswith(".") or _is(inner, apart):
            return True
        left_out.extend([] if recursive else [inner])
        return not recursive

    return list(walk(folder, skip)), left_out


def _is(folder: Path, other: Path | None) -> bool:
    return other is not None and other.is_dir() and folder.samefile(other)


def _kinds(files: Sequence[Path], suffixes: tuple[str, ...]) -> str:
    """How many of `files` are images, and how many are not."""
    images = len(image_files.among(files, suffixes))
    counts = ((images, "image"), (len(files) - images, "video"))
    return ", ".join(_number(count, what) for count, what in counts if count)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count > 1 else "")


def _none(folder: Path, folders: int, suffixes: tuple[str, ...]) -> SternaError:
    kind = recognise.kind_of(folder)
    if kind in _MODELS:
        return _model(folder, kind)
    return SternaError(
        "the folder holds no images" + (f", but {_number(folders, 'folder')}" if folders else ""),
        where=str(folder),
        allowed=" ".join(suffixes),
        remedy="read its folders with --recursive" if folders else "give a folder with at least one image",
    )


def _model(path: Path, kind: str | None) -> SternaError:
    return SternaError(
        f"is {kind}, not an image", where=str(path), remedy="name the package first and once, then images"
    )


def check(files: Sequence[Path], say: Say = lambda text: None) -> None:
    """Raise SternaError for those of `files` that cannot be read, before any work is done.

    `say` is told which of them hold several images.
    """
    faults = []
    for file in files:
        try:
            image_files.read(file)
            frames = image_files.header(file).frames
        except SternaError as fault:
            faults.append(fault)
            continue
        if frames > 1:
            say(f"{file}: the first of {frames} images in the file is read")
    refuse(faults)


def refuse(faults: Sequence[SternaError]) -> None:
    """Raise what was found of files, if there is anything."""
    if faults:
        raise faults[0] if len(faults) == 1 else FaultsError(list(faults), where="images", remedy="leave them out")
