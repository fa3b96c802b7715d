"""Boxes from the raw head of a YOLOv2: decoding, non-maximum suppression, mapping back to the image.

libsterna computes them, the same in every language, with arithmetic that all processors round alike. Source: Redmon and
Farhadi, "YOLO9000: Better, Faster, Stronger" (2017), section 2, "Direct location prediction".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sterna.native import libsterna

MOST_BOXES = libsterna.MOST_BOXES  # of an image


@dataclass(frozen=True)
class Detections:
    """Boxes of one image, best score first.

    boxes: float32 [D, 4], left, top, right, bottom; in 0..1 of the image until `in_pixels`.
    scores: float32 [D], 0..1 (objectness times class probability). classes: int64 [D].
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> Detections:
        """The detections that `index` picks, in its order."""
        return Detections(self.boxes[index], self.scores[index], self.classes[index])

    def in_pixels(self, height: int, width: int) -> Detections:
        """The same boxes in pixels of an image of `height` x `width`."""
        factors = np.array([width, height, width, height], np.float32)
        return Detections(self.boxes * factors, self.scores, self.classes)


def decode(
    head: NDArray[np.integer] | NDArray[np.floating],
    anchors: Sequence[Sequence[float]],
    *,
    scale: float = 1.0,
    zero_point: int = 0,
    threshold: float,
) -> Detections:
    """All boxes of one head whose score reaches `threshold`, boxes in 0..1 of the image, best first.

    head: [A * (5 + classes), h, w], any real or integer dtype; the raw value is `scale * (head - zero_point)`.
    anchors: A pairs of width and height in cells. Raises SternaError if the channels do not fit the anchors.
    """
    sides = np.ascontiguousarray(anchors, np.float32).reshape(-1, 2)
    if head.dtype == np.int8:
        return Detections(*libsterna.decode_integers(np.ascontiguousarray(head), sides, scale, zero_point, threshold))
    raw = (np.ascontiguousarray(head, np.float32) - np.float32(zero_point)) * np.float32(scale)
    return Detections(*libsterna.decode_reals(raw, sides, threshold))


def iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float32]:
    """Intersection over union [Na, Nb] of corner boxes [Na, 4] and [Nb, 4] (0 for empty boxes)."""
    return libsterna.iou(np.ascontiguousarray(a, np.float32), np.ascontiguousarray(b, np.float32))


def suppress(found: Detections, *, overlap: float, limit: int) -> Detections:
    """Greedy non-maximum suppression within each class: at most `limit` boxes, best first.

    A box is dropped if its intersection over union with a better box of its class exceeds `overlap` (0..1).
    """
    arrays = (np.ascontiguousarray(found.boxes), np.ascontiguousarray(found.scores), found.classes.astype(np.int64))
    return found.select(libsterna.suppress(*arrays, overlap, limit))


def detect(
    head: NDArray[np.integer] | NDArray[np.floating],
    anchors: Sequence[Sequence[float]],
    *,
    scale: float = 1.0,
    zero_point: int = 0,
    threshold: float,
    overlap: float,
    limit: int,
) -> Detections:
    """`decode` and `suppress` in one call; the boxes are in 0..1 of the image."""
    found = decode(head, anchors, scale=scale, zero_point=zero_point, threshold=threshold)
    return suppress(found, overlap=overlap, limit=limit)
