from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sterna.train.data.scenes import SceneSet
from sterna.train.loop import pseudo
from sterna.train.report.evaluate import Evaluator
from sterna.vision.boxes import Detections


class Finder(Evaluator):
    """Finds the same three boxes in each image, one reaching out of it."""

    def find(self, frames: Sequence[object], threshold: float = 0.0) -> list[Detections]:
        boxes = np.array([[-5, 8, 24, 24], [8, 8, 70, 24], [30, 30, 50, 60]], np.float32)
        scores = np.array([0.9, 0.5, 0.499], np.float32)
        kept = scores >= threshold
        return [Detections(boxes[kept], scores[kept], np.arange(3)[kept]) for _ in frames]


def test_what_is_not_sure_is_difficult_and_nothing_is_crowd() -> None:
    labels = pseudo.label(Finder(lambda images: images, [], 1.0), SceneSet(0, "train", 2, 64, 64), 0)
    assert len(labels) == 2
    for found in labels:
        np.testing.assert_array_equal(found.boxes, [[0, 8, 24, 24], [8, 8, 64, 24], [30, 30, 50, 60]])
        assert found.classes.tolist() == [0, 1, 2]
        assert found.difficult.tolist() == [False, False, True] and not found.crowd.any()
        assert found.learnt.tolist() == [True, True, False]
    again = pseudo.from_tensors(pseudo.to_tensors(labels))
    for mine, other in zip(labels, again, strict=True):
        for part, same in zip(mine, other, strict=True):
            np.testing.assert_array_equal(part, same)
