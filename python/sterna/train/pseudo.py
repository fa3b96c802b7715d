"""Labels for pictures that have none, by a network that is being trained.

Mean teacher (Tarvainen and Valpola 2017): the moving average of the weights labels, the weights learn. As in Liu et al.
2021, "Unbiased Teacher", section 3.2, a box that is learnt must surely be an object; what the teacher is not sure of is
neither learnt nor told to be background.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sterna.run.boxes import Detections
from sterna.train.data.frames import Dataset, Labels
from sterna.train.data.parts import Joined, Part, Pictures

CONFIDENT = 0.5  # score from which a box is learnt
DOUBTFUL = 0.1  # score from which a box may be an object


def labels(found: Iterable[Detections], height: int, width: int) -> list[Labels]:
    """Detections of at least DOUBTFUL as labels of frames of height x width; those not CONFIDENT are difficult."""
    result = []
    for detections in found:
        seen = detections.in_pixels(height, width)
        boxes = np.asarray(seen.boxes, np.float32).reshape(-1, 4).clip(0, [width, height, width, height])
        result.append(Labels(boxes, np.asarray(seen.classes, np.int64), np.asarray(seen.scores) < CONFIDENT))
    return result


def mixed(labelled: Dataset, pictures: Pictures, found: Sequence[Labels]) -> Dataset:
    """Pictures with labels and `pictures` with those found, the labelled ones repeated until they are as many."""
    times = max(1, len(pictures) // len(labelled))
    repeated = Part(labelled, list(range(len(labelled))) * times)
    return Joined([repeated, pictures.labelled(found)])
