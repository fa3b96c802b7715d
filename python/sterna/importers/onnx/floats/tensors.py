"""What the reader knows of a tensor: elements of a map, or the sums of a convolution that is not a layer yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sterna.graph.network import NORM_EPSILON
from sterna.importers.onnx.geometry import Sides
from sterna.importers.onnx.model import Node

Exact = NDArray[np.float64]
Places = NDArray[np.int64]


def places(shape: tuple[int, ...]) -> Places:
    """The order of the elements of a map of `shape` [C, H, W]."""
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


@dataclass(frozen=True, eq=False)
class Colours:
    """What the values of the image are in the model, by colour, float64 [3] each: factor * byte + offset."""

    factor: Exact
    offset: Exact

    def affine(self, factor: Exact, offset: Exact) -> Colours:
        """After a product and a sum."""
        return Colours(self.factor * factor, self.offset * factor + offset)

    def same(self, other: Colours) -> bool:
        """Whether both mean the same values."""
        return np.array_equal(self.factor, other.factor) and np.array_equal(self.offset, other.offset)


@dataclass(frozen=True, eq=False)
class View:
    """Elements of the map of a layer, of `shape` [C, H, W].

    order: of the tensor's shape without the batch, each element's place in the map; None: all, as they are. colours:
    what the values are, if they are those of the image.
    """

    layer: str
    shape: tuple[int, int, int]
    order: Places | None = None
    colours: Colours | None = None

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The tensor's shape without the batch."""
        return self.shape if self.order is None else self.order.shape

    def moved(self, move: Callable[[Places], Places]) -> View:
        """The same elements in another order, or some of them."""
        return replace(self, order=move(places(self.shape) if self.order is None else self.order))

    @property
    def channels(self) -> Places | None:
        """The map's channel of each channel of the tensor, if it is some of them in any order; None if it is not."""
        channels, height, width = self.shape
        if self.order is None:
            return np.arange(channels)
        if self.order.ndim != 3 or self.order.shape[1:] != (height, width):
            return None
        found = self.order[:, :1, :1] // (height * width)
        same = np.array_equal(self.order, found * (height * width) + places((1, height, width)))
        return found.ravel() if same else None

    def of(self, channels: Places) -> View:
        """`channels` of the map, of which the tensor is all elements in their order."""
        total, height, width = self.shape
        if np.array_equal(channels, np.arange(total)):
            return self
        return replace(self, order=channels.reshape(-1, 1, 1) * (height * width) + places((1, height, width)))

    @property
    def phases(self) -> Places | None:
        """The channel in the map's reorg of each channel of the tensor, if it is some of them; None if it is not."""
        channels, height, width = self.shape
        if self.order is None or self.order.ndim != 3 or height % 2 or width % 2:
            return None
        if self.order.shape[1:] != (height // 2, width // 2):
            return None
        c, y, x = np.unravel_index(self.order[:, 0, 0], self.shape)
        if (y > 1).any() or (x > 1).any():
            return None
        blocks = places((1, height, width))[:, ::2, ::2]
        same = np.array_equal(self.order, self.order[:, :1, :1] + blocks)
        return (2 * y + x) * channels + c if same else None


@dataclass(frozen=True, eq=False)
class Padded:
    """A map with `value` around it, by `sides`: top, left, bottom, right."""

    view: View
    sides: Sides
    value: float


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch normalisation with NORM_EPSILON, float64 [F] each."""

    scales: Exact
    means: Exact
    variances: Exact


@dataclass(frozen=True, eq=False)
class Sums:
    """A convolution and what follows it, up to its activation. tensor, node: what makes it; source: what it reads.

    shape: of what it makes. weights: float64 [F, C / groups, K, K], for the channels of the source's map. biases:
    float64 [F], after `norm`. flat: whether the tensor is [F], as that of a fully connected layer.
    """

    tensor: str
    node: Node
    source: View
    shape: tuple[int, int, int]
    groups: int
    stride: int
    sides: Sides
    weights: Exact
    biases: Exact
    norm: Norm | None = None
    flat: bool = False

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The tensor's shape without the batch."""
        return self.shape[:1] if self.flat else self.shape

    def affine(self, factor: Exact, offset: Exact) -> Sums:
        """With each filter's value times `factor` plus `offset`, [F] each."""
        biases = self.biases * factor + offset
        if self.norm is not None:
            return replace(self, biases=biases, norm=replace(self.norm, scales=self.norm.scales * factor))
        return replace(self, biases=biases, weights=self.weights * factor.reshape(-1, 1, 1, 1))

    def normalised(self, numbers: Sequence[Exact], epsilon: float) -> Sums:
        """With batch normalisation: scales, biases, means and variances, [F] each."""
        scales, biases, means, variances = numbers
        deviations = np.sqrt(variances + epsilon)
        if self.norm is not None:
            return self.affine(scales / deviations, biases - scales * means / deviations)
        scales = scales * np.sqrt(variances + NORM_EPSILON) / deviations
        return replace(self, biases=biases, norm=Norm(scales, means - self.biases, variances))

    def folded(self) -> Sums:
        """With its normalisation as part of weights and biases."""
        if self.norm is None:
            return self
        factor = self.norm.scales / np.sqrt(self.norm.variances + NORM_EPSILON)
        biases = self.biases - factor * self.norm.means
        return replace(self, norm=None, biases=biases, weights=self.weights * factor.reshape(-1, 1, 1, 1))

    def shifted(self, offset: Exact) -> Sums:
        """With `offset` [F] added to each filter's sum, before all that follows."""
        if self.norm is None:
            return replace(self, biases=self.biases + offset)
        return replace(self, norm=replace(self.norm, means=self.norm.means - offset))


@dataclass(frozen=True, eq=False)
class Total:
    """The sum of two maps up to its activation. tensor, node: what makes it; channels: of both maps, as they are."""

    tensor: str
    node: Node
    parts: tuple[View, View]
    channels: Places

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of both maps."""
        return self.parts[0].shape

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The tensor's shape without the batch."""
        return self.shape


Pending = Sums | Total
"""What becomes a layer with its activation."""


@dataclass(frozen=True, eq=False)
class Gate:
    """A function of `sums` that Sterna lacks, which may be multiplied with them. node: what computes it."""

    sums: Pending
    node: Node
