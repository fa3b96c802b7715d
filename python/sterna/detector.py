"""Images to boxes, in one object: `with Detector(package) as detect: boxes = detect("street.jpg")`."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.loaded import Loaded
from sterna.native import libsterna
from sterna.package.package import Package
from sterna.run.backend import Backend, Results
from sterna.run.backends.emulator import EmulatorBackend
from sterna.run.emulator import Emulator
from sterna.vision import image_files, sources
from sterna.vision.boxes import Detections
from sterna.vision.decoder import Decoder
from sterna.vision.defaults import OVERLAP, SHOWN, TILE_OVERLAP
from sterna.vision.fit import side_by_side
from sterna.vision.follow import Follow
from sterna.vision.frames import Seen
from sterna.vision.places import Places
from sterna.vision.prepare import check_pixels, prepare
from sterna.vision.sources import Source
from sterna.vision.tiles import Tile, Tiles, merge
from sterna.watch import Watch

#: Images that are with libsterna at a time: one is read while another is looked at.
IN_FLIGHT = 2


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
class Detector(Loaded):
    """Finds objects in images with a compiled detector, on any backend.

    package: made by `sterna.compile`, or read by `sterna.load`. backend: a URI such as `emulator:` or `sim:`, or an
    open backend, which stays open. threshold: least score, overlap: largest IoU of two boxes of a class, both 0..1.
    tiles: side, or width and height, of the tiles in which a larger image is looked at besides the whole of it, in
    pixels; small objects are found so. tile_overlap: share (0..0.9) of a side that neighbours have in common. aspect:
    "stretch" or "letterbox", as `sterna.prepare` takes it. Raises SternaError if the package is no detector, or the
    backend refuses it.

    >>> package = sterna.compile("demo-nano")
    >>> with sterna.Detector(package, threshold=0.5) as detect:
    ...     sorted({box.label for box in detect(sterna.scene(7))})
    ['person', 'vehicle']
    """

    def __init__(
        self,
        package: Package,
        backend: str | Backend = "emulator:",
        *,
        threshold: float = SHOWN,
        overlap: float = OVERLAP,
        tiles: int | tuple[int, int] | None = None,
        tile_overlap: float = TILE_OVERLAP,
        aspect: str | None = None,
    ) -> None:
        for name, share in (("threshold", threshold), ("overlap", overlap)):
            if not 0 <= share <= 1:
                raise SternaError(
                    f"bad {name}", where="Detector", attribute=name, value=share, allowed="0 .. 1",
                    remedy="choose a number in that range",
                )  # fmt: skip
        self.threshold, self.overlap = threshold, overlap
        self.tiles = None if tiles is None else _tiles(tiles, tile_overlap)
        self._decoder = Decoder.of(package.graph, aspect)
        super().__init__(package, backend)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self._decoder.classes

    @property
    def aspect(self) -> str:
        """What becomes of an image of another aspect than the network's input: "stretch" or "letterbox"."""
        return self._decoder.aspect

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
        (found,) = self._by_parts([image])
        return found

    @checked
    def stream(self, images: Iterable[NDArray[np.uint8]]) -> Generator[Detections]:
        """The same for one image after another: an engine has the next one while it works on one.

        >>> package = sterna.compile("demo-nano")
        >>> with sterna.Detector(package) as detect:
        ...     [len(found) > 0 for found in detect.stream(sterna.scene(seed) for seed in (7, 8))]
        [True, True]
        """
        emulator = self.backend.emulator if isinstance(self.backend, EmulatorBackend) else None
        if emulator is None or self.tiles:
            yield from self._by_parts(images)
        else:
            yield from self._beside(emulator, images)

    def _beside(self, emulator: Emulator, images: Iterable[NDArray[np.uint8]]) -> Generator[Detections]:
        """Resizing and boxes in threads of libsterna, beside the emulator and whoever makes the images."""
        form = (self.classes, self._decoder.anchors, self.aspect)
        pipeline = libsterna.Detector(emulator.native, *form, self.threshold, self.overlap, threads=1, frames=IN_FLIGHT)
        counted = np.zeros(len(pipeline.seconds()))
        fault: Exception | None = None
        source = iter(images)
        while True:
            try:
                image = next(source, None)
                pixels = None if image is None else side_by_side(check_pixels(image))
            except Exception as error:
                # What came before it is seen first.
                fault, pixels = error, None
            if pixels is None:
                break
            while not pipeline.submit(pixels):
                yield from self._waited(pipeline, counted)
        while found := [*self._waited(pipeline, counted)]:
            yield from found
        if fault is not None:
            raise fault

    def _waited(self, pipeline: libsterna.Detector, counted: NDArray[np.float64]) -> Iterator[Detections]:
        """What is in the oldest image in flight, if there is one. counted: seconds of the parts that `times` has."""
        with self.times.part("device"):
            found = pipeline.wait()
        new = pipeline.seconds() - counted
        counted += new
        _, resize, _, boxes = new.tolist()
        self.times.beside("resize", resize)
        self.times.beside("boxes", boxes)
        if found is not None:
            yield Detections(*found)

    def _by_parts(self, images: Iterable[NDArray[np.uint8]]) -> Generator[Detections]:
        taken: deque[tuple[NDArray[np.uint8], list[Tile]]] = deque()

        def prepared() -> Iterator[NDArray[np.int8]]:
            for image in images:
                height, width, _ = check_pixels(image).shape
                parts = self.tiles.on(height, width) if self.tiles else [Tile(0, 0, width, height)]
                taken.append((image, parts))
                for part in parts:
                    with self.times.part("resize"):
                        integers = prepare(self.package.graph, part.cut_from(image), self.aspect)
                    yield integers

        with closing(self.backend.stream(prepared())) as results:
            heads = self._heads(results)
            for first in heads:
                image, parts = taken.popleft()
                yield self._merged(image, parts, chain([first], heads))

    def _heads(self, results: Iterator[Results]) -> Iterator[NDArray[np.int8]]:
        """The raw head [C, h, w] of each of `results`."""
        while True:
            with self.times.part("device"):
                found = next(results, None)
            if found is None:
                return
            yield found[self._decoder.output][0]

    def _merged(self, image: NDArray[np.uint8], parts: list[Tile], heads: Iterator[NDArray[np.int8]]) -> Detections:
        """The boxes on `image` from the heads of its `parts`, the next of `heads`."""
        found = []
        for part in parts:
            head = next(heads)
            with self.times.part("boxes"):
                each = self._decoder.boxes(head, part.cut_from(image), threshold=self.threshold, overlap=self.overlap)
                found.append((part, each))
        with self.times.part("boxes"):
            height, width, _ = image.shape
            return merge(self.tiles, found, height, width, self.overlap) if self.tiles else found[0][1]

    @checked
    def video(
        self,
        source: str | Path | Iterable[NDArray[np.uint8]],
        *,
        rate: float = Source.USUAL_RATE,
        track: bool = True,
        lines: dict[str, Any] | None = None,
        zones: dict[str, Any] | None = None,
        unusual: bool = False,
    ) -> Generator[Seen]:
        """What is seen on each frame of a video: a file, a camera, a URL, or images that follow each other.

        rate: frames per second of images. track: number the objects. lines, zones: by name, two points `[x, y, x, y]`
        that tracks cross, or corners `[x, y, x, y, ...]` between which they are; in pixels, or in shares of the frame
        if no number is more than 1. unusual: report tracks of unusual speed or direction. Following needs the extra
        `video`. Raises SternaError for what is missing, cannot be read, or ends before its time.

        >>> package = sterna.compile("demo-nano")
        >>> frames = [sterna.scene(7)] * 3
        >>> with sterna.Detector(package, threshold=0.5) as detect:
        ...     for seen in detect.video(frames, zones={"all": [0, 0, 1, 0, 1, 1, 0, 1]}):
        ...         print(seen.frame.number, len(seen.found), sorted(seen.tracks), seen.inside)
        0 2 [0, 0] {'all': 0}
        1 2 [1, 2] {'all': 2}
        2 2 [1, 2] {'all': 2}
        """
        if not 0 < rate < math.inf:
            raise SternaError("no such rate", where="Detector.video", attribute="rate", value=rate,
                              allowed="more than 0, finite", remedy="give frames per second")  # fmt: skip
        follow = Follow(track, Places.of(lines or {}, zones or {}, "Detector.video"), unusual)
        return self._video(source, rate, follow)

    def _video(self, source: str | Path | Iterable[NDArray[np.uint8]], rate: float, follow: Follow) -> Generator[Seen]:
        found: Sequence[Source] = (
            sources.find([str(source)]) if isinstance(source, str | Path) else [sources.Images(source, rate)]
        )
        sources.check(found, lambda text: None)
        for _, seen in Watch(self, found, follow):
            yield seen


def _tiles(size: int | tuple[int, int], overlap: float) -> Tiles:
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if len(sides) != 2 or not all(isinstance(side, int) for side in sides):
        raise SternaError("is no size of tiles", where="Detector", attribute="tiles", value=size,
                          allowed="a side, or width and height, in pixels", remedy="give for example 640")  # fmt: skip
    return Tiles.of(*sides, overlap)
