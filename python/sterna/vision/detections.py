"""A folder of found boxes: the images with their boxes drawn, and detections.json, which lists them.

Results of different runs never lie side by side: those of an earlier run, which its list names, are removed before new
ones are written, and a file that no list names is never replaced. The list is there from the beginning, so that a run
that was stopped leaves nothing unknown.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from sterna import files
from sterna.errors import SternaError
from sterna.vision import drawing
from sterna.vision.boxes import Detections

REPORT = "detections.json"
_DRAWN = re.compile(r"\d{4,}_[^/]*\.png", re.DOTALL)
_MOST_LIST = 1 << 30  # bytes
#: Bytes of an image's name that are kept; file systems allow 255 with number and suffix.
_MOST_NAME = 200


class DetectionsFolder:
    """The results for `images` in `folder`.

    inputs: folders that are read. Raises SternaError, before anything is written or removed, if the folder cannot be
    written, is one of `inputs`, or holds a file of another origin in the place of a new one.
    """

    def __init__(self, folder: Path, images: Sequence[Path], inputs: Sequence[Path]) -> None:
        files.check_folder(folder, inputs=inputs)
        self.folder, self._images = folder, list(map(str, images))
        self.names = [f"{number:04}_{_kept(image.stem)}.png" for number, image in enumerate(images)]
        self._earlier = _earlier(folder)
        strange = [name for name in self.names if name not in self._earlier and os.path.lexists(folder / name)]
        if strange:
            raise SternaError(
                "holds a file that would be replaced and that no earlier detection made",
                where=str(folder),
                value=strange[0],
                remedy="name another folder, or move the file",
            )
        self._boxes: list[list[dict[str, Any]]] = []

    def start(self, about: Mapping[str, object]) -> int:
        """Remove earlier results, and list the new ones with `about`, what they are made with.

        Returns the number of images that were removed.
        """
        for name in self._earlier:
            (self.folder / name).unlink(missing_ok=True)
        self._about = dict(about)
        self._list(complete=False)
        return len(self._earlier)

    def add(self, drawn: Image.Image, boxes: list[dict[str, Any]]) -> None:
        """The next image with its boxes drawn, and the boxes for the list."""
        drawing.save(drawn, self.folder / self.names[len(self._boxes)])
        self._boxes.append(boxes)

    def finish(self) -> int:
        """Write the whole list; how many boxes there are."""
        self._list(complete=True)
        return sum(map(len, self._boxes))

    def _list(self, *, complete: bool) -> None:
        records: list[dict[str, Any]] = [
            {"image": image, "drawn": name} for image, name in zip(self._images, self.names, strict=True)
        ]
        for record, boxes in zip(records, self._boxes, strict=False):
            record["boxes"] = boxes
        report = {**self._about, "complete": complete, "images": records}
        files.write_bytes(self.folder / REPORT, f"{json.dumps(report, indent=1)}\n".encode())


def as_json(found: Detections, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Each box with class, score (0..1) and left, top, right, bottom in pixels."""
    return [
        {"class": classes[kind], "score": round(float(score), 4), "box": [round(float(side), 1) for side in box]}
        for box, score, kind in zip(found.boxes, found.scores, found.classes, strict=True)
    ]


def _kept(stem: str) -> str:
    """A name's beginning that leaves room for number and suffix."""
    name = os.fsencode(stem)
    return stem if len(name) <= _MOST_NAME else name[:_MOST_NAME].decode("utf-8", "ignore")


def _earlier(folder: Path) -> list[str]:
    """The drawn images that the list in `folder` names; none if there is no list."""
    path = folder / REPORT
    if not os.path.lexists(path):
        return []
    try:
        listed = json.loads(files.read_bytes(path, _MOST_LIST, "list of detections"))["images"]
        names = [record["drawn"] for record in listed]
        if not all(_DRAWN.fullmatch(name) for name in names):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SternaError(
            "is not the list of an earlier detection", where=str(path), remedy="name another folder, or move the file"
        ) from None
    return names
