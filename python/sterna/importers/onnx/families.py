"""Layers that share a scale and a zero point: those that only move a map belong to the layer that made it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sterna.errors import SternaError
from sterna.importers.onnx.elementwise import Grid
from sterna.importers.onnx.model import Node


class Families:
    """What the integers of each layer stand for, known once all nodes are read."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._grids: dict[str, Grid] = {}
        self._zeros: dict[str, int] = {}
        self._scales: dict[str, float] = {}

    def add(self, layer: str, grid: Grid) -> None:
        """A layer of its own family, whose activations are of `grid`."""
        self._parents[layer], self._grids[layer] = layer, grid

    def _head(self, layer: str) -> str:
        while self._parents[layer] != layer:
            layer = self._parents[layer]
        return layer

    def join(self, layers: Sequence[str]) -> None:
        """Make one family of those of `layers`; the first says what the integers stand for."""
        first = self._head(layers[0])
        for layer in layers[1:]:
            head = self._head(layer)
            if head == first:
                continue
            self._parents[head] = first
            zero = self._zeros.get(head, self._zeros.get(first))
            if zero is not None and self._zeros.setdefault(first, zero) != zero:
                raise SternaError(
                    "joins maps around which different values are put", where=f"layer '{layers[0]}'",
                    value=f"{self._zeros[first]}, {zero}", remedy="give them one zero point",
                )  # fmt: skip

    def set_zero(self, layer: str, zero: int, node: Node) -> None:
        """Say which integer stands for real 0, as `node` puts it around the map; refuses another than before."""
        found = self._zeros.setdefault(self._head(layer), zero)
        if found != zero:
            node.refuse("pads with another value than a node before it", value=zero, allowed=str(found))

    def set_known(self, layer: str, scale: float, zero: int) -> None:
        """Say what the integers stand for, as the model's property has it."""
        head = self._head(layer)
        self._scales[head] = scale
        self._zeros.setdefault(head, zero)

    def scale(self, layer: str) -> float:
        """The real value of a step."""
        head = self._head(layer)
        return self._scales.get(head, self._grids[head].scale)

    def zero(self, layer: str, low: int, high: int) -> int:
        """The activation that stands for real 0; 0 if none within `low` .. `high` does."""
        head = self._head(layer)
        zero = self._zeros.get(head, self._grids[head].zero)
        return int(zero) if zero == np.rint(zero) and low <= zero <= high else 0
