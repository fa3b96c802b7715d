"""Whether two backends compute the same, and if not, where they first differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.package.package import Package
from sterna.run.backend import Backend, Progress, Results


@dataclass(frozen=True)
class Difference:
    """The first place, in memory order, at which two tensors of a layer differ, and both values."""

    layer: str
    image: int
    channel: int
    row: int
    column: int
    first: int
    second: int
    #: Values of the layer that differ, and all its values.
    differing: int
    total: int

    def __str__(self) -> str:
        return (
            f"layer '{self.layer}', image {self.image}, channel {self.channel}, row {self.row}, "
            f"column {self.column}: {self.first} and {self.second} "
            f"({self.differing} of {self.total} values differ)"
        )


@dataclass(frozen=True)
class Comparison:
    """By layer, in the order of the graph: None where equal."""

    layers: dict[str, Difference | None]

    @property
    def equal_layers(self) -> dict[str, bool]:
        """By layer, whether it is equal."""
        return {layer: difference is None for layer, difference in self.layers.items()}

    @property
    def equal(self) -> bool:
        """Whether every layer is equal."""
        return self.first is None

    @property
    def first(self) -> Difference | None:
        """The difference in the first layer that has one."""
        return next((difference for difference in self.layers.values() if difference), None)


def difference(layer: str, first: NDArray[np.int8], second: NDArray[np.int8]) -> Difference | None:
    """The first difference of two tensors [N, C, H, W]; None if they are equal."""
    if first.shape != second.shape:
        raise SternaError(
            "the shapes differ",
            where=f"layer '{layer}'",
            attribute="shape",
            value=second.shape,
            allowed=str(first.shape),
            remedy="run both backends on the same package and images",
        )
    unequal = first != second
    if not unequal.any():
        return None
    image, channel, row, column = map(int, np.unravel_index(int(unequal.argmax()), unequal.shape))
    at = (image, channel, row, column)
    return Difference(layer, *at, int(first[at]), int(second[at]), int(unequal.sum()), unequal.size)


def compare_results(first: Results, second: Results, order: Iterable[str]) -> Comparison:
    """Compare two batches' results, layer by layer in the given order of layer names."""
    missing = sorted(first.keys() ^ second.keys())
    if missing:
        raise SternaError(
            "only one of the backends stores it",
            where=f"layer '{missing[0]}'",
            remedy="run both backends on the same package",
        )
    return Comparison({name: difference(name, first[name], second[name]) for name in order if name in first})


def compare_backends(
    first: Backend, second: Backend, package: Package, images: NDArray[np.int8], progress: Progress | None = None
) -> Comparison:
    """Load `package` on two open backends, run int8[N, C, H, W] on both and compare every layer they store."""
    for backend in (first, second):
        backend.load(package)
    found, others = (backend.infer(images, progress) for backend in (first, second))
    return compare_results(found, others, (layer.name for layer in package.graph.layers))
