"""Boxes with class and score on images, and sheets of several images."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sterna.files import write_atomically
from sterna.vision.boxes import Detections

#: Smaller images are enlarged by a whole factor to about this many pixels, to leave room for text.
READABLE = 512
GAP = 8
_GOLDEN = 0.618034  # turns of the colour wheel from class to class: neighbours differ clearly


def _colour(kind: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(0.02 + kind * _GOLDEN % 1.0, 0.85, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def boxes(
    image: NDArray[np.uint8],
    found: Detections,
    classes: Sequence[str],
    truth: NDArray[np.floating] | None = None,
) -> Image.Image:
    """`image` uint8 [H, W, 3] with the boxes of `found`, each with its class and score.

    `truth` [N, 4], left, top, right, bottom, is drawn in white, a little outside. All boxes are in pixels of `image`.
    """
    height, width, _ = image.shape
    factor = max(1, READABLE // max(height, width))
    canvas = Image.fromarray(image).resize((width * factor, height * factor), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    line = max(2, max(canvas.size) // 300)
    font = ImageFont.load_default(size=max(11, max(canvas.size) // 45))
    if truth is not None:
        _truths(draw, truth * factor, line)
    # The best box is drawn last, so that it lies on top.
    for box, score, kind in reversed(list(zip(found.boxes, found.scores, found.classes, strict=True))):
        left, top, right, bottom = (float(side) * factor for side in box)
        colour = _colour(int(kind))
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=line)
        _label(draw, (left, top), f"{classes[kind]} {score:.0%}", colour, font, width * factor)
    return canvas


def _truths(draw: ImageDraw.ImageDraw, truths: NDArray[np.floating], line: int) -> None:
    """White boxes of `line` pixels around `truths` [N, 4], with a black edge that shows them on a bright ground."""
    for left, top, right, bottom in truths.tolist():
        for around, colour, thick in ((line + 1, "black", 1), (line, "white", line)):
            draw.rectangle((left - around, top - around, right + around, bottom + around), outline=colour, width=thick)


def _label(
    draw: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    text: str,
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    limit: int,
) -> None:
    """`text` on a coloured ground above `corner`, below it at the top of the image, left of column `limit`."""
    _, _, width, height = draw.textbbox((0, 0), text, font=font)
    left = max(0, min(corner[0], limit - width - 4))
    top = corner[1] - height - 2 if corner[1] > height + 2 else corner[1]
    draw.rectangle((left, top, left + width + 4, top + height + 2), fill=colour)
    draw.text((left + 2, top), text, fill="black" if _bright(colour) else "white", font=font)


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
