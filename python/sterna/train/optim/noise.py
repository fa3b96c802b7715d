"""Weights that are perturbed while their gradients are taken, so that training lowers a loss averaged around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from sterna.train import distributed

#: What is added to each parameter, with the random numbers of a generator on the CPU.
Draw = Callable[[torch.Generator], Mapping[Tensor, Tensor]]


class Noise:
    """Adds what `draw` gives while gradients are taken, in each part of a batch and each process something else.

    draws: how often it was drawn until now; equal numbers of equal `seed` and process give equal noise.
    """

    def __init__(self, draw: Draw, seed: int) -> None:
        self._draw, self._seed = draw, seed
        self.draws = 0

    @contextmanager
    def added(self) -> Iterator[None]:
        """Around a forward and backward pass; afterwards the parameters are what they were, to the bit."""
        seed = np.random.default_rng((self._seed, distributed.rank(), self.draws)).integers(1 << 62)
        self.draws += 1
        with torch.no_grad():
            noise = self._draw(torch.Generator().manual_seed(int(seed)))
            kept = {parameter: parameter.clone() for parameter in noise}
            for parameter, value in noise.items():
                parameter.add_(value)
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, value in kept.items():
                    parameter.copy_(value)


def of_filters(network: nn.Module, amount: float) -> Draw:
    """Gaussian noise on every trained convolution, as long as `amount` of each filter on average.

    Wen et al. 2018, "SmoothOut: smoothing out sharp minima to improve generalization in deep learning", who take
    uniform noise: large batches settle in sharper minima, and a loss that is averaged around the weights has fewer.
    """
    weights = [
        layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.weight.requires_grad
    ]

    def draw(generator: torch.Generator) -> dict[Tensor, Tensor]:
        return {
            weight: amount * _size(weight) * torch.randn(weight.shape, generator=generator).to(weight)
            for weight in weights
        }

    return draw


def _size(weight: Tensor) -> Tensor:
    """Root mean square [F, 1, 1, 1] of the weights of each filter."""
    return weight.square().mean((1, 2, 3), keepdim=True).sqrt()
