"""Labelled pictures: what every dataset gives, and how one is changed to give the training more of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LEAST_SHOWN = 0.4  # a box stays if this share of it is still in the picture after a shift
MAX_SHIFT = 0.15
MAX_ZOOM = 1.25
BACKGROUND = 128  # the real 0 of the network


class Frame(NamedTuple):
    """One picture and its labels.

    image: uint8 [H, W, 3] RGB. boxes: float32 [N, 4], left, top, right, bottom in pixels of `image`.
    classes: int64 [N]. difficult: bool [N], boxes that training skips and evaluation ignores.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    difficult: NDArray[np.bool_]


class Dataset(Protocol):
    """Frames of one size by index."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; the index is the class number."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Frame: ...


class Kept:
    """A dataset whose frames are made once and then kept in memory."""

    def __init__(self, source: Dataset) -> None:
        self._source = source
        self._frames: dict[int, Frame] = {}

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the source."""
        return self._source.classes

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Frame:
        if index not in self._frames:
            self._frames[index] = self._source[index]
        return self._frames[index]


def augment(frame: Frame, rng: np.random.Generator) -> Frame:
    """A mirrored, zoomed, shifted and recoloured copy of `frame`, the same for the same `rng`."""
    height, width, _ = frame.image.shape
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    zoom_x, zoom_y = np.exp(rng.uniform(-1, 1) * np.log(MAX_ZOOM) + rng.uniform(-0.08, 0.08, 2))
    shift_x, shift_y = rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * (width, height)
    # Forward map of a coordinate: scale * (x - centre) + centre + shift.
    scale = np.array([mirror * zoom_x, zoom_y])
    centre = np.array([width, height]) / 2
    offset = centre - scale * centre + (shift_x, shift_y)
    inverse = (1 / scale[0], 0.0, -offset[0] / scale[0], 0.0, 1 / scale[1], -offset[1] / scale[1])
    picture = Image.fromarray(frame.image).transform(
        (width, height),
        Image.Transform.AFFINE,
        inverse,
        Image.Resampling.BILINEAR,
        fillcolor=(BACKGROUND,) * 3,
    )
    corners = frame.boxes.reshape(-1, 2, 2) * scale + offset
    moved = np.concatenate([corners.min(1), corners.max(1)], 1)
    clipped = moved.clip(0, [width, height, width, height])
    shown = _area(clipped) >= LEAST_SHOWN * _area(moved)
    return Frame(
        _recolour(np.asarray(picture), rng),
        clipped[shown].astype(np.float32),
        frame.classes[shown],
        frame.difficult[shown],
    )


def _area(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _recolour(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Brightness, contrast, colour cast and saturation as one look-up per channel and one mix."""
    gain = rng.uniform(0.75, 1.3) * rng.uniform(0.93, 1.07, 3)
    bias = rng.uniform(-18, 18)
    saturation = np.float32(rng.uniform(0.7, 1.3))
    coloured = image.astype(np.float32)
    grey = coloured.mean(2, keepdims=True)
    coloured = (grey + saturation * (coloured - grey)) * gain.astype(np.float32) + np.float32(bias)
    return coloured.clip(0, 255).astype(np.uint8)
