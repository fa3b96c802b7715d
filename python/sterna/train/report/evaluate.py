"""Average precision of detectors, float, ternary or integer, as COCO and as Pascal VOC measure it, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import GREY
from sterna.run.emulator import executor
from sterna.train.data import Dataset, Frame
from sterna.train.data.frames import Labels
from sterna.train.data.stream import batches
from sterna.train.model.network import Network
from sterna.train.report import coco_precision, voc_precision
from sterna.train.report.coco_precision import RECALL
from sterna.train.report.voc_precision import POINTS
from sterna.vision import boxes
from sterna.vision.boxes import MOST_BOXES, Detections
from sterna.vision.decoder import Decoder
from sterna.vision.defaults import OVERLAP
from sterna.vision.prepare import to_integers

THRESHOLD = 0.01  # least score of a box that is measured
BATCH = 8
#: How boxes are found, on which all metrics depend.
FOUND = (
    f"Boxes with a score of at least {THRESHOLD}, non-maximum suppression above IoU {OVERLAP} within a class, "
    f"at most {MOST_BOXES} boxes per image"
)
_COCO = f"COCO average precision, pycocotools {version('pycocotools')}, {len(RECALL)} recall points, mean over classes"
_VOC = (
    f"VOC average precision at IoU {voc_precision.IOU}, after VOCevaldet.m, mean over classes: VOC07 at {len(POINTS)} "
    "recall points, VOC10 over all"
)
#: All of both methods in short, for a console.
METHODS = (f"{_COCO}. {_VOC}", f"{FOUND}. Boxes on objects marked difficult, or in regions marked crowd, do not count")
#: What all COCO metrics are.
METHOD = (
    f"{_COCO}. {FOUND}. Not counted: boxes on objects marked difficult (by IoU) or in regions marked crowd "
    "(by intersection over the box's area), unless they are on another object"
)
#: What all VOC metrics are.
VOC_METHOD = (
    f"{_VOC}. {FOUND}. Not counted: boxes whose object of greatest IoU is marked difficult, and "
    "boxes on no object of which half is in a region marked crowd"
)

Images = NDArray[np.uint8]
#: RGB images uint8 [N, H, W, 3] to raw heads [N, anchors * (5 + classes), h, w].
Heads = Callable[[Images], NDArray[Any]]
#: Images int8 [N, C, H, W] (rgb - 128) to maps by layer, with the outputs among them.
Execute = Callable[[NDArray[np.int8]], dict[str, NDArray[np.int8]]]
#: Called with the images that are done, and all.
Progress = Callable[[int, int], None]


class _Metrics(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Curve(_Metrics):
    """Precision against recall at IoU 0.5, at the points of RECALL.

    precision: 0..1, the best at this recall or a higher one, so it never rises; 0 where the recall is not reached.
    score: 0..1, the least score of a box that must be accepted to reach the recall.
    """

    precision: tuple[float, ...]
    score: tuple[float, ...]


class ClassPrecision(_Metrics):
    """Average precision of one class, 0..1.

    COCO's: `ap50` at IoU 0.5, `ap` the mean over IoU 0.50 .. 0.95. VOC's, at IoU 0.5: `voc07` at 11 recall points,
    `voc10` at all.
    """

    ap50: float
    ap: float
    voc07: float
    voc10: float
    curve: Curve


class Precision(_Metrics):
    """Precision of a detector on a data set, 0..1; means are over the classes that occur, as objects to be found.

    COCO's: map50 at IoU 0.5; map, small, medium and large are means over IoU 0.50 .. 0.95. The last three count only
    boxes of an area below 32^2, between, and above 96^2 pixels *of the image that the network sees*, and are None
    where the data set has no such box. Images are resized before, so the same object may be `small` at one input size
    and `medium` at another: compare these three only between runs of one input size.

    VOC's: voc07 and voc10, as in `ClassPrecision`.
    """

    map50: float
    map: float
    small: float | None
    medium: float | None
    large: float | None
    voc07: float
    voc10: float
    #: By name, classes that occur only.
    classes: dict[str, ClassPrecision]


def to_real(images: Images, device: torch.device | None = None) -> torch.Tensor:
    """RGB images uint8 [N, H, W, 3] as a network's input float32 [N, 3, H, W] on `device`: (rgb - 128) / 128."""
    return from_integers(torch.from_numpy(to_integers(images)).to(device))


def from_integers(images: torch.Tensor) -> torch.Tensor:
    """A graph's input int8 [N, 3, H, W], rgb - 128, as a network's float32, where it is and in its order in memory.

    That order has the channels last, which is what convolutions and pooling are fastest on.
    """
    return images.float().div_(GREY)


class Tally:
    """Truths and found boxes, taken in image by image, and the precision at the end."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._images: list[tuple[Labels, Detections]] = []

    def add(self, frame: Frame, found: Detections) -> None:
        """Take in an image; `found` is in its pixels."""
        self._images.append((frame.labels, found))

    def precision(self) -> Precision:
        """The precision on the images so far."""
        coco = coco_precision.measure(self._images, len(self._classes), MOST_BOXES)
        classes = {}
        for index, name in enumerate(self._classes):
            voc = voc_precision.measure(self._images, index)
            if voc:  # and so in COCO's metrics as well: both want an object that is neither difficult nor crowd
                classes[name] = _of_class(coco.precision[:, :, index, 0], coco.score[0, :, index, 0], voc)
        whole, small, medium, large = (_mean(coco.precision[..., area]) for area in range(4))
        return Precision(
            map50=_mean(coco.precision[0, ..., 0]) or 0.0,
            map=whole or 0.0,
            small=small,
            medium=medium,
            large=large,
            voc07=float(np.mean([each.voc07 for each in classes.values() or [_NOTHING]])),
            voc10=float(np.mean([each.voc10 for each in classes.values() or [_NOTHING]])),
            classes=classes,
        )


_NOTHING = voc_precision.VocPrecision(0.0, 0.0)


def _of_class(
    precision: NDArray[np.float64], score: NDArray[np.float64], voc: voc_precision.VocPrecision
) -> ClassPrecision:
    """Of COCO's precision [IoU, RECALL] and the scores [RECALL] at IoU 0.5."""
    curve = Curve(precision=tuple(precision[0].tolist()), score=tuple(score.tolist()))
    return ClassPrecision(ap50=float(precision[0].mean()), ap=float(precision.mean()), curve=curve, **voc._asdict())


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
    #: The real value of one step of a head, and what stands for real 0.
    scale: float
    zero_point: int = 0

    def find(self, frames: Sequence[Frame], threshold: float = THRESHOLD) -> list[Detections]:
        """Boxes of a score of at least `threshold` in `frames`, all of one size, in their pixels, as FOUND says."""
        height, width, _ = frames[0].image.shape
        heads = self.heads(np.stack([frame.image for frame in frames]))
        found = (
            boxes.detect(
                head,
                self.anchors,
                scale=self.scale,
                zero_point=self.zero_point,
                threshold=threshold,
                overlap=OVERLAP,
                limit=MOST_BOXES,
            )
            for head in heads
        )
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
    def heads(images: Images) -> NDArray[np.float32]:
        network.eval()
        return network(to_real(images, next(network.parameters()).device)).cpu().numpy()

    return Evaluator(heads, anchors, 1.0)


def of_graph(graph: Graph, classes: Sequence[str], execute: Execute | None = None) -> Evaluator:
    """`graph` in integers, for data of `classes`, computed by `execute`; None: by the emulator.

    Raises SternaError if the graph is no detector, or was trained for other classes.
    """
    decoder = Decoder.of(graph)
    if decoder.classes != tuple(classes):
        raise SternaError(
            "the graph was trained for other classes than those of the data",
            where="evaluate",
            attribute="classes",
            value=", ".join(decoder.classes),
            allowed=", ".join(classes),
            remedy="evaluate on the data set for which the graph was trained",
        )
    run = execute or executor(graph, [decoder.output])

    def heads(images: NDArray[np.uint8]) -> NDArray[np.int8]:
        return run(to_integers(images))[decoder.output]

    return Evaluator(heads, decoder.anchors, decoder.scale, decoder.zero_point)


def evaluate_network(
    network: Network, anchors: Sequence[Sequence[float]], dataset: Dataset, workers: int = 0
) -> Precision:
    """Precision of `network` (any form, put in eval mode) on `dataset`; anchors in cells; workers as in `measure`."""
    return of_network(network, anchors).measure(dataset, workers)


def evaluate_graph(graph: Graph, dataset: Dataset, workers: int = 0) -> Precision:
    """Precision of `graph` in integers on `dataset`; raises SternaError as `of_graph` does."""
    return of_graph(graph, dataset.classes).measure(dataset, workers)
