"""Boxes of objects that move over frames, as a detector would find them."""

from __future__ import annotations

import numpy as np

from sterna.vision.boxes import Detections
from sterna.vision.frames import Frame

RATE = 25


def found(*rows: tuple[float, ...]) -> Detections:
    """Boxes of rows centre x, centre y, side and, if they are not 0.9 and 0, score and class."""
    table = np.array([(*row, *(0.9, 0)[len(row) - 3 :]) for row in rows], np.float32).reshape(-1, 5)
    centre, half = table[:, :2], table[:, 2:3] / 2
    boxes = np.concatenate([centre - half, centre + half], 1)
    return Detections(boxes, table[:, 3], table[:, 4].astype(np.int64))


def frame(number: int, height: int = 200, width: int = 400) -> Frame:
    """A black frame at its time."""
    return Frame(np.zeros((height, width, 3), np.uint8), number, number / RATE)
