"""Images to boxes, in one object: `with Detector(package) as detect: boxes = detect("street.jpg")`."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.package.package import Package
from sterna.run.backend import Backend
from sterna.run.registry import open_backend
from sterna.vision import image_files
from sterna.vision.boxes import Detections
from sterna.vision.decoder import Decoder
from sterna.vision.defaults import OVERLAP, SHOWN
from sterna.vision.prepare import prepare


class Box(NamedTuple):
    """An object that was found: its class, its score (0..1), and its sides in pixels of the image.

    >>> box = sterna.Box("person", 0.9, left=10.0, top=20.0, right=14.0, bottom=32.0)
    >>> box.right - box.left, box.bottom - box.top
    (4.0, 12.0)
    """

    label: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


@checked
class Detector:
    """Finds objects in images with a compiled detector, on any backend.

    package: made by `sterna.compile`, or read by `sterna.load`. backend: a URI such as `reference:` or `sim:`, or an
    open backend, which stays open. threshold: least score, overlap: largest IoU of two boxes of a class, both 0..1.
    Raises SternaError if the package is no detector, or the backend refuses it.

    >>> package = sterna.compile("demo-nano")
    >>> with sterna.Detector(package, threshold=0.5) as detect:
    ...     sorted({box.label for box in detect(sterna.scene(7))})
    ['person', 'vehicle']
    """

    def __init__(
        self,
        package: Package,
        backend: str | Backend = "reference:",
        *,
        threshold: float = SHOWN,
        overlap: float = OVERLAP,
    ) -> None:
        for name, share in (("threshold", threshold), ("overlap", overlap)):
            if not 0 <= share <= 1:
                raise SternaError(
                    f"bad {name}", where="Detector", attribute=name, value=share, allowed="0 .. 1",
                    remedy="choose a number in that range",
                )  # fmt: skip
        self.package, self.threshold, self.overlap = package, threshold, overlap
        self._decoder = Decoder.of(package.graph)
        self._own = isinstance(backend, str)
        self.backend = open_backend(backend) if isinstance(backend, str) else backend
        try:
            self.backend.load(package)
        except BaseException:
            self.close()
            raise

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self._decoder.classes

    @checked
    def __call__(self, image: str | Path | NDArray[np.uint8]) -> list[Box]:
        """The objects in `image`, best first: a file, or RGB pixels uint8 [H, W, 3] of any size.

        Raises SternaError if the file cannot be read or the pixels are of another form.
        """
        found = self.detect(image_files.pixels(Path(image)) if isinstance(image, str | Path) else image)
        sides = found.boxes.astype(float).tolist()
        return [
            Box(self.classes[kind], float(score), *box)
            for box, score, kind in zip(sides, found.scores, found.classes, strict=True)
        ]

    @checked
    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """The same for pixels uint8 [H, W, 3], as arrays: boxes in pixels, scores, and numbers of classes."""
        (found,) = self.stream([image])
        return found

    @checked
    def stream(self, images: Iterable[NDArray[np.uint8]]) -> Generator[Detections]:
        """The same for one image after another: an engine has the next one while it works on one.

        >>> package = sterna.compile("demo-nano")
        >>> with sterna.Detector(package) as detect:
        ...     [len(found) > 0 for found in detect.stream(sterna.scene(seed) for seed in (7, 8))]
        [True, True]
        """
        taken: deque[NDArray[np.uint8]] = deque()

        def prepared() -> Iterator[NDArray[np.int8]]:
            for image in images:
                integers = prepare(self.package.graph, image)
                taken.append(image)
                yield integers

        with closing(self.backend.stream(prepared())) as results:
            for heads in results:
                head, image = heads[self._decoder.output][0], taken.popleft()
                yield self._decoder.boxes(head, image, threshold=self.threshold, overlap=self.overlap)

    def close(self) -> None:
        """Close the backend, unless it was given open. May be called twice."""
        if self._own:
            self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
