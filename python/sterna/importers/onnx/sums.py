"""Accumulators of layers to be: how far they reach, what they stand for, and how the layer is made of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from sterna.graph import Add, Conv, Layer, Requant
from sterna.importers.onnx.elementwise import Grid, Values
from sterna.importers.onnx.fit import Integers

_MOST_WEIGHT, _LEAST_WEIGHT = 127, -128


@dataclass(frozen=True, eq=False)
class Sums:
    """Accumulators: of filter `f` from `low[f]` to `high[f]`, each standing for `unit[f] * (s + offset[f])`."""

    low: Integers
    high: Integers
    unit: NDArray[np.float64]
    offset: NDArray[np.float64]

    def values(self, sums: Integers, kind: np.dtype[Any]) -> Values:
        """What accumulators [F, N] stand for, in the model's type `kind`."""
        values = self.unit[:, np.newaxis] * (sums + self.offset[:, np.newaxis])
        return (np.rint(values) if kind.kind in "iu" else values).astype(kind)


@dataclass(frozen=True, eq=False)
class ImageSums(Sums):
    """The integers of the image, -128 .. 127, by channel."""


@dataclass(frozen=True, eq=False)
class LayerSums(Sums, ABC):
    """Those of a layer that is to be made."""

    @abstractmethod
    def layer(self, name: str, filters: Integers, signs: Integers, requant: Requant) -> Layer | None:
        """The layer that makes some filters, each times a sign; None if there is none."""


@dataclass(frozen=True, eq=False)
class ConvSums(LayerSums):
    """Those of a convolution of the map of `source`, with `groups`; weights: [F, C / groups, K, K]."""

    source: str
    weights: Integers
    stride: int
    padding: tuple[int, int, int, int]
    groups: int

    @classmethod
    def of(
        cls, source: str, grid: Grid, scale: NDArray[np.float64], weights: Integers, stride: int,
        padding: tuple[int, int, int, int], groups: int,
    ) -> ConvSums:  # fmt: skip
        """grid: of the source's activations, within its range also what is put around it. scale: of each filter."""
        flat = weights.reshape(len(weights), -1)
        above, below = np.maximum(flat, 0).sum(axis=1), np.minimum(flat, 0).sum(axis=1)
        low, high = int(grid.low), int(grid.high)
        offset = -grid.zero * flat.sum(axis=1)
        return cls(
            above * low + below * high, above * high + below * low, scale * grid.scale, offset, source, weights, stride,
            padding, groups,
        )  # fmt: skip

    @override
    def layer(self, name: str, filters: Integers, signs: Integers, requant: Requant) -> Layer | None:
        weights, groups = self.weights, self.groups
        if len(filters) < len(weights) and groups > 1:
            weights, groups = spread(weights, groups), 1
        chosen = weights[filters] * signs[filters, np.newaxis, np.newaxis, np.newaxis]
        if chosen.min() < _LEAST_WEIGHT or chosen.max() > _MOST_WEIGHT:
            return None
        return Conv(name, self.source, chosen.astype(np.int8), self.stride, self.padding, requant, 1.0, groups=groups)


def spread(weights: Integers, groups: int) -> Integers:
    """[F, C, K, K], the weights [F, C / groups, K, K] of a convolution with `groups`, for one without."""
    filters, channels = weights.shape[:2]
    made = np.zeros((filters, channels * groups, *weights.shape[2:]), weights.dtype)
    for filter_, group in enumerate(np.arange(filters) // (filters // groups)):
        made[filter_, group * channels : (group + 1) * channels] = weights[filter_]
    return made


@dataclass(frozen=True, eq=False)
class AddSums(LayerSums):
    """Those of an addition of two maps, each times a weight."""

    sources: tuple[str, str]
    weights: tuple[int, int]

    @classmethod
    def of(cls, channels: int, sources: tuple[str, str], grids: tuple[Grid, Grid], weights: tuple[int, int]) -> AddSums:
        """grids: of the sources, whose scales are as the weights."""
        both = list(zip(grids, weights, strict=True))
        ends = [sorted((weight * int(grid.low), weight * int(grid.high))) for grid, weight in both]
        low, high = (np.full(channels, ends[0][end] + ends[1][end]) for end in (0, 1))
        offset = -sum(weight * grid.zero for grid, weight in both)
        unit = grids[0].scale / weights[0]
        return cls(low, high, np.full(channels, unit), np.full(channels, offset), sources, weights)

    @override
    def layer(self, name: str, filters: Integers, signs: Integers, requant: Requant) -> Layer | None:
        if len(filters) < len(self.low) or len(np.unique(signs)) > 1:
            return None
        weights = int(signs[0]) * self.weights[0], int(signs[0]) * self.weights[1]
        return Add(name, self.sources, requant, 1.0, weights=weights)
