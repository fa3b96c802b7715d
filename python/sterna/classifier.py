"""Images to classes, in one object: `with Classifier(package) as classify: best, *others = classify("part.jpg")`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.loaded import Loaded
from sterna.package.package import Package
from sterna.run.backend import Backend
from sterna.vision import image_files
from sterna.vision.defaults import TOP
from sterna.vision.prepare import check_pixels, check_takes_images, prepare
from sterna.vision.ranking import Ranker, Ranking, rank


class Score(NamedTuple):
    """A class of an image, and its score, 0..1: the scores of all classes add up to 1.

    >>> sterna.Score("good", 0.9).label
    'good'
    """

    label: str
    score: float


@checked
class Classifier(Loaded):
    """Tells the class of images with a compiled classifier, on any backend.

    package: made by `sterna.compile`, or read by `sterna.load`. backend: a URI such as `emulator:` or `sim:`, or an
    open backend, which stays open. top: how many classes at most; threshold: their least score, 0..1. aspect:
    "stretch" or "letterbox", as `sterna.prepare` takes it. Raises SternaError if the package is no classifier, or the
    backend refuses it.

    >>> sterna.Classifier(sterna.compile("demo-nano"))
    Traceback (most recent call last):
    sterna.errors.SternaError: graph metadata: is no classifier; ...
    """

    def __init__(
        self,
        package: Package,
        backend: str | Backend = "emulator:",
        *,
        top: int = TOP,
        threshold: float = 0.0,
        aspect: str | None = None,
    ) -> None:
        for name, value, allowed, is_one in (
            ("top", top, "1 or more", top >= 1), ("threshold", threshold, "0 .. 1", 0 <= threshold <= 1)
        ):  # fmt: skip
            if not is_one:
                raise SternaError(
                    f"bad {name}", where="Classifier", attribute=name, value=value, allowed=allowed,
                    remedy="choose a number in that range",
                )  # fmt: skip
        self.top, self.threshold = top, threshold
        check_takes_images(package.graph)
        self._ranker = Ranker.of(package.graph, aspect)
        super().__init__(package, backend)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self._ranker.classes

    @property
    def aspect(self) -> str:
        """What becomes of an image of another aspect than the network's input: "stretch" or "letterbox"."""
        return self._ranker.aspect

    @checked
    def __call__(self, image: str | Path | NDArray[np.uint8]) -> list[Score]:
        """The classes of `image`, best first: a file, or RGB pixels uint8 [H, W, 3] of any size.

        Raises SternaError if the file cannot be read or the pixels are of another form.
        """
        pixels = image_files.pixels(Path(image)) if isinstance(image, str | Path) else image
        (found,) = self.stream([pixels])
        return [Score(self.classes[kind], float(score)) for kind, score in zip(*found, strict=True)]

    @checked
    def stream(self, images: Iterable[NDArray[np.uint8]]) -> Generator[Ranking]:
        """The same for one image after another, as arrays: an engine has the next one while it works on one."""

        def prepared() -> Iterator[NDArray[np.int8]]:
            for image in images:
                with self.times.part("resize"):
                    integers = prepare(self.package.graph, check_pixels(image), self.aspect)
                yield integers

        with closing(self.backend.stream(prepared())) as results:
            while True:
                with self.times.part("device"):
                    found = next(results, None)
                if found is None:
                    return
                with self.times.part("classes"):
                    ranking = rank(self._ranker.real(found[self._ranker.output][0]), self.top, self.threshold)
                yield ranking
