"""Image files: finding them, their sizes, and their pixels, turned upright as viewers show them."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from sterna import recognise
from sterna.errors import SternaError

SUFFIXES = (".bmp", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts",
    ".webm", ".wmv", ".y4m",
)  # fmt: skip
#: EXIF orientations in which width and height change places; 1 is upright.
SIDEWAYS = (5, 6, 7, 8)
#: How pixels are turned upright, by orientation. Pillow's exif_transpose writes EXIF anew, which damaged EXIF prevents.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: What pillow's readers of formats raise of damaged files. RuntimeError: AVIF and, as a kind of it, DDS.
_DAMAGED = (OSError, EOFError, LookupError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error)


class Header(NamedTuple):
    """What the header of an image says.

    stored: width and height as the pixels are stored. orientation: EXIF's, 1..8, by which they are turned upright.
    frames: pages or frames, of which `read` gives the first; the previews that phones add do not count.
    """

    stored: tuple[int, int]
    orientation: int
    frames: int

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright image."""
        width, height = self.stored
        return (height, width) if self.orientation in SIDEWAYS else self.stored


def among(paths: Iterable[Path], suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """The image files among `paths`, or those with other `suffixes`, in order of their names."""
    return sorted(
        path for path in paths if path.suffix.lower() in suffixes and not path.name.startswith("._") and path.is_file()
    )


def read(path: Path) -> Image.Image:
    """The image in `path` as upright 8-bit RGB. Raises SternaError if it cannot be read."""
    with _opened(path) as image:
        turn = _TURNS.get(_orientation(image))
        rgb = image.convert("RGB")
        return rgb if turn is None else rgb.transpose(turn)


def pixels(path: Path) -> NDArray[np.uint8]:
    """The image in `path`, upright, as RGB uint8[H, W, 3]. Raises SternaError if it cannot be read."""
    return np.asarray(read(path))


def header(path: Path) -> Header:
    """What the header of the image in `path` says. Raises SternaError if it cannot be read."""
    with _opened(path) as image:
        return Header(image.size, _orientation(image), _frames(image))


def _orientation(image: Image.Image) -> int:
    said: object = image.getexif().get(ExifTags.Base.Orientation)
    return said if isinstance(said, int) and said in range(1, 9) else 1


def _frames(image: Image.Image) -> int:
    """Frames of an image file; 1 if those after the first are damaged, since only the first is read."""
    try:
        return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except _DAMAGED:
        return 1


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with _strictly(), Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise SternaError(
                    "the image has more than 8 bits per channel",
                    where=str(path),
                    attribute="mode",
                    value=image.mode,
                    allowed="8-bit images",
                    remedy="save it as an 8-bit PNG or JPEG",
                )
            yield image
    except UnidentifiedImageError as error:
        raise SternaError(
            "is not a readable image",
            where=str(path),
            value=recognise.kind_of(path),
            allowed=" ".join(SUFFIXES),
            remedy=recognise.AGAIN.get(recognise.kind_of(path), "give a PNG or JPEG"),
        ) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise SternaError(
            "the image has too many pixels",
            where=str(path),
            allowed=f"at most {Image.MAX_IMAGE_PIXELS}",
            remedy="scale it down or crop it",
        ) from None
    except FileNotFoundError:
        raise SternaError("no such image file", where=str(path), remedy="check the path") from None
    except _DAMAGED as error:
        raise SternaError(
            f"the image cannot be read ({error})", where=str(path), remedy="copy or save it again"
        ) from error


@contextmanager
def _strictly() -> Iterator[None]:
    """Let pillow refuse an image at the number of pixels at which it only warns of a bomb otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
