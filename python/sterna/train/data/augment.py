"""Augmentation of training images as for YOLOv2: mirror, zoom, shift, colour, and input sizes.

Redmon and Farhadi 2017, section 2 ("Multi-Scale Training") and section 3; the default ranges of exposure, saturation
and hue are those of the published yolov2-voc.cfg. OpenCV moves and recolours the pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from sterna.graph.network import GREY
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.data.frames import Frame

LEAST_SHOWN = 0.4  # a box stays if this share of it is still in the image after a shift
STEP = 32  # pixels between two input sizes

# Images are small, and processes work on several at a time. A process that has threads of OpenCV must not be forked.
cv2.setNumThreads(1)


class Varied(NamedTuple):
    """A varied image, and the scale and offset, float64 [2] for x and y, that a coordinate in it went through."""

    image: NDArray[np.uint8]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]


def vary(image: NDArray[np.uint8], rng: np.random.Generator, options: AugmentOptions | None = None) -> Varied:
    """A mirrored, zoomed, shifted and recoloured copy of `image` uint8 [H, W, 3], the same for the same state of `rng`.

    options: how much it varies; None: the defaults. What is drawn from `rng` does not depend on them. What comes into
    the image from outside is GREY.
    """
    options = options or AugmentOptions()
    height, width, _ = image.shape
    scale, offset = _motion(rng, np.array([width, height]), options)
    return Varied(_move(_recolour(image, rng, options), scale, offset), scale, offset)


def augment(frame: Frame, rng: np.random.Generator, options: AugmentOptions | None = None) -> Frame:
    """`frame` with its image varied as by `vary`, and its boxes with it.

    Boxes of which less than LEAST_SHOWN is left are dropped.
    """
    height, width, _ = frame.image.shape
    image, scale, offset = vary(frame.image, rng, options)
    corners = frame.boxes.reshape(-1, 2, 2) * scale + offset
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
    clipped = boxes.clip(0, [width, height, width, height])
    shown = _area(clipped) >= LEAST_SHOWN * _area(boxes)
    return Frame(
        image,
        clipped[shown].astype(np.float32),
        frame.classes[shown],
        frame.difficult[shown],
        frame.crowd[shown],
    )


def sizes(height: int, width: int, share: float, step: int = STEP) -> list[tuple[int, int]]:
    """Input sizes (height, width) from 1 - share to 1 + share of the nominal one, all multiples of `step`.

    The aspect stays as near to the nominal one as the multiples allow. share 0 gives the nominal size alone.
    """
    widths = [other for other in range(step, 2 * width, step) if abs(other - width) <= share * width]
    return [(max(step, round(height * other / width / step) * step), other) for other in widths]


def _motion(
    rng: np.random.Generator, size: NDArray[np.int64], options: AugmentOptions
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """scale and offset [2] for x and y: a coordinate goes to scale * coordinate + offset."""
    mirror = np.array([-1.0 if rng.random() < options.mirror else 1.0, 1.0])
    zoom = _factor(rng, options.zoom)
    scale = mirror * zoom * np.array([_factor(rng, options.stretch), _factor(rng, options.stretch)])
    shift = rng.uniform(-options.shift, options.shift, 2) * size
    return scale, size / 2 - scale * size / 2 + shift


def _factor(rng: np.random.Generator, most: float) -> float:
    """A factor from 1 / most to most."""
    return float(most ** rng.uniform(-1, 1))


def _move(image: NDArray[np.uint8], scale: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.uint8]:
    # Boxes count from the edge of the first pixel, OpenCV from its centre.
    matrix = np.column_stack([np.diag(scale), offset + (scale - 1) / 2])
    height, width, _ = image.shape
    moved = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3)
    return np.asarray(moved, np.uint8)


def _area(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _recolour(image: NDArray[np.uint8], rng: np.random.Generator, options: AugmentOptions) -> NDArray[np.uint8]:
    """Hue, saturation and exposure varied by a table for each channel of HSV; all three off: `image` itself."""
    steps = np.arange(256)
    hue = (steps + rng.uniform(-options.hue, options.hue) * 256) % 256
    saturation, exposure = steps * _factor(rng, options.saturation), steps * _factor(rng, options.exposure)
    if options.hue == 0 and options.saturation == options.exposure == 1:
        return image  # the way to HSV and back rounds
    table = np.stack([hue, saturation, exposure], -1).clip(0, 255).astype(np.uint8)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL), table[None])
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL), np.uint8)
