"""Picture files: which there are, how large they are, and their pixels, turned upright as viewers show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from sterna.errors import SternaError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
#: EXIF orientations in which width and height change places.
SIDEWAYS = (5, 6, 7, 8)


def among(paths: Iterable[Path]) -> list[Path]:
    """The picture files among `paths`, in order of their names."""
    return sorted(
        path for path in paths if path.suffix.lower() in SUFFIXES and not path.name.startswith("._") and path.is_file()
    )


def read(path: Path) -> Image.Image:
    """The picture in `path` as upright 8-bit RGB. Raises SternaError if it cannot be read."""
    with _opened(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def size(path: Path) -> tuple[int, int]:
    """Width and height of the upright picture, from its header alone. Raises SternaError if that cannot be read."""
    with _opened(path) as picture:
        sideways = picture.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS
        return (picture.height, picture.width) if sideways else picture.size


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(("I", "F")):
                raise SternaError(
                    "the picture has more than 8 bits a channel",
                    where=str(path),
                    attribute="mode",
                    value=picture.mode,
                    allowed="8-bit pictures",
                    remedy="save it as an 8-bit PNG or JPEG",
                )
            yield picture
    except UnidentifiedImageError as error:
        raise SternaError(
            "is not a picture that can be read",
            where=str(path),
            allowed=" ".join(SUFFIXES),
            remedy="give a PNG or JPEG",
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SternaError(
            f"the picture cannot be read ({error})", where=str(path), remedy="copy or save it again"
        ) from error
