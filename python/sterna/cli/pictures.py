"""Pictures that a person names on the command line: found and read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.run import pictures
from sterna.run.pictures import SUFFIXES


def find(paths: Sequence[Path]) -> list[Path]:
    """The picture files that `paths` name, folders replaced by the pictures in them, by name.

    Raises SternaError for a path that does not exist and for a folder without pictures.
    """
    return [file for path in paths for file in ([path] if path.is_file() else _in_folder(path))]


def _in_folder(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SternaError("no such file or folder", where=str(folder), remedy="give pictures or a folder of pictures")
    files = pictures.among(folder.iterdir())
    if not files:
        raise SternaError(
            "the folder holds no pictures",
            where=str(folder),
            allowed=" ".join(SUFFIXES),
            remedy="give a folder with at least one picture",
        )
    return files


def read(path: Path) -> NDArray[np.uint8]:
    """The picture in `path`, turned upright, as RGB uint8 [H, W, 3]. Raises SternaError if it cannot be read."""
    return np.asarray(pictures.read(path))


def check(files: Sequence[Path]) -> None:
    """Raise SternaError for the first of `files` that cannot be read, before any work is done."""
    for file in files:
        read(file)
