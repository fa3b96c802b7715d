"""Detections as lines of JSON: one per image or frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from PIL import Image
from typing_extensions import override

from sterna.stopwatch import Stopwatch
from sterna.vision import ranking
from sterna.vision.boxes import Detections
from sterna.vision.forms.form import Named
from sterna.vision.forms.text import TextForm
from sterna.vision.frames import Seen
from sterna.vision.sources import Source


class JsonLines(TextForm):
    """A line of JSON per image or frame: `detections.jsonl`."""

    NAME = "detections.jsonl"

    @override
    def add(self, named: Named, seen: Seen, drawn: Image.Image | None) -> None:
        self.write(json_line(named.source, seen, self.classes))


class LinesOut:
    """The same lines to another program, each as soon as it is known, and in the end what was counted."""

    def __init__(self, stream: TextIO, sources: Sequence[Source], classes: Sequence[str]) -> None:
        self._stream, self._sources, self._classes = stream, sources, classes
        self._boxes = 0

    def add(self, number: int, seen: Seen, times: Stopwatch) -> None:
        """What is seen on the next frame of source `number`."""
        with times.part("write"):
            self._write(json_line(self._sources[number], seen, self._classes))
        self._boxes += len(seen.found)

    def end(self, number: int, summary: Mapping[str, Any]) -> None:
        """What was counted on the frames of a source, if anything was."""
        if summary:
            self._write(json.dumps({"source": self._sources[number].origin, "summary": summary}) + "\n")

    def close(self, *, complete: bool) -> int:
        """How many boxes there were."""
        return self._boxes

    def _write(self, line: str) -> None:
        self._stream.write(line)
        self._stream.flush()


def as_json(found: Detections, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Each box with class, score (0..1) and left, top, right, bottom in pixels."""
    return [
        {"class": classes[kind], "score": round(float(score), 4), "box": [round(float(side), 1) for side in box]}
        for box, score, kind in zip(found.boxes, found.scores, found.classes, strict=True)
    ]


def json_line(source: Source, seen: Seen, classes: Sequence[str]) -> str:
    """What is seen on a frame as a line of JSON; what does not apply is left out.

    source, frame (its number), seconds, width, height; classes with their scores, where a classifier looked; or boxes:
    those of `as_json`, with `track` and what is `unusual` of it; crossed: each line with track and way; inside: how
    many tracks are in each zone.
    """
    height, width, _ = seen.frame.image.shape
    boxes = as_json(seen.found, classes)
    for box, track in zip(boxes, seen.tracks.tolist(), strict=True):
        box |= {"track": track} if track else {}
        box |= {"unusual": list(seen.unusual[track])} if track in seen.unusual else {}
    record: dict[str, Any] = {"source": source.origin}
    if source.moving:
        record |= {"frame": seen.frame.number, "seconds": round(seen.frame.seconds, 6)}
    record |= {"width": width, "height": height}
    record |= {"boxes": boxes} if seen.ranked is None else {"classes": ranking.as_json(seen.ranked, classes)}
    record |= {"crossed": [crossing._asdict() for crossing in seen.crossed]} if seen.crossed else {}
    record |= {"inside": dict(seen.inside)} if seen.inside else {}
    return f"{json.dumps(record)}\n"
