"""Large images in tiles, in which small objects are large enough to be found, and one list of boxes from them.

Source: Akyon, Altinuc and Temizel, "Slicing Aided Hyper Inference and Fine-tuning for Small Object Detection" (2022):
tiles that overlap, and the whole image as well, in which large objects are found. Its merging knows only how far boxes
overlap; here a box that the border of its tile cuts gives way to the same object seen whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.vision.boxes import Detections, iou
from sterna.vision.defaults import TILE_OVERLAP

MOST_OVERLAP = 0.9
LEAST_SIDE = 16  # pixels
#: Share of a tile's side within which the end of a box counts as cut by the border.
_AT_BORDER = 0.02


class Tile(NamedTuple):
    """Part of an image: its sides in pixels, right and bottom just outside."""

    left: int
    top: int
    right: int
    bottom: int

    def cut_from(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Its pixels of `image` [H, W, 3]."""
        return image[self.top : self.bottom, self.left : self.right]


class Tiles(NamedTuple):
    """Tiles of `width` x `height` pixels, of which neighbours share at least `overlap` (0..0.9) of a side."""

    width: int
    height: int
    overlap: float = TILE_OVERLAP

    @classmethod
    def of(cls, width: int, height: int, overlap: float) -> Self:
        """Raises SternaError for tiles that are too small or share too much."""
        for value, allowed, good in (
            (f"{width} x {height}", f"a side of at least {LEAST_SIDE} pixels", min(width, height) >= LEAST_SIDE),
            (overlap, f"an overlap of 0 .. {MOST_OVERLAP}", 0 <= overlap <= MOST_OVERLAP),
        ):
            if not good:
                raise SternaError("there are no such tiles", where="tiles", value=value, allowed=allowed,
                                  remedy="choose other tiles")  # fmt: skip
        return cls(width, height, overlap)

    @classmethod
    def parse(cls, text: str, overlap: float = TILE_OVERLAP) -> Self:
        """`text` is WIDTHxHEIGHT or, for squares, SIDE, in pixels. Raises SternaError for anything else."""
        found = re.fullmatch(r"([0-9]{1,6})(?:x([0-9]{1,6}))?", text)
        if not found:
            raise SternaError(
                "is no size of tiles", where="tiles", value=text, allowed="SIDE or WIDTHxHEIGHT in pixels",
                remedy="give for example 640 or 640x480",
            )  # fmt: skip
        return cls.of(int(found[1]), int(found[2] or found[1]), overlap)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    def on(self, height: int, width: int) -> list[Tile]:
        """The whole image of `height` x `width` and, if it is larger than a tile, the tiles on it."""
        columns, rows = _along(width, self.width, self.overlap), _along(height, self.height, self.overlap)
        whole = [Tile(0, 0, width, height)]
        if len(columns) * len(rows) == 1:
            return whole
        return whole + [Tile(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def _along(length: int, side: int, overlap: float) -> list[tuple[int, int]]:
    """Begin and end of evenly spread tiles along an axis."""
    if length <= side:
        return [(0, length)]
    shared = math.ceil(side * overlap)
    count = math.ceil((length - shared) / (side - shared))
    begins = [round(index * (length - side) / (count - 1)) for index in range(count)]
    return [(begin, begin + side) for begin in begins]


def merge(
    tiles: Tiles, parts: Sequence[tuple[Tile, Detections]], height: int, width: int, overlap: float
) -> Detections:
    """The boxes of an image of `height` x `width`, best first, from those in pixels of each tile `on` it.

    Boxes of a class from different tiles are one object if their intersection over union, or that over the area of a
    box that is cut, exceeds `overlap`; the whole one stays, else the better one. The whole image, which comes first,
    counts for objects that need not be whole in any tile.
    """
    if len(parts) == 1:
        return parts[0][1]
    moved = [Detections(found.boxes + _corner(tile), found.scores, found.classes) for tile, found in parts]
    large = np.any(moved[0].boxes[:, 2:] - moved[0].boxes[:, :2] > _shared(tiles), axis=1)
    moved[0] = moved[0].select(large)
    every = Detections(*(np.concatenate(each) for each in zip(*map(_arrays, moved), strict=True)))
    cut = np.concatenate([_cut(tile, each.boxes, height, width) for (tile, _), each in zip(parts, moved, strict=True)])
    part = np.repeat(np.arange(len(moved)), [len(each) for each in moved])
    order = np.lexsort((-every.scores, cut))
    every, cut, part = every.select(order), cut[order], part[order]
    same = (every.classes[:, None] == every.classes) & (part[:, None] != part) & (_shares(every.boxes, cut) > overlap)
    alive = np.ones(len(every), bool)
    for index in range(len(every)):
        if alive[index]:
            alive[index + 1 :] &= ~same[index, index + 1 :]
    kept = every.select(alive)
    return kept.select(np.argsort(-kept.scores, kind="stable"))


def _arrays(found: Detections) -> tuple[NDArray[np.generic], ...]:
    return found.boxes, found.scores, found.classes


def _corner(tile: Tile) -> NDArray[np.float32]:
    return np.array([tile.left, tile.top] * 2, np.float32)


def _shared(tiles: Tiles) -> NDArray[np.float32]:
    """Width and height up to which an object is whole in some tile."""
    return np.array([tiles.width, tiles.height], np.float32) * np.float32(tiles.overlap)


def _cut(tile: Tile, boxes: NDArray[np.float32], height: int, width: int) -> NDArray[np.bool_]:
    """Which of `boxes` reach a border of `tile` that is none of the image."""
    sides = np.array(tile, np.float32)
    margin = np.array([tile.right - tile.left, tile.bottom - tile.top] * 2, np.float32) * np.float32(_AT_BORDER)
    inner = sides != np.array([0, 0, width, height], np.float32)
    return ((np.abs(boxes - sides) <= margin) & inner).any(1)


def _shares(boxes: NDArray[np.float32], cut: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far each pair of `boxes` [N, 4] is one object, 0..1 [N, N]; whole ones come before cut ones."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    smaller = np.maximum(np.minimum(areas[:, None], areas), np.finfo(np.float32).tiny)
    of_cut = (high - low).clip(0).prod(2) / smaller
    return np.where(cut[:, None] | cut, of_cut, iou(boxes, boxes))
