"""The graph that is being made of a model: its layers so far, by name, and what their integers stand for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from sterna.graph import Concat, Layer, MaxPool, Reorg, Requant
from sterna.importers.onnx.elementwise import Grid
from sterna.importers.onnx.families import Families
from sterna.importers.onnx.fit import Integers
from sterna.importers.onnx.geometry import Pool
from sterna.importers.onnx.model import Node
from sterna.importers.onnx.sums import ConvSums, LayerSums
from sterna.importers.onnx.tensors import Chain, Map, places

_NO_PADDING = (0, 0, 0, 0)


class Draft:
    """Layers in order, and what makes more of them. act_bits: of the graph; results: names of the model's outputs."""

    def __init__(self, act_bits: int, results: Iterable[str]) -> None:
        self.act_bits = act_bits
        self.layers: dict[str, Layer] = {}
        self.families = Families()
        self.splits: list[str] = []
        """Tensors whose filters share no shift."""
        self._reserved = {plain_name(name) for name in results}

    @property
    def activations(self) -> tuple[int, int]:
        """The least and the largest activation."""
        return -(1 << (self.act_bits - 1)), (1 << (self.act_bits - 1)) - 1

    def moved_by(self, low: int, high: int, node: Node) -> int:
        """What makes activations of the integers `low` .. `high`, taken from them; refuses too many of them."""
        least, most = self.activations
        if least <= low and high <= most:
            return 0
        if high - low > most - least:
            node.refuse(
                "has more values than an activation", attribute="integers", value=f"{low} .. {high}",
                allowed=f"{most - least + 1} values in a row", remedy="quantise it to fewer bits",
            )  # fmt: skip
        return low - least

    def name(self, tensor: str) -> str:
        """A name for the layer of a tensor that no layer has yet."""
        plain = plain_name(tensor)
        taken = self._reserved | self.layers.keys()
        names = itertools.chain((plain, f"{plain}.map"), (f"{plain}.{number}" for number in itertools.count(2)))
        return next(each for each in names if each not in taken)

    def put(self, layer: Layer, grid: Grid, *, like: Iterable[str] = ()) -> str:
        """Add a layer, whose activations are of `grid` and stand for the same as those of `like`; its name."""
        self.layers[layer.name] = layer
        self.families.add(layer.name, grid)
        self.families.join([*like, layer.name])
        return layer.name

    def requantised(
        self, tensor: str, chain: Chain, signs: Integers, groups: list[tuple[Integers, Requant]], grid: Grid, node: Node
    ) -> Map:
        """The map of a chain: a layer for each group of filters and, of several, what joins them; then its pools."""
        names = []
        for number, (filters, requant) in enumerate(groups):
            name = self.name(tensor if len(groups) == 1 else f"{tensor}.{number + 1}")
            assert isinstance(chain.sums, LayerSums)
            layer = chain.sums.layer(name, filters, signs, requant)
            if layer is None:
                node.refuse(
                    "needs filters that fall or have several shifts, for which its sums have no room",
                    remedy="use factors above 0, weights above -128 and, for a sum of maps, one factor for all",
                )  # fmt: skip
            names.append(self.put(layer, grid))
        shape = len(signs), *(chain.pools[0][1].source if chain.pools else chain.shape[1:])
        view = Map(shape, places(shape), chain.kind, names[0], grid)
        if len(groups) > 1:
            self.splits.append(tensor)
            joined = self.put(Concat(self.name(tensor), tuple(names)), grid, like=names)
            filters = np.argsort(np.concatenate([filters for filters, _ in groups]))
            view = replace(view, order=view.order[filters], layer=joined)
        for _, pool in chain.pools:
            view = self.max_pooled(tensor, view, pool)
        return view.moved(lambda order: order.ravel()[chain.order])

    def again(self, view: Map) -> Chain:
        """The activations of a map as accumulators."""
        channels = view.shape[0]
        weights = np.ones((channels, 1, 1, 1), np.int64)
        sums = ConvSums.of(view.layer, view.grid, np.ones(channels), weights, 1, _NO_PADDING, channels)
        return Chain(view.shape, view.order, view.kind, sums, grid=view.grid)

    def in_order(self, view: Map) -> Map:
        """A map whose channels are in the tensor's order, made if they are not; any other order stays."""
        channels = view.channels
        if channels is None or np.array_equal(channels, np.arange(view.shape[0])):
            return view
        weights = np.eye(view.shape[0], dtype=np.int64)[channels][:, :, np.newaxis, np.newaxis]
        everyone = np.arange(len(channels))
        sums = ConvSums.of(view.layer, view.grid, np.ones(len(channels)), weights, 1, _NO_PADDING, 1)
        name = self.name(f"{view.layer}.order")
        layer = sums.layer(name, everyone, np.ones_like(everyone), unchanged(len(channels)))
        assert layer is not None
        shape = (len(channels), *view.shape[1:])
        order = places(shape).reshape(view.order.shape)
        return replace(view, shape=shape, order=order, layer=self.put(layer, view.grid, like=[view.layer]))

    def max_pooled(self, tensor: str, view: Map, pool: Pool) -> Map:
        """Maxima of a map of channels, rows and columns."""
        channels = view.channels
        assert channels is not None
        shape = (view.shape[0], *pool.size)
        made = MaxPool(self.name(tensor), view.layer, pool.stride, pool.kernel, pool.padding)
        layer = self.put(made, view.grid, like=[view.layer])
        return replace(view, shape=shape, order=places(shape)[channels], layer=layer)

    def reorganised(self, tensor: str, view: Map) -> Map:
        """Reorg of a map, with each element of the tensor where it went."""
        channels, height, width = view.shape
        c, y, x = np.unravel_index(view.order, view.shape)
        shape = 4 * channels, height // 2, width // 2
        order = np.ravel_multi_index(((2 * (y % 2) + x % 2) * channels + c, y // 2, x // 2), shape)
        layer = self.put(Reorg(self.name(tensor), view.layer), view.grid, like=[view.layer])
        return replace(view, shape=shape, order=order, layer=layer)


def unchanged(filters: int, shift: int = 0) -> Requant:
    """The requantisation that gives the accumulators, divided by a power of two and rounded."""
    return Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), shift, "linear")


def plain_name(tensor: str) -> str:
    """A tensor's name as a layer's."""
    return re.sub(r"[^A-Za-z0-9_./-]", "_", tensor)[-128:] or "_"
