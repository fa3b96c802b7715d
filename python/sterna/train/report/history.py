"""The record of each epoch: the lines of log.json."""

from __future__ import annotations

from typing import TypedDict


class _Always(TypedDict):
    #: Name of the stage, and number of the epoch in it, from 1.
    stage: str
    epoch: int
    #: A part of the loss, mean over the epoch.
    classes: float


class EpochLine(_Always, total=False):
    """One epoch; what has no value yet is left out."""

    #: Parts of the loss of a detector.
    box: float
    objectness: float
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
    #: the shares of images whose class is the best one, or one of the best five.
    val_map50: float
    val_map: float
    val_top1: float
    val_top5: float


def total_loss(line: EpochLine) -> float:
    """The loss of the epoch, all parts together."""
    return line.get("box", 0.0) + line.get("objectness", 0.0) + line["classes"] + line.get("distillation", 0.0)


def epoch_line(line: EpochLine) -> str:
    """One line about an epoch in which it was measured."""
    density = f", density {line['density']:.3f}" if "density" in line else ""
    measured = f"mAP {line['val_map50']:.3f}" if "val_map50" in line else f"accuracy {line['val_top1']:.3f}"
    return f"{line['stage']} epoch {line['epoch']}: loss {total_loss(line):.2f}, validation {measured}{density}"
