"""What the reader knows of a tensor: a map of the graph, or accumulators and what is done to them, element by element.

A tensor's elements are those of a map [channels, height, width] in some order, so that to flatten, transpose or reshape
it moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sterna.importers.onnx.elementwise import Function, Grid, Values, applied
from sterna.importers.onnx.fit import Integers, Staircases
from sterna.importers.onnx.geometry import Pool
from sterna.importers.onnx.sums import ImageSums, Sums


def places(shape: tuple[int, ...]) -> Integers:
    """The order of the elements of a map of `shape` [C, H, W]."""
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


@dataclass(frozen=True, eq=False)
class View:
    """The elements of a map. order: of the tensor's shape without the batch, each element's place in the map."""

    shape: tuple[int, int, int]
    order: Integers
    kind: np.dtype[Any]

    def moved(self, move: Callable[[Integers], Integers]) -> Self:
        """The same elements in another order."""
        return replace(self, order=move(self.order))

    @property
    def channels(self) -> Integers | None:
        """The map's channel of each channel of the tensor, if it is [C, H, W] or its channels alone; else None."""
        _, height, width = self.shape
        plane = height * width
        order = self.order.reshape(-1, 1, 1) if self.order.ndim == 1 and plane == 1 else self.order
        if order.ndim != 3 or order.shape[1:] != (height, width):
            return None
        channels = order[:, 0, 0] // plane
        expected = channels[:, np.newaxis, np.newaxis] * plane + places((1, height, width))
        return channels if np.array_equal(order, expected) else None

    def by_channel(self, values: Values) -> Values | None:
        """[C, 1], a constant that broadcasts to the tensor's shape, by channel; None if it differs within a channel."""
        channels, height, width = self.shape
        if values.size == 1:
            return np.full((channels, 1), values.ravel()[0])
        shape = (1, *self.order.shape)
        if values.ndim > len(shape) or np.broadcast_shapes(values.shape, shape) != shape:
            return None
        full = np.broadcast_to(values, shape).ravel()
        of = self.order.ravel() // (height * width)
        found = np.zeros(channels, values.dtype)
        found[of] = full
        return found[:, np.newaxis] if np.array_equal(found[of], full, equal_nan=True) else None


@dataclass(frozen=True, eq=False)
class Map(View):
    """The map of a layer. grid: what its activations stand for, and their range."""

    layer: str
    grid: Grid
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Top, left, bottom, right: what a Pad node puts around it."""
    around: int = 0
    """The integer that is put there."""


@dataclass(frozen=True, eq=False)
class Chain(View):
    """Accumulators, and the functions that are applied to them. kind: the type of the tensor that the sums are.

    pools: what takes maxima on the way, each with the number of functions before it.
    """

    sums: Sums
    functions: tuple[Function, ...] = ()
    grid: Grid | None = None
    is_affine: bool = True
    pools: tuple[tuple[int, Pool], ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether it is the image, whose accumulators are its integers."""
        return isinstance(self.sums, ImageSums)

    def then(self, function: Function, grid: Grid | None = None, *, is_affine: bool = False) -> Chain:
        """With one more function, and the grid of what it gives if that is known."""
        return replace(
            self, functions=(*self.functions, function), grid=grid, is_affine=self.is_affine and is_affine
        )  # fmt: skip

    def values(self, sums: Integers, functions: int | None = None) -> Values:
        """What becomes of accumulators [F, N]; functions: how many are applied, all if None."""
        with np.errstate(all="ignore"):
            return applied(self.sums.values(sums, self.kind), self.functions[:functions])

    def direction(self, functions: int | None = None) -> Integers:
        """[F], 1 where values rise with the accumulator, -1 where they fall, 0 where all are alike."""
        ends = self.values(np.column_stack([self.sums.low, self.sums.high]), functions).astype(np.float64)
        return np.sign(ends[:, 1] - ends[:, 0]).astype(np.int64)

    def reached(self) -> tuple[int, int]:
        """The least and the largest integer of the grid that some accumulator gives."""
        assert self.grid is not None
        ends = self.grid.integers(self.values(np.column_stack([self.sums.low, self.sums.high])))
        return int(ends.min()), int(ends.max())

    def staircases(self, signs: Integers, least: int, most: int) -> Staircases:
        """The integers of the grid, `least` .. `most`, by the accumulators times `signs`, with which they rise.

        Each step is found by bisection, as the functions rise.
        """
        assert self.grid is not None
        levels = np.arange(least + 1, most + 1)
        first, last = np.sort(np.stack([self.sums.low * signs, self.sums.high * signs]), axis=0)
        low = np.repeat(first[:, np.newaxis], len(levels), axis=1)
        high = np.repeat(last[:, np.newaxis] + 1, len(levels), axis=1)
        while (low < high).any():
            middle = (low + high) // 2
            reaches = self.grid.integers(self.values(middle * signs[:, np.newaxis])) >= levels
            high, low = np.where(reaches, middle, high), np.where(reaches | (low == high), low, middle + 1)
        return Staircases(first, last, high, least)
