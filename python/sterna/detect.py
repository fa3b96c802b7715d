"""Images, videos and cameras to written detections or classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sterna import signals
from sterna.classifier import Classifier
from sterna.detector import Detector
from sterna.stopwatch import Stopwatch
from sterna.vision.follow import Follow
from sterna.vision.frames import Seen
from sterna.vision.sources import Source
from sterna.watch import Watch

#: Called with how much is done, of how much if that is known, and of what.
Show = Callable[[int, int | None, str], None]


class Written(NamedTuple):
    """How many boxes were written, and for each source what was counted there."""

    boxes: int
    summaries: list[dict[str, Any]]


class Results(Protocol):
    """What takes the results: a `DetectionsFolder`, or `LinesOut`."""

    def add(self, number: int, seen: Seen, times: Stopwatch) -> None:
        """What is seen on the next frame of source `number`."""

    def end(self, number: int, summary: Mapping[str, Any]) -> None:
        """What was counted on the frames of a source."""

    def close(self, *, complete: bool) -> int:
        """End every file; the number of boxes."""


def detect(
    detector: Detector | Classifier,
    sources: Sequence[Source],
    results: Results,
    follow: Follow,
    *,
    most: int | None = None,
    show: Show = lambda done, total, part: None,
    say: Callable[[str], None] = lambda text: None,
) -> Written:
    """Write what `detector` sees in `sources` to `results`.

    follow, most, say: as of `Watch`. Whatever ends it, an error or Ctrl-C, what was written is ended, and so valid.
    Raises SternaError for what cannot be read or written.
    """
    watch = Watch(detector, sources, follow, most, say)
    complete = False
    try:
        for number, seen in watch:
            results.add(number, seen, detector.times)
            source = sources[number]
            if source.moving:
                show(seen.frame.number + 1, _least(source.count, most), source.stem)
            else:
                show(number, len(sources), source.stem)
        complete = True
    finally:
        with signals.held(), detector.times.part("write"):
            summaries = [watch.summary(number) for number in range(len(sources))]
            for number, summary in enumerate(summaries):
                results.end(number, summary)
            written = Written(results.close(complete=complete), summaries)
    return written


def _least(count: int | None, most: int | None) -> int | None:
    known = [each for each in (count, most) if each is not None]
    return min(known) if known else None
