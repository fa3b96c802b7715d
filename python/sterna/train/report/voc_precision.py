"""Average precision as Pascal VOC measures it, after VOCevaldet.m and VOCap.m of its development kits.

Everingham et al. 2010, "The Pascal Visual Object Classes Challenge", section 4.2; the kit of 2007 takes the mean
precision at 11 recalls, that of 2010 and later the area under the whole curve. Boxes count here from edge to edge, so
the kit's + 1 for the last pixel is in them. VOC knows no crowd: as in COCO, a box that is on no object of its own and
of which half is in a crowd is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask

from sterna.train.data.frames import Labels
from sterna.vision.boxes import Detections

IOU = 0.5  # from which a box is on an object
#: The recalls at which VOC 2007 takes the precision.
POINTS = np.linspace(0.0, 1.0, 11)
WRONG, RIGHT, NOT_COUNTED = range(3)


class VocPrecision(NamedTuple):
    """Average precision of one class, 0..1: at 11 recalls as in 2007, and over all as from 2010 on."""

    voc07: float
    voc10: float


def measure(images: Sequence[tuple[Labels, Detections]], kind: int) -> VocPrecision | None:
    """Average precision of class `kind` over the labels and boxes of all images; None if nothing is to be found."""
    wanted = sum(int(_wanted(labels, kind).sum()) for labels, _ in images)
    if not wanted:
        return None
    mine = [(labels, found.select(found.classes == kind)) for labels, found in images]
    scores = np.concatenate([found.scores for _, found in mine])
    verdicts = np.concatenate([judge(labels, found, kind) for labels, found in mine])
    ordered = verdicts[np.argsort(-scores, kind="stable")]
    right, wrong = np.cumsum(ordered == RIGHT), np.cumsum(ordered == WRONG)
    recall, precision = right / wanted, right / np.maximum(right + wrong, 1)
    return VocPrecision(at_points(recall, precision), under_curve(recall, precision))


def _wanted(labels: Labels, kind: int) -> NDArray[np.bool_]:
    return (labels.classes == kind) & ~labels.difficult & ~labels.crowd


def judge(labels: Labels, found: Detections, kind: int) -> NDArray[np.int64]:
    """WRONG, RIGHT or NOT_COUNTED for each box in `found`, all of class `kind` and of one image.

    Best score first, a box takes the object that it overlaps most. At an IoU of at least IOU it is not counted if that
    is difficult, right if no box has taken it before, and wrong if one has; below, it is wrong.
    """
    single, crowd = ((labels.classes == kind) & marked for marked in (~labels.crowd, labels.crowd))
    overlap = _overlaps(found.boxes, labels.boxes[single], crowd=False)
    inside = _overlaps(found.boxes, labels.boxes[crowd], crowd=True)
    difficult = labels.difficult[single]
    verdicts = np.full(len(found), WRONG)
    taken: set[int] = set()
    for index in np.argsort(-found.scores, kind="stable"):
        if overlap[index].max(initial=0.0) >= IOU:
            truth = int(overlap[index].argmax())
            if difficult[truth]:
                verdicts[index] = NOT_COUNTED
            elif truth not in taken:
                verdicts[index] = RIGHT
                taken.add(truth)
        elif inside[index].max(initial=0.0) >= IOU:
            verdicts[index] = NOT_COUNTED
    return verdicts


def _overlaps(found: NDArray[np.floating], truths: NDArray[np.floating], *, crowd: bool) -> NDArray[np.float64]:
    """Intersection [D, T] over union, or over the area of the box if the truths are crowd."""
    if not len(found) or not len(truths):
        return np.zeros((len(found), len(truths)))
    corners, others = found.astype(np.float64), truths.astype(np.float64)
    sizes = [np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], 1) for box in (corners, others)]
    return np.asarray(mask.iou(*sizes, [crowd] * len(truths)))


def at_points(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Mean over POINTS of the best precision at that recall or a higher one, 0 where it is not reached."""
    return float(np.mean([precision[recall >= point].max(initial=0.0) for point in POINTS]))


def under_curve(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Area under the curve whose precision at each recall is the best at that or a higher one (VOCap.m)."""
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * best))
