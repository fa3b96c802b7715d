"""Where images come from: files, folders, videos, cameras, raw frames on standard input."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from sterna import recognise
from sterna.errors import FaultsError, SternaError
from sterna.extras import VIDEO, needed_for
from sterna.vision import image_files, image_search
from sterna.vision.frames import Frame
from sterna.vision.image_files import VIDEO_SUFFIXES

#: Called with a line about what was ignored.
Say = Callable[[str], None]
#: The name of standard input.
STDIN = "-"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://.+")


class Source(ABC):
    """An image, or a video or camera with many.

    origin: as a person named it. stem: for the names of files about it. moving: whether its frames follow each other in
    time. After `check`, where they are known: count of frames, rate of them per second, height and width in `size`.
    """

    USUAL_RATE: ClassVar[float] = 25.0
    moving: ClassVar[bool]
    count: int | None = None
    rate: float | None = None
    size: tuple[int, int] | None = None

    def __init__(self, origin: str, stem: str) -> None:
        self.origin, self.stem = origin, stem

    @abstractmethod
    def check(self, say: Say) -> None:
        """Raise SternaError, before any work is done, if it cannot be read. `say` is told what will not be read."""

    @abstractmethod
    def frames(self, say: Say) -> Iterator[Frame]:
        """Its frames in order, each later than the one before.

        `say` is told what was passed over. Raises SternaError if it fails on the way.
        """

    def lost(self, frames: int) -> SternaError:
        """The refusal of a camera that gave no more after so many frames."""
        return SternaError(
            f"the camera gives no more frames, after {frames}", where=self.origin,
            remedy="plug it in or start it again; what was seen until then is written",
        )  # fmt: skip


class ImageFile(Source):
    """An image in a file."""

    moving = False
    count = 1

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), path.stem)
        self.path = path

    def check(self, say: Say) -> None:
        """As `image_search.check`."""
        image_search.check([self.path], say)

    def frames(self, say: Say) -> Iterator[Frame]:
        """The one image."""
        yield Frame(image_files.pixels(self.path), 0, 0.0)


class Images(Source):
    """Images of a program, RGB uint8 [H, W, 3], as a video of `rate` frames per second."""

    moving = True

    def __init__(self, images: Iterable[NDArray[np.uint8]], rate: float) -> None:
        super().__init__("images", "images")
        self._images, self.rate = images, rate

    def check(self, say: Say) -> None:
        """Nothing can be known before it is read."""

    def frames(self, say: Say) -> Iterator[Frame]:
        """The images, evenly in time."""
        assert self.rate is not None
        for number, image in enumerate(self._images):
            yield Frame(image, number, number / self.rate)


def find(
    inputs: Sequence[str],
    *,
    recursive: bool = False,
    apart: Path | None = None,
    raw: Callable[[BinaryIO], Source] | None = None,
    stdin: BinaryIO | None = None,
    say: Say = lambda text: None,
) -> list[Source]:
    """The sources that `inputs` name: files and folders of images and videos, cameras, URLs, `-` for standard input.

    recursive, apart, say: as of `image_search.find`. raw: makes a source of `stdin`, of raw frames. Raises SternaError
    for what is not there, and for `-` without `raw`.
    """
    found: list[Source] = []
    paths: list[Path] = []

    def files() -> None:
        found.extend(map(_of_file, image_search.find(paths, recursive, apart, say, VIDEO_SUFFIXES)))
        paths.clear()

    for each in inputs:
        if each == STDIN or _URL.fullmatch(each) or Path(each).is_char_device():
            files()
            found.append(_live(each, raw, stdin))
        else:
            paths.append(Path(each))
    files()
    return found


def check(sources: Sequence[Source], say: Say) -> None:
    """Raise SternaError for those of `sources` that cannot be read, before any work is done."""
    faults = []
    for source in sources:
        try:
            source.check(say)
        except SternaError as fault:
            faults.append(fault)
    if faults:
        raise faults[0] if len(faults) == 1 else FaultsError(faults, where="images", remedy="leave them out")


def _of_file(path: Path) -> Source:
    if path.suffix.lower() not in VIDEO_SUFFIXES and recognise.kind_of(path) != recognise.VIDEO:
        return ImageFile(path)
    with needed_for(str(path), VIDEO):
        from sterna.vision.video.reader import VideoFile
    return VideoFile(path)


def _live(name: str, raw: Callable[[BinaryIO], Source] | None, stdin: BinaryIO | None) -> Source:
    if name == STDIN:
        if raw is None or stdin is None:
            raise SternaError("the form of the frames on standard input is not said", where=STDIN,
                              remedy="say it: --raw 1280x720:rgb24")  # fmt: skip
        return raw(stdin)
    if not _URL.fullmatch(name):
        from sterna.vision.camera import Camera

        return Camera(Path(name))
    with needed_for(name, VIDEO):
        from sterna.vision.video.reader import NetworkCamera
    return NetworkCamera(name)
