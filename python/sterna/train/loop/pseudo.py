"""Labels for unlabelled images, from the network that is being trained.

Mean teacher (Tarvainen and Valpola 2017): the moving average of the weights labels, the weights learn. As in Liu et al.
2021, "Unbiased Teacher", section 3.2, a box that is learnt must surely be an object; what the teacher is not sure of is
neither learnt nor told to be background.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from sterna.train.data.frames import Dataset, Labels
from sterna.train.data.parts import Images, Joined, Part
from sterna.train.data.stream import batches
from sterna.train.report.evaluate import BATCH, Evaluator

CONFIDENT = 0.5  # score from which a box is learnt
DOUBTFUL = 0.1  # score from which a box may be an object


def label(evaluator: Evaluator, images: Dataset, workers: int) -> list[Labels]:
    """What `evaluator` finds on each of `images` with a score of at least DOUBTFUL; not CONFIDENT is difficult."""
    result = []
    for frames in batches(images, BATCH, workers):
        height, width, _ = frames[0].image.shape
        for found in evaluator.find(frames, DOUBTFUL):
            boxes = found.boxes.clip(0, [width, height, width, height]).astype(np.float32)
            result.append(Labels.of(boxes, found.classes, found.scores < CONFIDENT))
    return result


def to_tensors(found: Sequence[Labels]) -> list[list[torch.Tensor]]:
    """Labels as a checkpoint holds them: boxes, classes, difficult; what a network finds is no crowd."""
    return [[torch.from_numpy(part) for part in (each.boxes, each.classes, each.difficult)] for each in found]


def from_tensors(saved: Sequence[Sequence[torch.Tensor]]) -> list[Labels]:
    """The labels that `to_tensors` gave."""
    return [Labels.of(*(part.numpy() for part in labels)) for labels in saved]


def mixed(labelled: Dataset, images: Images, found: Sequence[Labels]) -> Dataset:
    """Images with labels and `images` with those found, the labelled ones repeated until they are as many."""
    times = max(1, len(images) // len(labelled))
    repeated = Part(labelled, list(range(len(labelled))) * times)
    return Joined([repeated, images.labelled(found)])
