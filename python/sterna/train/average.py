"""The moving average of a network's weights, which is what a stage hands on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from sterna.train.networks import Network


def average(network: Network, memory: float) -> AveragedModel:
    """An exponential moving average of the parameters and buffers of `network`.

    It remembers `memory` (0..1) of itself at each update, less while it is young, so that a short stage leaves its
    start behind.
    """

    @torch.no_grad()
    def update(averages: Sequence[Tensor], values: Sequence[Tensor], updates: Tensor | int) -> None:
        young = (1 + int(updates)) / (10 + int(updates))
        for mine, new in zip(averages, values, strict=True):
            if mine.is_floating_point():
                mine.lerp_(new, 1 - min(memory, young))
            else:
                mine.copy_(new)

    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)


def averaged(model: AveragedModel) -> Network:
    """The network that holds the average."""
    network = model.module
    assert isinstance(network, Network)
    return network
