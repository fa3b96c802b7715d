"""`sterna detect`: boxes on images, videos and cameras, or their classes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sterna.classifier import Classifier
from sterna.cli.backends import announce, opened, with_engine
from sterna.cli.progress import bar
from sterna.compile.packages import load as load_package
from sterna.detect import detect as run
from sterna.detector import Detector
from sterna.errors import SternaError
from sterna.package.package import Package
from sterna.run import Backend
from sterna.vision import defaults, forms, sources
from sterna.vision.decoder import Decoder
from sterna.vision.detections import DetectionsFolder
from sterna.vision.follow import Follow
from sterna.vision.forms.lines import LinesOut
from sterna.vision.places import Places
from sterna.vision.prepare import check_takes_images
from sterna.vision.ranking import KIND, Ranker
from sterna.vision.raw_frames import RawForm, RawFrames
from sterna.vision.sources import STDIN, Source
from sterna.vision.tiles import Tiles

#: The output that stands for standard output.
_STDOUT = Path(STDIN)
#: Options that are about boxes.
_OF_BOXES = {
    "overlap": "--overlap", "tiles": "--tiles", "track": "--track", "lines": "--line", "zones": "--zone",
    "places": "--places", "unusual": "--unusual",
}  # fmt: skip
#: And about classes.
_OF_CLASSES = {"top": "--top"}


@dataclass(frozen=True)
class Options:
    """How to look, what to follow and what to write; None: as usual."""

    threshold: float | None = None
    overlap: float | None = None
    tiles: str | None = None
    tile_overlap: float = defaults.TILE_OVERLAP
    aspect: str | None = None
    top: int | None = None
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

    def check(self, package: Package, named: Sequence[str]) -> None:
        """Raise SternaError for options and `named` forms that do not suit the package, before anything is opened."""
        if is_classifier(package):
            self._refuse(_OF_BOXES, "detectors, and the package is a classifier")
            forms.check_classes(named)
            check_takes_images(package.graph)
            Ranker.of(package.graph, self.aspect)
        else:
            self._refuse(_OF_CLASSES, "classifiers, and the package is none")
            Decoder.of(package.graph, self.aspect)

    def _refuse(self, options: Mapping[str, str], others: str) -> None:
        for name, option in options.items():
            value = getattr(self, name)
            if value is not None and value is not False and (not isinstance(value, Sequence) or value):
                raise SternaError(f"the option is for {others}", where=option, remedy="leave it out")

    def opened(self, package: Package, runner: Backend) -> Detector | Classifier:
        """What looks at images with `package`."""
        if not is_classifier(package):
            return Detector(package, runner, **self.detector())
        top = defaults.TOP if self.top is None else self.top
        return Classifier(package, runner, top=top, threshold=self.threshold or 0.0, aspect=self.aspect)

    def find(self, inputs: Sequence[str], apart: Path | None, say: Callable[[str], None]) -> list[Source]:
        """The sources that `inputs` name."""
        raw = None if self.raw is None else partial(RawFrames, form=RawForm.parse(self.raw), rate=self.rate)
        return sources.find(
            inputs, recursive=self.recursive, apart=apart, raw=raw, stdin=getattr(sys.stdin, "buffer", None), say=say
        )


def is_classifier(package: Package) -> bool:
    """Whether `package` scores classes instead of finding boxes."""
    return package.graph.metadata.get("kind") == KIND


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
    follow = options.follow()
    options.detector()  # refuses wrong values before anything is read
    named = None if options.write is None else forms.parse(options.write)
    (uri,) = with_engine([backend], engine)
    package = load_package(path)
    options.check(package, named or ())
    found = options.find(inputs, None if output == _STDOUT else output, say)
    classes = package.graph.metadata["classes"]
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
        detector = options.opened(package, runner)
        if isinstance(results, DetectionsFolder):
            removed = results.start(_about(path, uri, detector))
            if removed:
                say(f"{output}: removed the images of an earlier run ({removed})")
        with bar("detect") as show:
            written = run(detector, found, results, follow, most=options.frames, show=show, say=say)
        for source, summary in zip(found, written.summaries, strict=True):
            if summary:
                say(_counted(source, summary))
        what = "classified" if isinstance(detector, Classifier) else f"{written.boxes} boxes"
        say(f"{_number(found)}, {what}: {'standard output' if output == _STDOUT else output}")
        if note := runner.note():
            say(note)


def _about(path: Path, uri: str, detector: Detector | Classifier) -> dict[str, Any]:
    """What the results were made with."""
    about: dict[str, Any] = {"package": str(path), "backend": uri, "threshold": detector.threshold}
    if isinstance(detector, Classifier):
        return about | {"top": detector.top, "aspect": detector.aspect}
    about |= {"overlap": detector.overlap, "aspect": detector.aspect}
    if detector.tiles:
        about |= {"tiles": str(detector.tiles), "tile_overlap": detector.tiles.overlap}
    return about


def _number(found: Sequence[Source]) -> str:
    videos = sum(source.moving for source in found)
    images = len(found) - videos
    counts = ((images, "image"), (videos, "video"))
    return ", ".join(f"{count} {what}{'s' * (count > 1)}" for count, what in counts if count)
