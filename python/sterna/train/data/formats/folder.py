"""Finds the format of a data set."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from sterna.errors import SternaError
from sterna.train.data.formats.canvas import Exif
from sterna.train.data.formats.coco import CocoFolder
from sterna.train.data.formats.record import Source
from sterna.train.data.formats.voc import VocFolder, VocPairs
from sterna.train.data.formats.yolo import YoloFolder


class Format(StrEnum):
    """Formats of data sets, by the names that people give them on the command line."""

    VOC = "voc"
    COCO = "coco"
    YOLO = "yolo"


KINDS = {Format.VOC: (VocFolder, VocPairs), Format.COCO: (CocoFolder,), Format.YOLO: (YoloFolder,)}


def check_there(path: Path) -> None:
    """Raise SternaError if there is nothing at `path`, or it cannot be read."""
    try:
        there = path.exists()
    except OSError as error:
        raise SternaError(
            f"cannot be read ({error.strerror})", where=str(path), remedy="check the path and its permissions"
        ) from None
    if not there:
        raise SternaError(
            "no such data set", where=str(path), remedy="give the folder of a data set, or the file that describes it"
        )


def recognised(path: Path) -> list[Format]:
    """The formats that fit what is at `path`."""
    return [name for name, kinds in KINDS.items() if any(kind.recognises(path) for kind in kinds)]


def open_source(path: Path, exif: Exif = Exif.UPRIGHT, wanted: Format | None = None) -> Source:
    """The data set at `path`, a folder or the file (.json, .yaml, .names) that describes one.

    exif: which pixels labels are of, where nothing tells. wanted: the format; None if the path tells it. Raises
    SternaError that lists what was looked for if no format fits, and those that fit if there are several.
    """
    check_there(path)
    kinds = {name: of_name for name, of_name in KINDS.items() if wanted in (None, name)}
    found = {name: kind for name, of_name in kinds.items() for kind in of_name if kind.recognises(path)}
    if len(found) > 1:
        raise SternaError(
            "fits several formats",
            where=str(path),
            attribute="format",
            value=", ".join(found),
            allowed="one of them",
            remedy="choose one with --format, or name the .json or .yaml file that describes the data set",
        )
    for kind in found.values():
        return kind(path, exif)
    raise SternaError(
        f"is not {'a data set of a known format' if wanted is None else f'a data set in the format {wanted}'}",
        where=str(path),
        allowed="a folder with " + "; or ".join(kind.looked_for for of_name in kinds.values() for kind in of_name),
        remedy="give the folder that holds one of these",
    )
