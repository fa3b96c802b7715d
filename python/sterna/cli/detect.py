"""`sterna detect`: boxes on images, videos and cameras."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sterna.cli.backends import announce, opened, with_engine
from sterna.cli.progress import bar
from sterna.compile.packages import load as load_package
from sterna.detect import detect as run
from sterna.detector import Detector
from sterna.errors import SternaError
from sterna.vision import defaults, forms, sources
from sterna.vision.decoder import Decoder
from sterna.vision.detections import DetectionsFolder
from sterna.vision.follow import Follow
from sterna.vision.forms.lines import LinesOut
from sterna.vision.places import Places
from sterna.vision.raw_frames import RawForm, RawFrames
from sterna.vision.sources import STDIN, Source
from sterna.vision.tiles import Tiles

#: The output that stands for standard output.
_STDOUT = Path(STDIN)


@dataclass(frozen=True)
class Options:
    """How to look, what to follow and what to write; None: as usual."""

    threshold: float | None = None
    overlap: float | None = None
    tiles: str | None = None
    tile_overlap: float = defaults.TILE_OVERLAP
    aspect: str | None = None
    track: bool = False
    lines: Sequence[str] = ()
    zones: Sequence[str] = ()
    places: Path | None = None
    unusual: bool = False
    write: str | None = None
    raw: str | None = None
    rate: float = Source.USUAL_RATE
    frames: int | None = None
    recursive: bool = False

    def follow(self) -> Follow:
        """What is followed."""
        named = Places.parse(self.lines, self.zones)
        return Follow(self.track, named + Places.read(self.places) if self.places else named, self.unusual)

    def detector(self) -> dict[str, Any]:
        """The options of the detector."""
        size = None if self.tiles is None else Tiles.parse(self.tiles, self.tile_overlap)
        return {
            "threshold": defaults.SHOWN if self.threshold is None else self.threshold,
            "overlap": defaults.OVERLAP if self.overlap is None else self.overlap,
            "tiles": size and (size.width, size.height),
            "tile_overlap": self.tile_overlap,
            "aspect": self.aspect,
        }

    def find(self, inputs: Sequence[str], apart: Path | None, say: Callable[[str], None]) -> list[Source]:
        """The sources that `inputs` name."""
        raw = None if self.raw is None else partial(RawFrames, form=RawForm.parse(self.raw), rate=self.rate)
        return sources.find(
            inputs, recursive=self.recursive, apart=apart, raw=raw, stdin=getattr(sys.stdin, "buffer", None), say=say
        )


def _counted(source: Source, summary: dict[str, Any]) -> str:
    """What was counted on the frames of `source`, for people."""
    parts = [f"{summary['tracks']} tracks"]
    for name, ways in summary.get("lines", {}).items():
        parts.append(f"{name}: {ways['right']} to the right, {ways['left']} to the left")
    for name, zone in summary.get("zones", {}).items():
        parts.append(f"{name}: {zone['tracks']} tracks, at most {zone['most']} at once")
    if events := summary.get("unusual"):
        parts.append(f"unusual: {len({event['track'] for event in events})} tracks")
    return f"{source.origin}: {'; '.join(parts)}"


def detect(
    path: Path, inputs: Sequence[str], output: Path, backend: str, engine: Path | None, options: Options
) -> None:
    """Write what is found in `inputs` to the folder `output`, or as lines of JSON to standard output."""
    # Where results go to standard output, lines for people go to standard error.
    say = announce if output == _STDOUT else print
    follow, detecting = options.follow(), options.detector()
    named = None if options.write is None else forms.parse(options.write)
    (uri,) = with_engine([backend], engine)
    package = load_package(path)
    found = options.find(inputs, None if output == _STDOUT else output, say)
    classes = Decoder.of(package.graph, options.aspect).classes
    results: DetectionsFolder | LinesOut
    if output == _STDOUT and named:
        raise SternaError("standard output takes lines of JSON alone", where="--write", value=options.write,
                          remedy="leave --write out, or name a folder as the output")  # fmt: skip
    if output == _STDOUT:
        results = LinesOut(sys.stdout, found, classes)
    else:
        folders = [Path(each) for each in inputs if Path(each).is_dir()]
        results = DetectionsFolder(output, found, folders, classes, named or forms.usual(found), follow.places)
    sources.check(found, say)
    with opened(uri) as runner:
        detector = Detector(package, runner, **detecting)
        if isinstance(results, DetectionsFolder):
            removed = results.start(_about(path, uri, detector))
            if removed:
                say(f"{output}: removed the images of an earlier run ({removed})")
        with bar("detect") as show:
            written = run(detector, found, results, follow, most=options.frames, show=show, say=say)
        for source, summary in zip(found, written.summaries, strict=True):
            if summary:
                say(_counted(source, summary))
        say(f"{_number(found)}, {written.boxes} boxes: {'standard output' if output == _STDOUT else output}")
        if note := runner.note():
            say(note)


def _about(path: Path, uri: str, detector: Detector) -> dict[str, Any]:
    """What the results were made with."""
    about = {"package": str(path), "backend": uri, "threshold": detector.threshold, "overlap": detector.overlap}
    about |= {"aspect": detector.aspect}
    if detector.tiles:
        about |= {"tiles": str(detector.tiles), "tile_overlap": detector.tiles.overlap}
    return about


def _number(found: Sequence[Source]) -> str:
    videos = sum(source.moving for source in found)
    images = len(found) - videos
    counts = ((images, "image"), (videos, "video"))
    return ", ".join(f"{count} {what}{'s' * (count > 1)}" for count, what in counts if count)
