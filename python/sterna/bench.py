"""How fast a detector is from the source of its images to what it writes, and which part takes how long."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from sterna.classifier import Classifier
from sterna.detect import Show, detect
from sterna.detector import Detector
from sterna.stopwatch import Stopwatch
from sterna.vision.detections import DetectionsFolder
from sterna.vision.follow import Follow
from sterna.vision.sources import Source
from sterna.watch import Watch

#: In the order in which a frame passes them.
PARTS = ("read", "resize", "device", "boxes", "classes", "follow", "draw", "write")
#: Size of the image on which everything is tried once before, where no source tells its own.
_SIZE = (480, 640)


@dataclass(frozen=True)
class Speed:
    """frames: how many. seconds: all of them together, end to end. parts: the seconds of each of PARTS."""

    frames: int
    seconds: float
    parts: dict[str, float]

    @property
    def per_second(self) -> float:
        """Frames per second, end to end."""
        return self.frames / self.seconds

    def milliseconds(self, part: str) -> float:
        """Of a part, per frame."""
        return 1000 * self.parts[part] / self.frames

    def share(self, part: str) -> float:
        """Of the time that a part takes, 0..1."""
        return self.parts[part] / self.seconds

    def as_json(self) -> dict[str, Any]:
        """Everything, rounded."""
        parts = {
            part: {"milliseconds": round(self.milliseconds(part), 3), "share": round(self.share(part), 4)}
            for part in self.parts
        }
        return {"frames": self.frames, "frames_per_second": round(self.per_second, 3), "parts": parts}


def bench(
    detector: Detector | Classifier,
    sources: Sequence[Source],
    follow: Follow,
    forms: Sequence[str],
    *,
    most: int | None = None,
    show: Show = lambda done, total, part: None,
    say: Callable[[str], None] = lambda text: None,
) -> Speed:
    """Detect in `sources` as `sterna detect` does, into a folder that goes away, and measure it.

    Before it, the detector sees one image that does not count, so that nothing is measured that happens once. Parts run
    one after another, but for "resize" and "boxes" on the emulator, which run beside others; where the device works
    while other parts run, "device" is what is waited for it. Raises SternaError as `detect` does.
    """
    Watch(detector, (), follow)  # imports what following needs
    first = np.zeros((*next((source.size for source in sources if source.size), _SIZE), 3), np.uint8)
    _ = [*detector.stream([first])]
    detector.times = Stopwatch()
    frames = 0

    def count(done: int, total: int | None, part: str) -> None:
        nonlocal frames
        frames += 1
        show(done, total, part)

    with tempfile.TemporaryDirectory() as folder:
        results = DetectionsFolder(Path(folder), sources, [], detector.classes, forms, follow.places)
        results.start({})
        begin = perf_counter()
        detect(detector, sources, results, follow, most=most, show=count, say=say)
        seconds = perf_counter() - begin
    parts = {part: detector.times.seconds[part] for part in PARTS if part in detector.times.seconds}
    return Speed(frames, seconds, parts)
