"""Average precision of detectors, float, ternary or integer, by pycocotools in one pass.

What is measured follows COCO (Lin et al. 2014, and cocodataset.org/#detection-eval): AP50 counts a box as found at an
intersection over union of 0.5; AP is the mean over 0.50, 0.55 .. 0.95.
"""

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
from pydantic import BaseModel, ConfigDict

from sterna.errors import SternaError
from sterna.graph import Graph, reference
from sterna.run import boxes
from sterna.run.boxes import Detections
from sterna.run.detector import Detector, to_integers
from sterna.train.data import BACKGROUND, Dataset, Frame
from sterna.train.data.stream import batches
from sterna.train.networks import Network

METHOD = f"COCO average precision, 101 recall points, 100 boxes a picture, pycocotools {version('pycocotools')}"
THRESHOLD = 0.01
MOST_BOXES = 100
BATCH = 8
#: The recall at each point of a precision-recall curve, COCO's: 0, 0.01 .. 1.
RECALL = np.linspace(0.0, 1.0, 101)

Pictures = NDArray[np.uint8]
#: RGB pictures uint8 [N, H, W, 3] to raw heads [N, anchors * (5 + classes), h, w].
Heads = Callable[[Pictures], NDArray[Any]]
#: Called with the pictures that are done, and all.
Progress = Callable[[int, int], None]


class _Figures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Curve(_Figures):
    """Precision against recall at IoU 0.5, at the points of RECALL.

    precision: 0..1, the best at this recall or a higher one, so it never rises; 0 where the recall is not reached.
    score: 0..1, the least score of a box that must be accepted to reach the recall.
    """

    precision: tuple[float, ...]
    score: tuple[float, ...]


class ClassPrecision(_Figures):
    """Average precision of one class, 0..1: `ap50` at IoU 0.5, `ap` the mean over IoU 0.50 .. 0.95."""

    ap50: float
    ap: float
    curve: Curve


class Precision(_Figures):
    """Precision of a detector on a data set, 0..1; means are over the classes that occur.

    map50 at IoU 0.5; map, small, medium and large are means over IoU 0.50 .. 0.95. The last three count only boxes of
    an area below 32^2, between, and above 96^2 pixels *of the picture that the network sees*, and are None where the
    data set has no such box. Pictures are resized before, so the same object may be `small` at one input size and
    `medium` at another: compare these three only between runs of one input size.
    """

    map50: float
    map: float
    small: float | None
    medium: float | None
    large: float | None
    #: By name, classes that occur only.
    classes: dict[str, ClassPrecision]


def to_real(images: Pictures, device: torch.device | None = None) -> torch.Tensor:
    """RGB pictures uint8 [N, H, W, 3] as a network's input float32 [N, 3, H, W] on `device`: (rgb - 128) / 128."""
    return from_integers(torch.from_numpy(to_integers(images)).to(device))


def from_integers(images: torch.Tensor) -> torch.Tensor:
    """A graph's input int8 [N, 3, H, W], rgb - 128, as a network's float32, where it is and in its order in memory.

    That order has the channels last, which is what convolutions and pooling are fastest on.
    """
    return images.float().div_(BACKGROUND)


class Tally:
    """Truths and found boxes, taken in picture by picture, and the precision at the end."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._pictures = 0
        self._truths: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []

    def add(self, frame: Frame, found: Detections) -> None:
        """Take in a picture; `found` is in its pixels. Difficult truths neither have to be found nor count as wrong."""
        for box, kind, skipped in zip(frame.boxes, frame.classes, frame.difficult | frame.crowd, strict=True):
            self._truths.append(self._row(self._truths, box, kind) | {"iscrowd": int(skipped)})
        for box, kind, score in zip(found.boxes, found.classes, found.scores.tolist(), strict=True):
            self._found.append(self._row(self._found, box, kind) | {"iscrowd": 0, "score": score})
        self._pictures += 1

    def _row(self, before: list[dict[str, Any]], box: NDArray[np.floating], kind: np.integer) -> dict[str, Any]:
        left, top, right, bottom = box.tolist()
        return {
            "id": len(before) + 1,
            "image_id": self._pictures,
            "category_id": int(kind),
            "bbox": [left, top, right - left, bottom - top],
            "area": (right - left) * (bottom - top),
        }

    def precision(self) -> Precision:
        """The precision on the pictures so far."""
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its steps by print
            judge = COCOeval(self._coco(self._truths), self._coco(self._found), "bbox")
            judge.params.maxDets = [MOST_BOXES]
            judge.evaluate()
            judge.accumulate()
        # IoU x recall x class x area; -1 where a class has no box of the area.
        values, scores = judge.eval["precision"][..., 0], judge.eval["scores"][..., 0]
        classes = {
            name: ClassPrecision(
                ap50=float(values[0, :, index, 0].mean()),
                ap=float(values[:, :, index, 0].mean()),
                curve=Curve(
                    precision=tuple(values[0, :, index, 0].tolist()), score=tuple(scores[0, :, index, 0].tolist())
                ),
            )
            for index, name in enumerate(self._classes)
            if values[0, 0, index, 0] >= 0
        }
        whole, small, medium, large = (_mean(values[..., area]) for area in range(values.shape[-1]))
        map50 = _mean(values[0, ..., 0])
        return Precision(map50=map50 or 0.0, map=whole or 0.0, small=small, medium=medium, large=large, classes=classes)

    def _coco(self, annotations: list[dict[str, Any]]) -> COCO:
        data = COCO()
        data.dataset = {
            "images": [{"id": number} for number in range(self._pictures)],
            "categories": [{"id": index, "name": name} for index, name in enumerate(self._classes)],
            "annotations": annotations,
        }
        data.createIndex()
        return data


def _mean(values: NDArray[np.float64]) -> float | None:
    """Mean of what is defined in `values`, None if nothing is."""
    defined = values[values >= 0]
    return float(defined.mean()) if defined.size else None


def precision(frames: Sequence[Frame], found: Sequence[Detections], classes: Sequence[str]) -> Precision:
    """Precision of `found` (boxes in pixels), one entry per frame."""
    tally = Tally(classes)
    for frame, detections in zip(frames, found, strict=True):
        tally.add(frame, detections)
    return tally.precision()


@dataclass(frozen=True)
class Evaluator:
    """A detector in one of its forms, as evaluation uses it."""

    heads: Heads
    #: Width and height in cells.
    anchors: Sequence[Sequence[float]]
    #: The real value of one step of a head.
    scale: float

    def find(self, frames: Sequence[Frame], threshold: float = THRESHOLD) -> list[Detections]:
        """Boxes of a score of at least `threshold` in `frames`, all of one size, in their pixels."""
        height, width, _ = frames[0].image.shape
        heads = self.heads(np.stack([frame.image for frame in frames]))
        found = (boxes.detect(head, self.anchors, scale=self.scale, threshold=threshold) for head in heads)
        return [detections.in_pixels(height, width) for detections in found]

    def measure(self, dataset: Dataset, workers: int = 0, progress: Progress | None = None) -> Precision:
        """Precision on all of `dataset`, which `workers` processes read ahead; 0: none."""
        tally = Tally(dataset.classes)
        done = 0
        for batch in batches(dataset, BATCH, workers):
            for frame, found in zip(batch, self.find(batch), strict=True):
                tally.add(frame, found)
            done += len(batch)
            if progress:
                progress(done, len(dataset))
        return tally.precision()


def of_network(network: Network, anchors: Sequence[Sequence[float]]) -> Evaluator:
    """`network` in float arithmetic, in any form and on the device where it is; anchors in cells."""

    @torch.no_grad()
    def heads(images: Pictures) -> NDArray[np.float32]:
        network.eval()
        return network(to_real(images, next(network.parameters()).device)).cpu().numpy()

    return Evaluator(heads, anchors, 1.0)


def of_graph(graph: Graph, classes: Sequence[str]) -> Evaluator:
    """`graph` in integers, for data of `classes`.

    Raises SternaError if the graph is no detector, or was trained for other classes.
    """
    detector = Detector.of(graph)
    if detector.classes != tuple(classes):
        raise SternaError(
            "the graph was trained for other classes than the data has",
            where="evaluate",
            attribute="classes",
            value=", ".join(detector.classes),
            allowed=", ".join(classes),
            remedy="evaluate on the data set that the graph was trained for",
        )
    return Evaluator(
        lambda images: reference.execute(graph, to_integers(images))[detector.output], detector.anchors, detector.scale
    )


def evaluate_network(
    network: Network, anchors: Sequence[Sequence[float]], dataset: Dataset, workers: int = 0
) -> Precision:
    """Precision of `network` (any form, put in eval mode) on `dataset`; anchors in cells; workers as in `measure`."""
    return of_network(network, anchors).measure(dataset, workers)


def evaluate_graph(graph: Graph, dataset: Dataset, workers: int = 0) -> Precision:
    """Precision of the integer reference of `graph` on `dataset`; raises SternaError as `of_graph` does."""
    return of_graph(graph, dataset.classes).measure(dataset, workers)
