"""Mean average precision at IoU 0.5, by pycocotools, of networks and of integer graphs."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sterna.errors import SternaError
from sterna.graph import Graph, reference
from sterna.run import boxes
from sterna.run.boxes import Detections
from sterna.run.detector import Detector, to_integers
from sterna.train.data import BACKGROUND, Dataset, Frame
from sterna.train.data.stream import batches
from sterna.train.networks import Network

METHOD = f"AP at IoU 0.5, 101 recall points, 100 boxes a picture, pycocotools {version('pycocotools')}"
THRESHOLD = 0.01
MATCH = 0.5
MOST_BOXES = 100
BATCH = 8
NO_PIXELS = np.empty((0, 0, 3), np.uint8)  # precision needs the boxes alone


@dataclass(frozen=True)
class Precision:
    """map50: mean over the classes that occur, 0..1. per_class: average precision by class name."""

    map50: float
    per_class: dict[str, float]


def to_real(images: NDArray[np.uint8]) -> torch.Tensor:
    """RGB pictures uint8 [N, H, W, 3] as a network's input float32 [N, 3, H, W]: (rgb - 128) / 128."""
    # The channels stay last in memory, which is what convolutions and pooling are fastest on.
    return torch.from_numpy(to_integers(images)).float().div_(BACKGROUND)


def precision(frames: Sequence[Frame], found: Sequence[Detections], classes: Sequence[str]) -> Precision:
    """Average precision of `found` (boxes in pixels), one entry per frame. Difficult boxes are ignored."""
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its steps by print
        truth = _coco_truth(frames, classes)
        rows = _coco_rows(found)
        if not rows or not truth.anns:
            return Precision(0.0, dict.fromkeys(classes, 0.0))
        judge = COCOeval(truth, truth.loadRes(rows), "bbox")
        judge.params.iouThrs = np.array([MATCH])
        judge.params.maxDets = [MOST_BOXES]
        judge.params.areaRng, judge.params.areaRngLbl = [judge.params.areaRng[0]], ["all"]
        judge.evaluate()
        judge.accumulate()
    curves = judge.eval["precision"][0, :, :, 0, 0]  # recall points x classes, -1 where a class has no box
    occurring = [index for index in range(len(classes)) if curves[0, index] >= 0]
    per_class = {classes[index]: float(curves[:, index].mean()) for index in occurring}
    return Precision(float(np.mean(list(per_class.values()))) if per_class else 0.0, per_class)


def _coco_truth(frames: Sequence[Frame], classes: Sequence[str]) -> COCO:
    annotations: list[dict[str, Any]] = []
    for number, frame in enumerate(frames):
        for box, kind, difficult in zip(frame.boxes, frame.classes, frame.difficult, strict=True):
            left, top, right, bottom = (float(v) for v in box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(kind),
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": int(difficult),
                }
            )
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": number} for number in range(len(frames))],
        "categories": [{"id": index, "name": name} for index, name in enumerate(classes)],
        "annotations": annotations,
    }
    truth.createIndex()
    return truth


def _coco_rows(found: Sequence[Detections]) -> list[dict[str, Any]]:
    rows = []
    for number, detections in enumerate(found):
        for box, score, kind in zip(detections.boxes, detections.scores, detections.classes, strict=True):
            left, top, right, bottom = (float(v) for v in box)
            rows.append(
                {
                    "image_id": number,
                    "category_id": int(kind),
                    "bbox": [left, top, right - left, bottom - top],
                    "score": float(score),
                }
            )
    return rows


Heads = Callable[[NDArray[np.uint8]], NDArray[Any]]


def _evaluate(
    heads: Heads, anchors: Sequence[Sequence[float]], scale: float, dataset: Dataset, workers: int
) -> Precision:
    """`heads` maps pictures uint8 [N, H, W, 3] to raw heads [N, ...]; the real value is raw * scale."""
    frames, found = [], []
    for batch in batches(dataset, BATCH, workers):
        frames += [frame._replace(image=NO_PIXELS) for frame in batch]
        height, width, _ = batch[0].image.shape
        for head in heads(np.stack([frame.image for frame in batch])):
            detections = boxes.detect(head, anchors, scale=scale, threshold=THRESHOLD)
            found.append(detections.in_pixels(height, width))
    return precision(frames, found, dataset.classes)


def evaluate_network(
    network: Network, anchors: Sequence[Sequence[float]], dataset: Dataset, workers: int = 0
) -> Precision:
    """Precision of `network` (either form, put in eval mode) on `dataset`; anchors in cells.

    workers: processes that read pictures ahead, 0: none.
    """
    network.eval()

    @torch.no_grad()
    def heads(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return network(to_real(images)).numpy()

    return _evaluate(heads, anchors, 1.0, dataset, workers)


def evaluate_graph(graph: Graph, dataset: Dataset, workers: int = 0) -> Precision:
    """Precision of the integer reference of `graph` on `dataset`, read ahead by `workers` processes.

    Raises SternaError if the graph is no detector, or if its classes or image size differ from the data's.
    """
    detector = Detector.of(graph)
    if detector.classes != dataset.classes:
        raise SternaError(
            "the graph was trained for other classes than the data has",
            where="evaluate",
            attribute="classes",
            value=", ".join(detector.classes),
            allowed=", ".join(dataset.classes),
            remedy="evaluate on the data set that the graph was trained for",
        )

    def heads(images: NDArray[np.uint8]) -> NDArray[Any]:
        return reference.execute(graph, to_integers(images))[detector.output]

    return _evaluate(heads, detector.anchors, detector.scale, dataset, workers)
