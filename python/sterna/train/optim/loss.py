"""The YOLOv2 training loss.

Redmon and Farhadi 2017, section 2, with the weights of the published Darknet region layer, except that
objectness is judged by cross-entropy (same optimum, but its gradient does not vanish for a box that is
surely wrong) and coordinates weigh 5 as in the first YOLO paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sterna.graph.network import BOX_FIELDS
from sterna.train.data.anchors import shape_iou
from sterna.train.data.frames import Frame

COORDINATE_WEIGHT = 5.0
OBJECT_WEIGHT = 5.0
BACKGROUND_WEIGHT = 1.0
CLASS_WEIGHT = 1.0
IGNORED_OVERLAP = 0.6  # a box that overlaps a truth this much is not told to be background
LARGEST_LOG_SIZE = 6.0


@dataclass(frozen=True)
class Losses:
    """Parts of the loss, each a scalar tensor, mean per image."""

    box: Tensor
    objectness: Tensor
    classes: Tensor

    @property
    def total(self) -> Tensor:
        """What training lowers."""
        return self.box + self.objectness + self.classes


@dataclass(frozen=True)
class Targets:
    """Labels of a batch as the loss reads them. All boxes are in cells.

    index: int64 [4, M]: image, anchor, row, column responsible for each of M boxes. offset: [M, 2] position
    in the cell. log_size: [M, 2], log(size / anchor). balance: [M], more for small boxes. classes: int64 [M].
    truths: [N, T, 4] corners of all boxes of each image, padded with empty boxes far outside.
    """

    index: Tensor
    offset: Tensor
    log_size: Tensor
    balance: Tensor
    classes: Tensor
    truths: Tensor

    def to(self, device: torch.device) -> Targets:
        """The same on `device`."""
        return Targets(*(getattr(self, field.name).to(device) for field in fields(self)))


def targets(frames: Sequence[Frame], anchors: np.ndarray, stride: int) -> Targets:
    """Assign each box that is to be learnt to its cell and to the anchor [A, 2] (in cells) of the best shape."""
    images, boxes, classes = [], [], []
    most = max(1, *(len(frame.boxes) for frame in frames))
    truths = np.full((len(frames), most, 4), -1e6, np.float32)
    for number, frame in enumerate(frames):
        truths[number, : len(frame.boxes)] = frame.boxes / stride
        learnt = frame.labels.learnt
        images.append(np.full(int(learnt.sum()), number))
        boxes.append(frame.boxes[learnt] / stride)
        classes.append(frame.classes[learnt])
    box = np.concatenate(boxes).reshape(-1, 4).astype(np.float64)
    height, width = frames[0].image.shape[0] // stride, frames[0].image.shape[1] // stride
    size = np.maximum(box[:, 2:] - box[:, :2], 1e-3)
    centre = (box[:, :2] + box[:, 2:]) / 2
    cell = np.minimum(centre.astype(np.int64), [width - 1, height - 1])
    anchor = shape_iou(size, anchors).argmax(1)
    index = np.stack([np.concatenate(images), anchor, cell[:, 1], cell[:, 0]])
    return Targets(
        index=torch.from_numpy(index.astype(np.int64)),
        offset=torch.from_numpy((centre - cell).astype(np.float32)),
        log_size=torch.from_numpy(np.log(size / anchors[anchor]).astype(np.float32)),
        balance=torch.from_numpy((2 - size.prod(1) / (width * height)).astype(np.float32)),
        classes=torch.from_numpy(np.concatenate(classes).astype(np.int64)),
        truths=torch.from_numpy(truths),
    )


def losses(head: Tensor, wanted: Targets, anchors: Tensor) -> Losses:
    """Loss of the raw `head` [N, A * (5 + classes), h, w] against `wanted`; anchors: [A, 2] in cells."""
    n = len(head)
    raw = _by_box(head, len(anchors))
    overlap = _best_overlap(raw.detach(), wanted.truths, anchors)
    mine = raw[tuple(wanted.index)]
    box = (torch.sigmoid(mine[:, :2]) - wanted.offset) ** 2 + (mine[:, 2:4] - wanted.log_size) ** 2
    target = torch.zeros_like(raw[..., 4])
    weight = torch.where(overlap > IGNORED_OVERLAP, 0.0, BACKGROUND_WEIGHT)
    target[tuple(wanted.index)] = overlap[tuple(wanted.index)]
    weight[tuple(wanted.index)] = OBJECT_WEIGHT
    objectness = functional.binary_cross_entropy_with_logits(raw[..., 4], target, weight, reduction="sum")
    classes = functional.cross_entropy(mine[:, BOX_FIELDS:], wanted.classes, reduction="sum")
    return Losses(
        box=COORDINATE_WEIGHT * (wanted.balance * box.sum(1)).sum() / n,
        objectness=objectness / n,
        classes=CLASS_WEIGHT * classes / n,
    )


def distillation(head: Tensor, teacher: Tensor, anchors: int) -> Tensor:
    """How far the raw `head` [N, A * (5 + classes), h, w] is from that of a `teacher`, mean per image.

    Boxes and classes count as far as the teacher sees an object there (Mehta and Ozturk 2018, "Object detection at 200
    frames per second", section 3.2), with the weights of `losses`.
    """
    mine, theirs = _by_box(head, anchors), _by_box(teacher, anchors)
    seen = torch.sigmoid(theirs[..., 4])
    objectness = functional.binary_cross_entropy_with_logits(
        mine[..., 4], seen, 1 + (OBJECT_WEIGHT - BACKGROUND_WEIGHT) * seen, reduction="sum"
    )
    position = torch.sigmoid(mine[..., :2]) - torch.sigmoid(theirs[..., :2])
    box = position**2 + (mine[..., 2:4] - theirs[..., 2:4]) ** 2
    wanted = torch.softmax(theirs[..., BOX_FIELDS:], -1)
    classes = -(wanted * torch.log_softmax(mine[..., BOX_FIELDS:], -1)).sum(-1)
    return (objectness + (seen * (COORDINATE_WEIGHT * box.sum(-1) + CLASS_WEIGHT * classes)).sum()) / len(head)


def _by_box(head: Tensor, anchors: int) -> Tensor:
    """The fields of each box of a raw head, [N, A, h, w, 5 + classes]."""
    n, channels, height, width = head.shape
    return head.view(n, anchors, channels // anchors, height, width).permute(0, 1, 3, 4, 2)


def _best_overlap(raw: Tensor, truths: Tensor, anchors: Tensor) -> Tensor:
    """For each predicted box of raw [N, A, h, w, fields] its best IoU [N, A, h, w] with a truth [N, T, 4]."""
    n, count, height, width, _ = raw.shape
    y, x = torch.meshgrid(*(torch.arange(side, device=raw.device) for side in (height, width)), indexing="ij")
    centre = torch.sigmoid(raw[..., :2]) + torch.stack([x, y], -1)
    size = anchors[:, None, None] * raw[..., 2:4].clamp(max=LARGEST_LOG_SIZE).exp()
    low, high = ((centre + sign * size / 2).reshape(n, -1, 1, 2) for sign in (-1, 1))
    truth_low, truth_high = truths[:, None, :, :2], truths[:, None, :, 2:]
    shared = (torch.minimum(high, truth_high) - torch.maximum(low, truth_low)).clamp(min=0).prod(-1)
    union = (high - low).prod(-1) + (truth_high - truth_low).prod(-1) - shared
    return (shared / union.clamp(min=1e-9)).amax(-1).view(n, count, height, width)
