"""Boxes from the raw head of a YOLOv2: decoding, non-maximum suppression, mapping back to the image.

Source: Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger" (2017), section 2, "Direct location
prediction".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.network import BOX_FIELDS

LARGEST_LOG_SIZE = 8.0  # e^8 cells is wider than any image
MOST_BOXES = 100  # of an image


@dataclass(frozen=True)
class Detections:
    """Boxes of one image, best score first.

    boxes: float32 [D, 4], left, top, right, bottom; in 0..1 of the image until `in_pixels`.
    scores: float32 [D], 0..1 (objectness times class probability). classes: int64 [D].
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

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
    threshold: float,
) -> Detections:
    """All boxes of one head whose score reaches `threshold`, boxes in 0..1 of the image, best first.

    head: [A * (5 + classes), h, w], any real or integer dtype; the raw value is `head * scale`.
    anchors: A pairs of width and height in cells. Raises SternaError if the channels do not fit the anchors.
    """
    channels, height, width = head.shape
    fields, rest = divmod(channels, len(anchors))
    if rest or fields <= BOX_FIELDS:
        raise SternaError(
            f"the head's channels do not fit {len(anchors)} anchors",
            where="boxes",
            attribute="channels",
            value=channels,
            allowed=f"{len(anchors)} * (5 + classes), at least one class",
            remedy="use the anchors with which the network was trained",
        )
    raw = (head.astype(np.float32) * np.float32(scale)).reshape(len(anchors), fields, height, width)
    scores, classes = _best_class(raw)
    anchor, y, x = np.nonzero(scores >= threshold)
    left_top, size = _boxes(raw[anchor, :4, y, x], np.asarray(anchors, np.float32)[anchor], x, y)
    grid = np.array([width, height], np.float32)
    boxes = np.concatenate([left_top / grid, (left_top + size) / grid], 1).clip(0.0, 1.0)
    found = Detections(boxes.astype(np.float32), scores[anchor, y, x], classes[anchor, y, x])
    return found.select(np.argsort(-found.scores, kind="stable"))


def _best_class(
    raw: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Score and class of each box [A, h, w] of raw [A, fields, h, w]: sigmoid(objectness) * softmax(classes)."""
    logits = raw[:, BOX_FIELDS:]
    likely = np.exp(logits - logits.max(1, keepdims=True))
    best = (likely.max(1) / likely.sum(1)).astype(np.float32)
    return _sigmoid(raw[:, BOX_FIELDS - 1]) * best, likely.argmax(1)


def _boxes(
    raw: NDArray[np.float32], anchors: NDArray[np.float32], x: NDArray[np.integer], y: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Left-top corner and size in cells, both [D, 2], of raw x, y, w, h [D, 4]."""
    centre = _sigmoid(raw[:, :2]) + np.stack([x, y], 1).astype(np.float32)
    size = anchors * np.exp(np.minimum(raw[:, 2:], np.float32(LARGEST_LOG_SIZE)))
    return centre - size / np.float32(2), size


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (0.5 * (1.0 + np.tanh(0.5 * x))).astype(np.float32)


def iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float32]:
    """Intersection over union [Na, Nb] of corner boxes [Na, 4] and [Nb, 4] (0 for empty boxes)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clip(0).prod(2)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(1) for box in (a, b))
    union = area_a[:, None] + area_b[None, :] - shared
    return (shared / np.maximum(union, np.finfo(np.float32).tiny)).astype(np.float32)


def suppress(found: Detections, *, overlap: float, limit: int) -> Detections:
    """Greedy non-maximum suppression within each class: at most `limit` boxes, best first.

    A box is dropped if its intersection over union with a better box of its class exceeds `overlap` (0..1).
    """
    order = np.argsort(-found.scores, kind="stable")
    found = found.select(order)
    overlaps = (iou(found.boxes, found.boxes) > overlap) & (found.classes[:, None] == found.classes[None, :])
    alive = np.ones(len(found), bool)
    kept: list[int] = []
    for index in range(len(found)):
        if alive[index] and len(kept) < limit:
            kept.append(index)
            alive &= ~overlaps[index]
    return found.select(np.array(kept, np.int64))


def detect(
    head: NDArray[np.integer] | NDArray[np.floating],
    anchors: Sequence[Sequence[float]],
    *,
    scale: float = 1.0,
    threshold: float,
    overlap: float,
    limit: int,
) -> Detections:
    """`decode` and `suppress` in one call; the boxes are in 0..1 of the image."""
    return suppress(decode(head, anchors, scale=scale, threshold=threshold), overlap=overlap, limit=limit)
