"""How dense each ternary layer is to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sterna.errors import SternaError
from sterna.graph.network import NetworkDescription
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.model.patterns import patterns

#: Shares of the target that automatic allocation tries on each layer.
GRID = tuple(float(share) for share in np.geomspace(1 / 3, 3, 6))


def uniform(network: NetworkDescription, target: float, given: Mapping[str, float]) -> dict[str, float]:
    """`target` for every ternary layer of `network`, but for those `given` theirs.

    Raises SternaError for a given layer that is not a ternary layer.
    """
    names = network.ternary
    for name in given:
        if name not in names:
            raise SternaError(
                "a density for a layer without ternary weights", where="train", attribute="layer_density",
                value=name, allowed=", ".join(names), remedy="name one of these layers",
            )  # fmt: skip
    return {name: given.get(name, target) for name in names}


def sensitivities(
    network: Network,
    layers: Mapping[str, nn.Conv2d],
    loss: Callable[[Network], float],
    target: float,
    pattern: str,
    advance: Callable[[], None],
) -> dict[str, NDArray[np.float64]]:
    """What `loss` of the float `network` becomes when one of its `layers` alone is ternary, by layer at each of GRID.

    `advance` is called after each of the measurements, of which there are len(GRID) a layer.
    """
    curves = {}
    for name, conv in layers.items():
        kept = conv.weight.detach().clone()
        quantiser = patterns[pattern](len(kept), kept[0].numel()).to(kept.device)
        losses = []
        for density in densities(target):
            quantiser.aim(kept, density)
            ternary, scale = quantiser.integers(kept)
            with torch.no_grad():
                conv.weight.copy_(ternary * scale)
                losses.append(loss(network))
            advance()
        with torch.no_grad():
            conv.weight.copy_(kept)
        curves[name] = np.array(losses)
    assert network.form is Form.FLOAT
    return curves


def densities(target: float) -> list[float]:
    """The densities that GRID stands for, ascending."""
    return sorted({min(1.0, share * target) for share in GRID})


def allocate(curves: Mapping[str, NDArray[np.float64]], sizes: Mapping[str, int], target: float) -> dict[str, float]:
    """Densities by layer, nonzeros / weights of all layers = `target`, for the least sum of losses.

    curves: by layer its loss at `densities(target)`; sizes: by layer its weights. Each curve is replaced by its lower
    convex hull. Nonzeros then go where they lower the loss most, one stretch of a hull after the other, which is the
    best there is for sums of convex functions (Fox 1966, "Discrete optimization via marginal analysis").
    """
    grid = densities(target)
    left = target * sum(sizes.values()) - grid[0] * sum(sizes.values())
    result = dict.fromkeys(sizes, grid[0])
    stretches = []
    for name, curve in curves.items():
        for (low, before), (high, after) in pairwise(_hull(grid, curve)):
            nonzeros = (high - low) * sizes[name]
            stretches.append(((before - after) / nonzeros, name, high - low, nonzeros))
    # Along a hull the gain only falls, so a layer's stretches come in order.
    for _, name, step, nonzeros in sorted(stretches, key=lambda stretch: -stretch[0]):
        taken = min(1.0, left / nonzeros)
        result[name] += taken * step
        left -= taken * nonzeros
        if left <= 0:
            break
    return result


def _hull(x: Sequence[float], y: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The corners of the lower convex hull of the points (x, y), x ascending."""
    hull: list[tuple[float, float]] = []
    for point in zip(x, y.tolist(), strict=True):
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Positive if the way from a over b to c turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
