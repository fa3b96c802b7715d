"""A folder of found boxes: drawn on images and videos, in other forms, and detections.json, which lists them all.

Results of different runs never lie side by side: those of an earlier run, which its list names, are removed before new
ones are written, and a file that no list names is never replaced. The list is there from the beginning, so that a run
that was stopped leaves nothing unknown.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sterna import files, signals
from sterna.errors import SternaError
from sterna.stopwatch import Stopwatch
from sterna.vision import ranking
from sterna.vision.forms import DRAWN, FORMS
from sterna.vision.forms.coco import Coco
from sterna.vision.forms.drawn import drawn_name
from sterna.vision.forms.form import Form, Named
from sterna.vision.forms.lines import JsonLines, as_json
from sterna.vision.forms.yolo import Yolo
from sterna.vision.frames import Seen
from sterna.vision.overlay import Overlay
from sterna.vision.places import Places
from sterna.vision.sources import Source

REPORT = "detections.json"
_FILE = re.compile(rf"\d{{4,}}_[^/]*\.(png|mp4)|{re.escape(JsonLines.NAME)}|{re.escape(Coco.NAME)}", re.DOTALL)
_FOLDER = re.compile(rf"\d{{4,}}_[^/]*|{Yolo.FOLDER}", re.DOTALL)
#: What is in the folders.
_INNER = re.compile(r"\d{4,}_[^/]*\.(png|txt)|classes\.txt", re.DOTALL)
_MOST_LIST = 1 << 30  # bytes
#: Bytes of a source's name that are kept; file systems allow 255 with numbers and suffix.
_MOST_NAME = 200


class _Earlier(NamedTuple):
    """The results of an earlier run in a folder, by name."""

    files: list[str]
    folders: list[str]
    #: How many of the files are images or videos.
    drawn: int


class DetectionsFolder:
    """The results for `sources` in `folder`, in the `forms` that FORMS names.

    inputs: folders that are read. Raises SternaError, before anything is written or removed, if the folder cannot be
    written, is one of `inputs`, or holds a file of another origin in the place of a new one.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source],
        inputs: Sequence[Path],
        classes: Sequence[str],
        forms: Sequence[str] = (DRAWN,),
        places: Places | None = None,
    ) -> None:
        files.check_folder(folder, inputs=inputs)
        self.folder, self._classes, self._forms_named = folder, classes, forms
        self._places = places or Places()
        self._named = [Named(source, f"{number:04}_{_kept(source.stem)}") for number, source in enumerate(sources)]
        self._forms: list[Form] = [FORMS[form](folder, classes, self._named) for form in forms]
        self._new = [name for form in self._forms for name in form.files()]
        self._new_folders = [name for form in self._forms for name in form.folders()]
        self._earlier = _earlier(folder)
        known = {*self._earlier.files, *self._earlier.folders}
        strange = [name for name in self._new + self._new_folders if name not in known]
        strange = [name for name in strange if os.path.lexists(folder / name)]
        if strange:
            raise SternaError(
                "holds a file that would be replaced and that no earlier detection made",
                where=str(folder),
                value=strange[0],
                remedy="name another folder, or move the file",
            )
        self._records: list[dict[str, Any]] = [self._record(named) for named in self._named]
        self._boxes = 0
        self._current = -1
        self._overlay = Overlay(classes, self._places)

    def start(self, about: Mapping[str, object]) -> int:
        """Remove earlier results, and list the new ones with `about`, what they are made with.

        Returns the number of images and videos that were removed.
        """
        for name in self._earlier.files:
            (self.folder / name).unlink(missing_ok=True)
        for name in self._earlier.folders:
            _clear(self.folder / name)
        if self._earlier.files or self._earlier.folders:
            files.remove_partial(self.folder)
        self._about = dict(about)
        self._list(complete=False)
        for form in self._forms:
            form.start()
        return self._earlier.drawn

    def add(self, number: int, seen: Seen, times: Stopwatch) -> None:
        """What is seen on the next frame of source `number`; `times` are told what drawing and writing take."""
        self._go_to(number)
        named, record = self._named[number], self._records[number]
        drawn = None
        if any(form.needs_drawing for form in self._forms):
            with times.part("draw"):
                drawn = self._overlay.draw(seen)
        # Whole or not at all: an interrupt waits until every form has the frame.
        with times.part("write"), signals.held():
            for form in self._forms:
                form.add(named, seen, drawn)
            self._count(named, record, seen)

    def end(self, number: int, summary: Mapping[str, Any]) -> None:
        """Source `number` has no more frames; `summary` is what was counted on them."""
        self._records[number].update(summary)
        self._go_to(number + 1)

    def close(self, *, complete: bool) -> int:
        """End every file and write the whole list; how many boxes there are.

        complete: whether all sources were read to their end. Raises SternaError for what cannot be written, once the
        rest is.
        """
        faults = []
        for form in self._forms:
            try:
                form.close()
            except SternaError as fault:
                faults.append(fault)
        self._list(complete=complete and not faults)
        if faults:
            raise faults[0]
        return self._boxes

    def _count(self, named: Named, record: dict[str, Any], seen: Seen) -> None:
        self._boxes += len(seen.found)
        if named.source.moving:
            record["frames"], record["seconds"] = seen.frame.number + 1, round(seen.frame.seconds, 3)
        if seen.ranked is not None:
            if not named.source.moving:
                record["classes"] = ranking.as_json(seen.ranked, self._classes)
        elif named.source.moving:
            record["boxes"] = record.get("boxes", 0) + len(seen.found)
        else:
            record["boxes"] = as_json(seen.found, self._classes)

    def _go_to(self, number: int) -> None:
        if number != self._current:
            self._current = number
            self._overlay = Overlay(self._classes, self._places)
            for form in self._forms:
                form.end()

    def _record(self, named: Named) -> dict[str, Any]:
        record = {"video" if named.source.moving else "image": named.source.origin}
        return record | ({"drawn": drawn_name(named)} if DRAWN in self._forms_named else {})

    def _list(self, *, complete: bool) -> None:
        images = [record for record in self._records if "image" in record]
        videos = [record for record in self._records if "video" in record]
        drawn = {record.get("drawn") for record in self._records}
        others = [name for name in self._new if name not in drawn]
        report: dict[str, Any] = {**self._about, "complete": complete, "images": images}
        report |= {"videos": videos} if videos else {}
        report |= {"files": others} if others else {}
        report |= {"folders": self._new_folders} if self._new_folders else {}
        files.write_bytes(self.folder / REPORT, f"{json.dumps(report, indent=1)}\n".encode())


def _kept(stem: str) -> str:
    """A name's beginning that leaves room for number and suffix."""
    name = os.fsencode(stem)
    return stem if len(name) <= _MOST_NAME else name[:_MOST_NAME].decode("utf-8", "ignore")


def _earlier(folder: Path) -> _Earlier:
    """What the list in `folder` names; nothing if there is no list."""
    path = folder / REPORT
    if not os.path.lexists(path):
        return _Earlier([], [], 0)
    try:
        listed = json.loads(files.read_bytes(path, _MOST_LIST, "list of detections"))
        records = [*listed["images"], *listed.get("videos", [])]
        drawn = [record["drawn"] for record in records if "drawn" in record]
        others, folders = listed.get("files", []), listed.get("folders", [])
        if not all(map(_FILE.fullmatch, drawn + others)) or not all(map(_FOLDER.fullmatch, folders)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SternaError(
            "is not the list of an earlier detection", where=str(path), remedy="name another folder, or move the file"
        ) from None
    return _Earlier(drawn + others, folders, len(drawn))


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote into a folder of its own, and the folder if nothing else is in it."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        if _INNER.fullmatch(path.name):
            path.unlink(missing_ok=True)
    files.remove_partial(folder)
    with suppress(OSError):
        folder.rmdir()
