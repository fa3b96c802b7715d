"""The pixels that labels are of: of an image as it is stored, or turned upright as its EXIF orientation says.

Some programs that draw boxes show images upright, others as they are stored, and few say which.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.train.data.formats.places import exists
from sterna.vision import image_files

Box = tuple[float, float, float, float]
Size = tuple[int, int]


class Exif(StrEnum):
    """Which pixels labels are of, where an image has an EXIF orientation and nothing else tells."""

    UPRIGHT = "upright"
    STORED = "stored"


SEVERAL = "files with several images, of which the first is read"
SAID = "an EXIF orientation; by their image size, labels refer to the image {}"
NOT_SAID = "an EXIF orientation; labels do not say which way up, taken as {} (--exif upright, --exif stored)"


class Canvas(NamedTuple):
    """What labels are drawn on.

    image: its file. size: width and height in pixels of the labels. upright: size of the image as it is trained on.
    orientation: from the pixels of the labels to the upright image, as EXIF counts; 1: they are the same. notes: what
    a person should know of it.
    """

    image: Path
    size: Size
    upright: Size
    orientation: int = 1
    notes: tuple[str, ...] = ()

    def turn(self, box: Box) -> Box:
        """`box` in the upright image."""
        left, top, right, bottom = box
        width, height = self.size
        flipped_x, flipped_y = (width - right, width - left), (height - bottom, height - top)
        x, y = {
            1: ((left, right), (top, bottom)),
            2: (flipped_x, (top, bottom)),
            3: (flipped_x, flipped_y),
            4: ((left, right), flipped_y),
            5: ((top, bottom), (left, right)),
            6: (flipped_y, (left, right)),
            7: (flipped_y, flipped_x),
            8: ((top, bottom), flipped_x),
        }[self.orientation]
        return x[0], y[0], x[1], y[1]


def canvas(
    image: Path, listed: Path, exif: Exif, said: tuple[int | None, int | None] = (None, None), where: Path | str = ""
) -> Canvas:
    """What the labels of `image`, which the file `listed` names, are drawn on.

    said: width and height that the annotation `where` states; None and 0 say nothing. Raises SternaError for an image
    that is not there or cannot be read, and if it has another size than is said, as stored and upright.
    """
    found = image_files.header(there(image, listed))
    if all(said) and said not in (found.stored, found.upright):
        raise _another_size(said, found, str(where))
    several = (SEVERAL,) if found.frames > 1 else ()
    stored = Canvas(image, found.stored, found.upright, found.orientation, several)
    upright = Canvas(image, found.upright, found.upright, notes=several)
    if found.orientation == 1:
        return upright
    if all(said) and found.stored != found.upright:
        return _noted(stored, SAID, "as stored") if said == found.stored else _noted(upright, SAID, "upright")
    return _noted(stored if exif is Exif.STORED else upright, NOT_SAID, exif)


def there(image: Path, listed: Path) -> Path:
    """`image`, which the file `listed` names; raises SternaError if it is not there."""
    if not exists(image):
        raise SternaError(
            "a listed image is missing",
            where=str(listed),
            attribute="image",
            value=image,
            remedy="add the image or remove it from the list",
        )
    return image


def _noted(found: Canvas, note: str, way: str) -> Canvas:
    return found._replace(notes=(*found.notes, note.format(way)))


def _another_size(said: tuple[int | None, int | None], found: image_files.Header, where: str) -> SternaError:
    sizes = dict.fromkeys(f"{width}x{height}" for width, height in (found.upright, found.stored))
    return SternaError(
        "the annotation is for an image of another size",
        where=where,
        attribute="size",
        value=f"{said[0]}x{said[1]}",
        allowed=f"{' or '.join(sizes)}, the size of the image",
        remedy="annotate the image again, or put back the one that was annotated",
    )
