"""Which format a data set has."""

from __future__ import annotations

from pathlib import Path

from sterna.errors import SternaError
from sterna.train.data.formats.canvas import Exif
from sterna.train.data.formats.coco import CocoFolder
from sterna.train.data.formats.record import Source
from sterna.train.data.formats.voc import VocFolder
from sterna.train.data.formats.yolo import YoloFolder

FORMATS = (VocFolder, CocoFolder, YoloFolder)


def open_source(path: Path, exif: Exif = Exif.UPRIGHT) -> Source:
    """The data set at `path`, a folder or the file (.json, .yaml, .names) that describes one.

    exif: which pixels labels are of, where nothing tells. Of formats that both fit a folder, the first in FORMATS is
    read; name the file to choose another. Raises SternaError that lists what was looked for if none fits.
    """
    if not path.exists():
        raise SternaError("no such data set", where=str(path), remedy="give the folder of a data set, or 'scenes'")
    for kind in FORMATS:
        if kind.recognises(path):
            return kind(path, exif)
    raise SternaError(
        "is no data set of a known format",
        where=str(path),
        allowed="a folder with " + "; or ".join(kind.looked_for for kind in FORMATS),
        remedy="give the folder that holds one of these",
    )
