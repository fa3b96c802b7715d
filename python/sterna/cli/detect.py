"""`sterna detect`: boxes on images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import tee
from pathlib import Path

from sterna.cli.backends import opened, with_engine
from sterna.cli.progress import bar
from sterna.compile.packages import load as load_package
from sterna.detector import Detector
from sterna.vision import defaults, drawing, image_files, image_search
from sterna.vision.detections import DetectionsFolder, as_json


def detect(
    path: Path,
    inputs: Sequence[Path],
    output: Path,
    backend: str,
    threshold: float | None,
    overlap: float | None,
    engine: Path | None,
    recursive: bool,
) -> None:
    """Write each image with its boxes to `output`, and all boxes to its detections.json."""
    threshold = defaults.SHOWN if threshold is None else threshold
    overlap = defaults.OVERLAP if overlap is None else overlap
    (uri,) = with_engine([backend], engine)
    package = load_package(path)
    files = image_search.find(inputs, recursive, apart=output, say=print)
    results = DetectionsFolder(output, files, [each for each in inputs if each.is_dir()])
    image_search.check(files, say=print)
    with opened(uri) as runner:
        detector = Detector(package, runner, threshold=threshold, overlap=overlap)
        removed = results.start({"package": str(path), "backend": uri, "threshold": threshold, "overlap": overlap})
        if removed:
            print(f"{output}: removed the images of an earlier run ({removed})")
        with bar("detect") as show:
            images, again = tee(map(image_files.pixels, files))
            for number, (image, found) in enumerate(zip(again, detector.stream(images), strict=True)):
                show(number, len(files), files[number].name)
                results.add(drawing.boxes(image, found, detector.classes), as_json(found, detector.classes))
        print(f"{len(files)} images, {results.finish()} boxes: {output}")
        if note := runner.note():
            print(note)
