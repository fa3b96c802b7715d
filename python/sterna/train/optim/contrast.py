"""The loss of a Siamese network: images of one class are drawn together, and others are pushed apart up to a margin.

After Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006. Of N images, the
pairs are in the order of `torch.pdist`: N * (N - 1) / 2, the first image with all others before the second.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def between_all(features: Tensor) -> Tensor:
    """Mean differences of features [N, E, 1, 1], of each pair."""
    flat = features.flatten(1)
    return torch.pdist(flat, 1) / flat.shape[1]


def are_equal(kinds: Tensor) -> Tensor:
    """Whether both of `kinds` [N] are the same, of each pair."""
    return torch.pdist(kinds[:, None].float(), 0) == 0


def contrast(apart: Tensor, alike: Tensor, margin: float) -> Tensor:
    """The loss of distances [P]: of pairs that are `alike`, and of the others; each kind counts as much.

    Most pairs of different classes soon are far apart and teach nothing: they are not part of the mean.
    """
    together, pushed = apart[alike].square(), functional.relu(margin - apart[~alike]).square()
    means = (part.sum() / (part.detach() > 0).sum().clamp(min=1) for part in (together, pushed))
    return sum(means, apart.new_zeros(()))
