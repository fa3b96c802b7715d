"""The optimisers that a run can choose from, with the learning rates that suit them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import torch

from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim.kfac import Kfac
from sterna.train.optim.noise import Noise, of_filters

WEIGHT_DECAY = 5e-4
MOMENTUM = 0.9
FLOAT_DAMPING, TERNARY_DAMPING = 0.1, 10.0  # of K-FAC


class Optimiser(StrEnum):
    """The algorithm that turns gradients into a step."""

    ADAMW = "adamw"
    SGD = "sgd"
    #: Along the natural gradient, by Kronecker factors of the Fisher matrix.
    KFAC = "kfac"


#: Highest learning rates of the float and of the ternary stage, for a batch of RATE_BATCH images.
RATE_BATCH = 16
RATES: dict[Optimiser, tuple[float, float]] = {
    Optimiser.ADAMW: (3e-3, 2e-3),
    Optimiser.SGD: (5e-3, 5e-3),
    Optimiser.KFAC: (0.1, 0.03),
}


def build(name: Optimiser, network: Network) -> torch.optim.Optimizer:
    """The optimiser `name` for the parameters of `network`; its learning rate is to be set before each step."""
    return _BUILD[name](network)


def noise(
    optimiser: torch.optim.Optimizer, network: Network, smoothing: float, variational: float, seed: int
) -> Noise | None:
    """What perturbs the weights of `network` while gradients are taken; None: nothing does.

    smoothing: as of `noise.of_filters`, and variational: as of Kfac, which counts if `optimiser` is one; 0: without.
    """
    if variational and isinstance(optimiser, Kfac):
        optimiser.param_groups[0]["variational"] = variational
        return Noise(optimiser.draw, seed)
    return Noise(of_filters(network, smoothing), seed) if smoothing else None


def _adamw(network: Network) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=WEIGHT_DECAY)


def _sgd(network: Network) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), lr=0.0, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY)


def _kfac(network: Network) -> torch.optim.Optimizer:
    # A long step along a flat direction does a float network no harm, but carries ternary weights over thresholds.
    damping = FLOAT_DAMPING if network.form is Form.FLOAT else TERNARY_DAMPING
    return Kfac(network, lr=0.0, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, damping=damping)


_BUILD: dict[Optimiser, Callable[[Network], torch.optim.Optimizer]] = {
    Optimiser.ADAMW: _adamw,
    Optimiser.SGD: _sgd,
    Optimiser.KFAC: _kfac,
}
