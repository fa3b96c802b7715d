"""`sterna detect`: boxes on images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sterna.cli.backends import opened, with_engine
from sterna.cli.progress import bar
from sterna.package import package as package_file
from sterna.vision import defaults, drawing, image_files, image_search
from sterna.vision.decoder import Decoder
from sterna.vision.detections import DetectionsFolder, as_json
from sterna.vision.prepare import prepare


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
    package = package_file.load(path)
    decoder = Decoder.of(package.graph)
    files = image_search.find(inputs, recursive, apart=output, say=print)
    results = DetectionsFolder(output, files, [each for each in inputs if each.is_dir()])
    image_search.check(files, say=print)
    with opened(uri) as runner:
        runner.load(package)
        removed = results.start({"package": str(path), "backend": uri, "threshold": threshold, "overlap": overlap})
        if removed:
            print(f"{output}: removed the images of an earlier detection ({removed})")
        with bar("detect") as show:
            for number, file in enumerate(files):
                show(number, len(files), file.name)
                image = image_files.pixels(file)
                head = runner.infer(prepare(package.graph, image)[np.newaxis])[decoder.output][0]
                found = decoder.boxes(head, image, threshold=threshold, overlap=overlap)
                results.add(drawing.boxes(image, found, decoder.classes), as_json(found, decoder.classes))
        print(f"{len(files)} images, {results.finish()} boxes: {output}")
        if note := runner.note():
            print(note)
