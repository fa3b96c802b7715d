"""Graph layers to operations: each becomes sums of signed vectors, requantised (docs/explanation/engine/layers.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.graph import Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant
from sterna.spec.tape import Pool

#: Row and column of the four phases of a 2x2 window, in the order of accumulators and of reorg's channel groups.
PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True)
class Weights:
    """Nonzero weights as parallel arrays of one length.

    `channel` counts over the concatenated source maps; `row` and `col` are offsets of the input pixel from
    `gather_stride` times the output pixel (int16, may be negative); `phase` is 0 unless the operation pools.
    """

    filter: NDArray[np.int32]
    phase: NDArray[np.int8]
    channel: NDArray[np.int32]
    row: NDArray[np.int16]
    col: NDArray[np.int16]
    value: NDArray[np.int8]

    def select(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Weights:
        """The chosen nonzeros."""
        return Weights(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @staticmethod
    def join(parts: list[Weights]) -> Weights:
        """All nonzeros of `parts`."""
        names = Weights.__dataclass_fields__
        return Weights(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class InnerMap(NamedTuple):
    """A map on the way to that of a layer, such as LAYER#1: no layer can have its name."""

    name: str
    height: int
    width: int


@dataclass(frozen=True)
class Operation:
    """One map to compute: what a CONV step, or several, will do.

    With `Pool.KEEP` it makes the map of its first layer as well, split by phase.
    """

    layers: tuple[str, ...]  # the graph layers it covers; the last one names the map, unless it is an inner one
    sources: tuple[str, ...]  # maps whose channels the weights count over
    weights: Weights
    filters: int
    pool: Pool
    gather_stride: int
    pad_value: int
    requant: Requant
    inner: InnerMap | None = None

    @property
    def output(self) -> str:
        """Name of the map that the operation makes."""
        return self.inner.name if self.inner else self.layers[-1]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all maps that it makes."""
        return self.layers if self.pool is Pool.KEEP else (self.output,)


@dataclass(frozen=True)
class Program:
    """Operations in order, and what else there is to know of maps.

    `views`: for each map that is not computed, the maps whose channels it shows. `split`: the computed maps that
    lie in memory split by phase (docs/explanation/engine/layers.md); a Reorg of such a map is a view.
    """

    operations: tuple[Operation, ...]
    views: dict[str, tuple[str, ...]] = field(default_factory=dict)
    split: frozenset[str] = frozenset()

    @property
    def inner(self) -> dict[str, InnerMap]:
        """The maps that are on the way to those of layers, by name."""
        return {operation.inner.name: operation.inner for operation in self.operations if operation.inner}

    def sources(self, name: str) -> tuple[str, ...]:
        """The computed (or input) maps that a map shows."""
        if name not in self.views:
            return (name,)
        return tuple(source for part in self.views[name] for source in self.sources(part))


def lower(graph: Graph) -> Program:
    """Turn `graph` into operations, fusing a 2x2/2 pool or a reorg into the conv before it where that is possible."""
    consumers: dict[str, list[Layer]] = {layer.name: [] for layer in graph.layers}
    for layer in graph.layers:
        for name in layer.sources:
            consumers[name].append(layer)
    split = _split_maps(graph, consumers)
    operations: list[Operation] = []
    views: dict[str, tuple[str, ...]] = {}
    fused: set[str] = set()
    for layer in graph.layers:
        if layer.name in fused or isinstance(layer, Input):
            continue
        if isinstance(layer, Concat | Output) or (isinstance(layer, Reorg) and layer.input in split):
            views[layer.name] = tuple(layer.sources)
            continue
        if isinstance(layer, MaxPool):
            operations.extend(_pools(graph, layer))
            continue
        follower = (_kept_pool if layer.name in split else _fusible)(layer, consumers)
        if follower is not None:
            fused.add(follower.name)
        operations.append(_operation(graph, layer, follower, keep=layer.name in split))
    return Program(tuple(operations), views, split)


def _split_maps(graph: Graph, consumers: dict[str, list[Layer]]) -> frozenset[str]:
    """Convs that are computed split by phase: those that a pool and others read, and the 1x1 convs after them."""
    split: set[str] = set()
    for layer in graph.layers:
        pool = _kept_pool(layer, consumers)
        if pool is not None and _is_even(graph, layer):
            others = [consumer for consumer in consumers[layer.name] if consumer is not pool]
            if all(_reads_split(other, consumers) for other in others):
                split.add(layer.name)
        elif isinstance(layer, Conv) and layer.input in split and _is_pointwise(layer):
            split.add(layer.name)
    return frozenset(split)


def _kept_pool(layer: Layer, consumers: dict[str, list[Layer]]) -> MaxPool | None:
    """The pool that can be fused into a conv which others read as well."""
    pools = [c for c in consumers[layer.name] if isinstance(c, MaxPool) and c.halves]
    several = len(consumers[layer.name]) > 1
    return pools[0] if isinstance(layer, Conv) and layer.stride == 1 and several and len(pools) == 1 else None


def _is_even(graph: Graph, layer: Layer) -> bool:
    info = graph.info[layer.name]
    return info.height % 2 == 0 and info.width % 2 == 0


def _reads_split(layer: Layer, consumers: dict[str, list[Layer]]) -> bool:
    """Whether a layer can read a map that is split by phase, and all that read its own map can too."""
    if isinstance(layer, Conv) and _is_pointwise(layer):
        return all(_reads_split(consumer, consumers) for consumer in consumers[layer.name])
    return isinstance(layer, Reorg | Output)


def _is_pointwise(layer: Conv) -> bool:
    return layer.weights.shape[2:] == (1, 1) and layer.stride == 1 and layer.padding == (0, 0, 0, 0)


def _fusible(layer: Layer, consumers: dict[str, list[Layer]]) -> MaxPool | Reorg | None:
    """The pool or reorg that alone reads a conv, so that nobody needs the conv's own map."""
    if not isinstance(layer, Conv) or layer.stride != 1 or len(consumers[layer.name]) != 1:
        return None
    only = consumers[layer.name][0]
    if isinstance(only, Reorg) or (isinstance(only, MaxPool) and only.halves):
        return only
    return None


def _operation(graph: Graph, layer: Layer, follower: MaxPool | Reorg | None, *, keep: bool) -> Operation:
    if isinstance(layer, Conv):
        return _conv(graph, layer, follower, keep=keep)
    return _ALONE[type(layer)](graph, layer)


def _conv(graph: Graph, layer: Conv, follower: MaxPool | Reorg | None, *, keep: bool) -> Operation:
    filters, channel, row, col = (axis.astype(np.int32) for axis in np.nonzero(layer.weights))
    top, left, _, _ = layer.padding
    count, channels = layer.weights.shape[:2]
    group = filters // np.int32(count // layer.groups)
    weights = Weights(
        filters,
        np.zeros(len(filters), np.int8),
        channel + group * np.int32(channels),
        (row - top).astype(np.int16),
        (col - left).astype(np.int16),
        layer.weights[filters, channel, row, col],
    )
    requant = least_requant(graph, layer.requant)
    if isinstance(follower, MaxPool):
        weights = _over_phases(weights, filter_step=0)
    elif isinstance(follower, Reorg):
        weights = _over_phases(weights, filter_step=count)
        count, requant = 4 * count, _repeat(requant, 4)
    return Operation(
        layers=(layer.name, follower.name) if follower else (layer.name,),
        sources=(layer.input,),
        weights=weights,
        filters=count,
        pool=(Pool.KEEP if keep else Pool.MAX) if isinstance(follower, MaxPool) else Pool.NONE,
        gather_stride=2 if follower else layer.stride,
        pad_value=graph.info[layer.input].zero_point,
        requant=requant,
    )


def _over_phases(weights: Weights, filter_step: int, distance: int = 1) -> Weights:
    """One copy of the weights for each phase; as phases of a filter (step 0) or as filters of their own.

    distance: of the pixels of a window.
    """
    copies = []
    for phase, (down, right) in enumerate(PHASES):
        copies.append(
            Weights(
                weights.filter + np.int32(filter_step * phase),
                np.full_like(weights.phase, 0 if filter_step else phase),
                weights.channel,
                weights.row + np.int16(distance * down),
                weights.col + np.int16(distance * right),
                weights.value,
            )
        )
    return Weights.join(copies)


def _repeat(requant: Requant, times: int) -> Requant:
    return replace(
        requant, multiplier=np.tile(requant.multiplier, times), bias=np.tile(requant.bias, times)
    )  # fmt: skip


def least_requant(graph: Graph, requant: Requant) -> Requant:
    """The same results, without a clamp or a rounding that change none of them."""
    low, high = requant.limits(graph.act_min, graph.act_max)
    is_least = low == graph.act_min or (low <= 0 and requant.activation == "relu")
    return replace(
        requant,
        clamp=None if is_least and high == graph.act_max else requant.clamp,
        half_even=requant.half_even and requant.shift > 0,
    )


def _identity(count: int) -> Requant:
    return Requant(np.ones(count, np.int64), np.zeros(count, np.int64), 0, "linear")


def _ones(channels: int) -> Weights:
    """Weight +1 from each channel to the filter of the same number."""
    index = np.arange(channels, dtype=np.int32)
    zero = np.zeros(channels, np.int16)
    return Weights(index, np.zeros(channels, np.int8), index, zero, zero, np.ones(channels, np.int8))


def pool_distances(kernel: int) -> list[int]:
    """Of the pixels of each 2x2 maximum, one after the other, that make a window of `kernel` pixels.

    The maxima before each of them hold windows of so many pixels that the two, at this distance, leave no gap.
    """
    distances, reached = [], 1
    while reached < kernel:
        distances.append(min(reached, kernel - reached))
        reached += distances[-1]
    return distances


def _pools(graph: Graph, layer: MaxPool) -> list[Operation]:
    """Maxima of 2x2 pixels, each of those before; the padding is the first one's, the stride the last one's."""
    info, operations = graph.info[layer.name], list[Operation]()
    top, left, _, _ = layer.padding
    source, missing = layer.input, layer.kernel - 1  # pixels of a window beside those that a maximum holds
    for number, distance in enumerate(pool_distances(layer.kernel), 1):
        missing -= distance
        stride = 1 if missing else layer.stride
        rows, columns = (layer.stride * (size - 1) + missing + 1 for size in (info.height, info.width))
        inner = InnerMap(f"{layer.name}#{number}", rows, columns) if missing else None
        pixel = _ones(info.channels)
        corner = replace(pixel, row=pixel.row - np.int16(top), col=pixel.col - np.int16(left))
        operations.append(
            Operation(
                layers=(layer.name,),
                sources=(source,),
                weights=_over_phases(corner, filter_step=0, distance=distance),
                filters=info.channels,
                pool=Pool.MAX,
                gather_stride=stride,
                pad_value=graph.act_min,
                requant=_identity(info.channels),
                inner=inner,
            )
        )
        source, top, left = operations[-1].output, 0, 0
    return operations


def _reorg(graph: Graph, layer: Reorg) -> Operation:
    channels = graph.info[layer.input].channels
    return Operation(
        layers=(layer.name,),
        sources=(layer.input,),
        weights=_over_phases(_ones(channels), filter_step=channels),
        filters=4 * channels,
        pool=Pool.NONE,
        gather_stride=2,
        pad_value=0,
        requant=_identity(4 * channels),
    )


def _add(graph: Graph, layer: Add) -> Operation:
    channels = graph.info[layer.name].channels
    ones = _ones(channels)
    weights = [
        replace(ones, channel=ones.channel + np.int32(number * channels), value=ones.value * np.int8(weight))
        for number, weight in enumerate(layer.weights)
    ]
    return Operation(
        layers=(layer.name,),
        sources=tuple(layer.sources),
        weights=Weights.join(weights),
        filters=channels,
        pool=Pool.NONE,
        gather_stride=1,
        pad_value=0,
        requant=least_requant(graph, layer.requant),
    )


#: What makes the one operation of a layer that is neither a conv nor a pool.
_ALONE: dict[type[Layer], Callable[..., Operation]] = {Add: _add, Reorg: _reorg}
