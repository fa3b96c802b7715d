"""Anchor boxes by k-means with the distance 1 - IoU (Redmon and Farhadi 2017, section 2, "Dimension clusters")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError

ROUNDS = 200


def shape_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union [Na, Nb] of sizes a [Na, 2] and b [Nb, 2] put on one corner."""
    shared = np.minimum(a[:, None], b[None]).prod(2)
    return shared / (a.prod(1)[:, None] + b.prod(1)[None] - shared)


def cluster(sizes: NDArray[np.floating], count: int, seed: int) -> NDArray[np.float64]:
    """`count` anchors [count, 2], smallest area first, in the unit of `sizes` [N, 2] (widths and heights > 0).

    Raises SternaError if there are fewer different sizes than anchors.
    """
    sizes = np.asarray(sizes, np.float64)
    different = np.unique(sizes, axis=0)
    if len(different) < count:
        raise SternaError(
            "too few boxes to choose anchors from",
            where="train data",
            attribute="different box sizes",
            value=len(different),
            allowed=f"at least {count}",
            remedy="give the training split more labelled pictures",
        )
    centres = _spread(different, count, np.random.default_rng(seed))
    for _ in range(ROUNDS):
        nearest = shape_iou(sizes, centres).argmax(1)
        moved = np.stack(
            [
                sizes[nearest == index].mean(0) if (nearest == index).any() else centre
                for index, centre in enumerate(centres)
            ]
        )
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres[np.argsort(centres.prod(1), kind="stable")]


def _spread(sizes: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """k-means++ start: each next centre far from those chosen, with the same distance."""
    chosen = [sizes[rng.integers(len(sizes))]]
    while len(chosen) < count:
        distance = (1 - shape_iou(sizes, np.stack(chosen)).max(1)).clip(0) ** 2
        chosen.append(sizes[rng.choice(len(sizes), p=distance / distance.sum())])
    return np.stack(chosen)
