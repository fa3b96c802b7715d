"""Where the nonzeros of a ternary layer may be: quantisers by the name of their pattern."""

from __future__ import annotations

import inspect
from itertools import pairwise

import torch
from torch import Tensor

from sterna.registry import Registry
from sterna.train.model.quantisers import TernaryWeightQuant, largest_dropped

#: Weights of a filter, in the order channel, row, column, that have the same number of nonzeros in every filter.
BALANCED_BLOCK = 256


class Unstructured(TernaryWeightQuant):
    """The largest weights of the layer, wherever they are."""

    @staticmethod
    def shape(filters: int, size: int) -> tuple[int, ...]:
        """One threshold."""
        return ()

    def thresholds(self, relative: Tensor, density: float) -> Tensor:
        """Whatever the filter."""
        return largest_dropped(relative.flatten(), round((1.0 - density) * relative.numel()))


class Balanced(TernaryWeightQuant):
    """The same number in each filter, in every BALANCED_BLOCK weights: no PE waits."""

    @staticmethod
    def shape(filters: int, size: int) -> tuple[int, ...]:
        """One threshold per filter and block."""
        return filters, -(-size // BALANCED_BLOCK)

    def thresholds(self, relative: Tensor, density: float) -> Tensor:
        """Of each filter and block."""
        blocks = torch.split(relative, BALANCED_BLOCK, dim=1)
        counts = balanced_counts(relative.shape[1], density)
        found = [largest_dropped(block, block.shape[1] - count) for block, count in zip(blocks, counts, strict=True)]
        return torch.stack(found, 1)

    def spread(self, rho: Tensor, size: int) -> Tensor:
        """That of its block for each weight."""
        return rho.repeat_interleave(BALANCED_BLOCK, dim=1)[:, :size]


def balanced_counts(size: int, density: float) -> list[int]:
    """Nonzeros in each BALANCED_BLOCK of a filter of `size` weights: their running sum is the rounded share."""
    ends = [*range(0, size, BALANCED_BLOCK), size]
    return [after - before for before, after in pairwise(round(density * end) for end in ends)]


patterns: Registry[type[TernaryWeightQuant]] = Registry(
    "pattern",
    "sterna.patterns",
    {each.__name__.lower(): f"{__name__}:{each.__name__}" for each in (Unstructured, Balanced)},
    "a class derived from sterna.TernaryWeightQuant that has thresholds()",
    lambda found: isinstance(found, type) and issubclass(found, TernaryWeightQuant) and not inspect.isabstract(found),
)
"""Quantisers of ternary weights by the name of their pattern."""
DEFAULT = "unstructured"
