"""The record of each epoch: the lines of log.json."""

from __future__ import annotations

from typing import TypedDict

#: Parts of the loss, of whatever is learnt.
LOSSES = ("box", "objectness", "classes", "pairs", "distillation")
#: What is measured on the validation images, with its name in a figure.
MEASURED = {
    "val_map50": "mAP50",
    "val_map": "mAP50-95",
    "val_top1": "top-1",
    "val_top5": "top-5",
    "val_pairs": "pairs told right",
}


class _Always(TypedDict):
    #: Name of the stage, and number of the epoch in it, from 1.
    stage: str
    epoch: int


class EpochLine(_Always, total=False):
    """One epoch; what has no value yet is left out."""

    #: Parts of the loss, means over the epoch: of a detector these three, of a classifier the third.
    box: float
    objectness: float
    classes: float
    #: The same of a Siamese network.
    pairs: float
    #: Another part of the loss, in stages that learn from the float network as well.
    distillation: float
    #: Bytes of gradients that a process sends in a step, where there are several.
    bytes_per_step: int
    #: Learning rate of the last step.
    rate: float
    #: Nonzero weights / weights, all and by layer, and mean threshold by layer, of a network that is not float.
    density: float
    density_by_layer: dict[str, float]
    rho_by_layer: dict[str, float]
    #: Precision of a detector on the validation images, 0..1, in epochs in which it was measured; or, of a classifier,
    #: the shares of images whose class is the best one, or one of the best five; or, of a Siamese network, the share of
    #: pairs that are told right.
    val_map50: float
    val_map: float
    val_top1: float
    val_top5: float
    val_pairs: float


def total_loss(line: EpochLine) -> float:
    """The loss of the epoch, all parts together."""
    return sum(line.get(part, 0.0) for part in LOSSES)  # type: ignore[misc]


def epoch_line(line: EpochLine) -> str:
    """One line about an epoch in which it was measured."""
    density = f", density {line['density']:.3f}" if "density" in line else ""
    first = next(name for name in MEASURED if name in line)
    measured = f"{'mAP' if first == 'val_map50' else 'accuracy'} {line[first]:.3f}"  # type: ignore[literal-required]
    return f"{line['stage']} epoch {line['epoch']}: loss {total_loss(line):.2f}, validation {measured}{density}"
