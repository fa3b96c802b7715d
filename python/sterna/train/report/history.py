"""The record of each epoch: the lines of log.json."""

from __future__ import annotations

from typing import TypedDict


class _Always(TypedDict):
    #: Name of the stage, and number of the epoch in it, from 1.
    stage: str
    epoch: int
    #: Parts of the loss, means over the epoch.
    box: float
    objectness: float
    classes: float


class EpochLine(_Always, total=False):
    """One epoch; what has no value yet is left out."""

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
    #: Precision on the validation images, 0..1, in epochs in which it was measured.
    val_map50: float
    val_map: float


def total_loss(line: EpochLine) -> float:
    """The loss of the epoch, all parts together."""
    return line["box"] + line["objectness"] + line["classes"] + line.get("distillation", 0.0)
