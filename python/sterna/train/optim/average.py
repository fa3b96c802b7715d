"""The moving average of a network's weights, the result of a stage."""

from __future__ import annotations

from copy import deepcopy
from itertools import chain
from typing import Any

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sterna.train.model.network import Network


class MovingAverage:
    """An exponential moving average of the parameters and buffers of `network`, which `self.network` holds.

    It remembers `memory` (0..1) of itself at each update, less while it is young, so that even a short stage forgets
    its start. Tensors are found once and not in each update, as PyTorch's AveragedModel does: a ternary network has
    hundreds of modules to look through.
    """

    def __init__(self, network: Network, memory: float) -> None:
        self.network = deepcopy(network)
        self._memory, self._updates = memory, 0
        self._pair(network)

    def _pair(self, network: Network) -> None:
        """Find the tensors of `network` and their averages. Brevitas makes new ones when a state is loaded."""
        mine, others = (list(chain(each.parameters(), each.buffers())) for each in (self.network, network))
        pairs = list(zip(mine, others, strict=True))
        self._averaged = tuple(zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True))
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network as it is now; the first time all of it."""
        young = (1 + self._updates) / (10 + self._updates)
        kept = min(self._memory, young) if self._updates else 0.0
        mine, new = self._averaged
        get_ema_multi_avg_fn(kept)(mine, new, self._updates)  # type: ignore[no-untyped-call]
        for copied, value in self._copied:
            copied.copy_(value)
        self._updates += 1

    def state(self) -> dict[str, Any]:
        """Everything needed to resume."""
        return {"updates": self._updates, "network": self.network.state_dict()}

    def restore(self, state: dict[str, Any], network: Network) -> None:
        """Go on from `state` with `network`, whose own state is loaded already."""
        self.network.restore(state["network"])
        self._updates = state["updates"]
        self._pair(network)
