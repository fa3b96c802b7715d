"""Anchor boxes by k-means with the distance 1 - IoU (Redmon and Farhadi 2017, section 2, "Dimension clusters")."""

from __future__ import annotations

import itertools

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

    Where there are fewer different sizes than anchors, the others are scaled copies of these. Raises SternaError if
    there are none.
    """
    sizes = np.asarray(sizes, np.float64)
    different = np.unique(sizes, axis=0)
    if not len(different):
        raise SternaError(
            "there are no boxes to choose anchors from",
            where="train data",
            remedy="give the training split images with objects that are not difficult, or give --anchors",
        )
    if len(different) < count:
        return _sorted(_with_copies(different, count))
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
    return _sorted(centres)


def fit(sizes: NDArray[np.floating], anchors: NDArray[np.floating]) -> float:
    """Mean over `sizes` [N, 2] of the best `shape_iou` with `anchors` [A, 2] of the same unit, 0 .. 1."""
    return float(shape_iou(sizes, anchors).max(1).mean())


def _sorted(anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    return anchors[np.argsort(anchors.prod(1), kind="stable")]


def _with_copies(sizes: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """`sizes` [N, 2] and then copies of half the area, twice, a quarter, four times, ..., `count` in all."""
    halvings = (sign * step for step in itertools.count(1) for sign in (-1, 1))
    copies = (size * 2 ** (halving / 2) for halving in halvings for size in sizes)
    return np.stack([*sizes, *itertools.islice(copies, count - len(sizes))])


def _spread(sizes: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """k-means++ start: each next centre far from those chosen, with the same distance."""
    chosen = [sizes[rng.integers(len(sizes))]]
    while len(chosen) < count:
        distance = (1 - shape_iou(sizes, np.stack(chosen)).max(1)).clip(0) ** 2
        chosen.append(sizes[rng.choice(len(sizes), p=distance / distance.sum())])
    return np.stack(chosen)
