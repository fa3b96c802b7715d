"""Labelled images and what was found on them, for tests of the metrics."""

from __future__ import annotations

import numpy as np

from sterna.train.data.frames import Frame, Labels
from sterna.vision.boxes import Detections


def frame(
    boxes: list[list[float]],
    classes: list[int],
    difficult: list[bool] | None = None,
    crowd: list[bool] | None = None,
    side: int = 100,
) -> Frame:
    """A black image of `side` x `side`; nothing is difficult or crowd unless said so."""
    none = [False] * len(classes)
    return Frame(
        np.zeros((side, side, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
        np.array(none if difficult is None else difficult, bool),
        np.array(none if crowd is None else crowd, bool),
    )


def found(*rows: tuple[list[float], float, int]) -> Detections:
    """Of box, score and class each."""
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int64),
    )


def random_images(
    seed: int, *, classes: int = 3, side: int = 160, crowd: bool = True
) -> list[tuple[Labels, Detections]]:
    """Four images with corners in whole pixels, many overlaps, several boxes on an object, and scores with ties.

    Some objects are difficult, and some crowd if wanted. Areas lie on both sides of COCO's limits.
    """
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(4):
        count = int(rng.integers(0, 7))
        truths = _boxes(rng, count, side)
        near = np.repeat(truths, rng.integers(0, 4, count), 0)
        near = (near + rng.integers(-6, 7, near.shape) * rng.integers(0, 2, near.shape)).clip(0, side)
        boxes = np.concatenate([near, _boxes(rng, int(rng.integers(0, 5)), side)])
        boxes = boxes[(boxes[:, :2] < boxes[:, 2:]).all(1)]
        flags = rng.random((2, count)) < 0.25
        images.append(
            (
                Labels(truths, rng.integers(0, classes, count), flags[0], flags[1] & crowd),
                Detections(
                    boxes, (rng.integers(1, 8, len(boxes)) / 8).astype(np.float32), rng.integers(0, classes, len(boxes))
                ),
            )
        )
    return images


def _boxes(rng: np.random.Generator, count: int, side: int) -> np.ndarray:
    size = rng.choice([4, 12, 30, 40, 96, 120], (count, 2))
    corner = rng.integers(0, side - size + 1)
    return np.concatenate([corner, corner + size], 1).astype(np.float32)
