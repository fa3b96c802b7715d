"""Boxes with class and score on images, and sheets of several images."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sterna.files import write_atomically
from sterna.vision.boxes import Detections
from sterna.vision.ranking import Ranking

#: Smaller images are enlarged by a whole factor to about this many pixels, to leave room for text.
READABLE = 512
GAP = 8
#: Pixels of letters and lines on large images: what is found there may be small.
_LARGEST_TEXT, _THICKEST = 32, 5
WHITE = (255, 255, 255)
_GOLDEN = 0.618034  # turns of the colour wheel from class to class: neighbours differ clearly


def colour(kind: int) -> tuple[int, int, int]:
    """The colour of class number `kind`."""
    red, green, blue = colorsys.hsv_to_rgb(0.02 + kind * _GOLDEN % 1.0, 0.85, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def boxes(
    image: NDArray[np.uint8],
    found: Detections,
    classes: Sequence[str],
    truth: NDArray[np.floating] | None = None,
    labels: Sequence[str] | None = None,
) -> Image.Image:
    """`image` uint8 [H, W, 3] with the boxes of `found`, each with its class and score, or its own of `labels`.

    `truth` [N, 4], left, top, right, bottom, is drawn in white, a little outside. All boxes are in pixels of `image`,
    which is enlarged if it is small.
    """
    height, width, _ = image.shape
    factor = enlargement(height, width)
    canvas = Image.fromarray(image).resize((width * factor, height * factor), Image.Resampling.NEAREST)
    draw, line = ImageDraw.Draw(canvas), stroke(canvas)
    if truth is not None:
        _truths(draw, truth * factor, line)
    if labels is None:
        labels = [f"{classes[kind]} {score:.0%}" for score, kind in zip(found.scores, found.classes, strict=True)]
    # The best box is drawn last, so that it lies on top.
    for box, kind, text in reversed(list(zip(found.boxes, found.classes, labels, strict=True))):
        left, top, right, bottom = (float(side) * factor for side in box)
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour(int(kind)), width=line)
        label(canvas, (left, top), text, colour(int(kind)))
    return canvas


def ranking(image: NDArray[np.uint8], found: Ranking, classes: Sequence[str], truth: int | None = None) -> Image.Image:
    """`image` uint8 [H, W, 3], enlarged if it is small, with the classes of `found` and their scores, best on top.

    truth: the number of the true class, written in white above.
    """
    lines = [] if truth is None else [(classes[truth], WHITE)]
    for kind, score in zip(found.classes.tolist(), found.scores.tolist(), strict=True):
        lines.append((f"{classes[kind]} {score:.0%}", colour(kind)))
    return captioned(image, lines)


def captioned(image: NDArray[np.uint8], lines: Sequence[tuple[str, tuple[int, int, int]]]) -> Image.Image:
    """`image` uint8 [H, W, 3], enlarged if it is small, with `lines` from the top: each a text and its ground."""
    height, width, _ = image.shape
    factor = enlargement(height, width)
    canvas = Image.fromarray(image).resize((width * factor, height * factor), Image.Resampling.NEAREST)
    top = 0.0
    for text, ground in lines:
        top = label(canvas, (0.0, top), text, ground, below=True)
    return canvas


def enlargement(height: int, width: int) -> int:
    """The factor by which an image of this size is enlarged to be readable."""
    return max(1, READABLE // max(height, width))


def stroke(canvas: Image.Image) -> int:
    """Pixels of the width of a line that is well seen on `canvas`."""
    return max(2, min(_THICKEST, max(canvas.size) // 300))


def _truths(draw: ImageDraw.ImageDraw, truths: NDArray[np.floating], line: int) -> None:
    """White boxes of `line` pixels around `truths` [N, 4], with a black edge that shows them on a bright ground."""
    for left, top, right, bottom in truths.tolist():
        for around, colour, thick in ((line + 1, "black", 1), (line, "white", line)):
            draw.rectangle((left - around, top - around, right + around, bottom + around), outline=colour, width=thick)


def label(
    canvas: Image.Image, corner: tuple[float, float], text: str, ground: tuple[int, int, int], *, below: bool = False
) -> float:
    """`text` on a ground of that colour above `corner`, `below` it or at the top of `canvas`, left of its right side.

    Returns where it ends.
    """
    draw, font = ImageDraw.Draw(canvas), _font(max(11, min(_LARGEST_TEXT, max(canvas.size) // 45)))
    _, _, width, height = draw.textbbox((0, 0), text, font=font)
    left = max(0, min(corner[0], canvas.width - width - 4))
    top = corner[1] - height - 2 if corner[1] > height + 2 and not below else corner[1]
    draw.rectangle((left, top, left + width + 4, top + height + 2), fill=ground)
    draw.text((left + 2, top), text, fill="black" if _bright(ground) else "white", font=font)
    return top + height + 2


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _bright(colour: tuple[int, int, int]) -> bool:
    """Whether black reads better than white on `colour` (ITU-R BT.601 luma)."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140


def sheet(images: Sequence[Image.Image], columns: int) -> Image.Image:
    """`images` side by side in rows of `columns`, on white."""
    width = max(image.width for image in images)
    height = max(image.height for image in images)
    rows = -(-len(images) // columns)
    size = (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP)
    canvas = Image.new("RGB", size, "white")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        canvas.paste(image, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return canvas


def save(image: Image.Image, path: Path) -> None:
    """Write `image` as the PNG file `path`, atomically. Raises SternaError if it cannot be written."""
    write_atomically(path, lambda partial: image.save(partial, "PNG"))
