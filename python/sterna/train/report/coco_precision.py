"""Average precision as COCO measures it, by pycocotools (Lin et al. 2014, and cocodataset.org/#detection-eval).

A region that is crowd takes any number of boxes, by intersection over the area of the box. COCO has no difficult
objects; one that Pascal VOC marks so takes any number of boxes too, but by intersection over union, and neither has to
be found.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sterna.train.data.frames import Labels
from sterna.vision.boxes import Detections

#: The recall at each point of a precision-recall curve: 0, 0.01 .. 1.
RECALL = np.linspace(0.0, 1.0, 101)


class CocoPrecision(NamedTuple):
    """precision, score: float64 [10 IoU of 0.50 .. 0.95, RECALL, class, area of all, small, medium, large].

    precision: 0..1, the best at this recall or a higher one; score: the least score of a box that must be accepted to
    reach the recall. Both are 0 where the recall is not reached and -1 where a class has no truth of the area.
    """

    precision: NDArray[np.float64]
    score: NDArray[np.float64]


class _Judge(COCOeval):
    """COCO's evaluation with difficult objects."""

    def _prepare(self) -> None:
        super()._prepare()
        for truth in (truth for truths in self._gts.values() for truth in truths):
            truth["ignore"] = truth["ignore"] or truth["difficult"]

    def computeIoU(self, imgId: int, catId: int) -> Any:  # noqa: N802, N803 (as the library calls them)
        """Overlaps of an image; from then on its difficult objects take boxes as a crowd does."""
        overlaps = super().computeIoU(imgId, catId)
        for truth in self._gts[imgId, catId]:
            truth["iscrowd"] = truth["iscrowd"] or truth["difficult"]
        return overlaps


def measure(images: Sequence[tuple[Labels, Detections]], classes: int, most: int) -> CocoPrecision:
    """Precision of what is found against the labels of each image, of the `most` best boxes of a class in each."""
    truths: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, (labels, detections) in enumerate(images):
        for box, kind, difficult, crowd in zip(*labels, strict=True):
            truths.append(_row(truths, number, box, kind) | {"iscrowd": int(crowd), "difficult": int(difficult)})
        for box, score, kind in zip(detections.boxes, detections.scores, detections.classes, strict=True):
            found.append(_row(found, number, box, kind) | {"score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its steps by print
        judge = _Judge(_data(truths, len(images), classes), _data(found, len(images), classes), "bbox")
        judge.params.maxDets = [most]
        judge.evaluate()
        judge.accumulate()
    # The last axis is that of numbers of boxes, of which there is one.
    return CocoPrecision(*(np.squeeze(judge.eval[name], -1) for name in ("precision", "scores")))


def _row(before: list[dict[str, Any]], image: int, box: NDArray[np.floating], kind: int) -> dict[str, Any]:
    left, top, right, bottom = box.tolist()
    return {
        "id": len(before) + 1,
        "image_id": image,
        "category_id": int(kind),
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
    }


def _data(annotations: list[dict[str, Any]], images: int, classes: int) -> COCO:
    data = COCO()
    data.dataset = {
        "images": [{"id": number} for number in range(images)],
        "categories": [{"id": number} for number in range(classes)],
        "annotations": annotations,
    }
    data.createIndex()
    return data
