"""What each layer of a graph becomes in C++: a node with the members of its config (hw/hls/sterna.h), and tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.generate.hls.terms import terms
from sterna.graph import Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant
from sterna.graph.infer import TensorInfo, accumulator_bounds, requant_bits
from sterna.graph.layers import LEVELS, MULTIPLIER_BITS
from sterna.spec.activations import ACTIVATIONS

IMAGE = "image"
"""The node of the image."""
LANES = 16
"""Neighbouring pixels that a convolution computes together, at most."""
_PER_LINE = 16
_SIGNED = ("low", "high", "pad", "activation", "shift")
"""Constants that may be less than 0, or are compared with what may be."""


@dataclass(frozen=True)
class Node:
    """One call of a function of sterna.h. kind: Image, Conv, Pool or Reorg; Join: the channels of several maps.

    shape: (height, width, channels) of its map. bits: of its values.
    """

    name: str
    kind: str
    inputs: list[str]
    shape: tuple[int, int, int]
    bits: int
    constants: dict[str, int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    """Bits of each signed integer type, by its name."""
    functions: list[str] = field(default_factory=list)

    def members(self, integer: str) -> list[str]:
        """Of its config, as C++. integer: how a signed type of some bits is written."""
        return [
            *(f"typedef {integer.format(bits)} {name};" for name, bits in self.types.items()),
            *(
                f"static const {'int' if name in _SIGNED else 'unsigned'} {name} = {value};"
                for name, value in self.constants.items()
            ),
            *self.functions,
        ]


@dataclass(frozen=True)
class Nodes:
    """A graph as nodes in order, and the text of the tables that they read."""

    nodes: list[Node]
    tables: str


def node_name(graph: Graph, layer: str) -> str:
    """The name of a layer's node: C++ takes fewer names than graphs do, so it says the layer's place."""
    return f"layer{list(graph.info).index(layer)}"


def nodes_of(graph: Graph) -> Nodes:
    """The nodes and tables of `graph`."""
    writer = _Writer(graph)
    for layer in graph.layers:
        writer.add(layer)
    guard = "STERNA_TABLES_H_"
    head = f"#ifndef {guard}\n#define {guard}\n\n#include <cstdint>\n\n"
    return Nodes(writer.nodes, head + "\n".join(writer.tables) + "\n#endif\n")


@dataclass
class _Writer:
    """Turns layers into nodes, and gathers the tables that they read."""

    graph: Graph
    nodes: list[Node] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def add(self, layer: Layer) -> None:
        """Write the node or nodes of a layer."""
        writers: dict[type[Layer], Callable[[Any], None]] = {
            Input: self._input, Conv: self._conv, Add: self._add, MaxPool: self._pool, Reorg: self._reorg,
            Concat: self._join, Output: self._join,
        }  # fmt: skip
        writers[type(layer)](layer)

    def _node(self, layer: Layer, kind: str, constants: dict[str, int], inputs: list[str], **rest: Any) -> None:
        shape, bits = _shape(self.graph.info[layer.name]), self.graph.act_bits
        sizes = {} if kind == "Join" else dict(zip(("out_height", "out_width", "filters"), shape, strict=True))
        types = {"act_t": bits, **rest.pop("types", {})}
        name = node_name(self.graph, layer.name)
        self.nodes.append(Node(name, kind, inputs, shape, bits, sizes | constants, types, **rest))

    def _inputs(self, layer: Layer) -> list[str]:
        return [node_name(self.graph, source) for source in layer.sources]

    def _input(self, layer: Input) -> None:
        name = node_name(self.graph, layer.name)
        shifted = np.tile(np.arange(-LEVELS // 2, LEVELS // 2) >> (8 - self.graph.act_bits), (layer.channels, 1))
        self._table("int8_t", f"{name}_table", (shifted if layer.table is None else layer.table).ravel())
        place = f"channel * {LEVELS} + value + {LEVELS // 2}"
        look_up = f"static int activation(unsigned channel, int value) {{ return {name}_table[{place}]; }}"
        window = _window(self.graph.info[layer.name], 1, 1, (0, 0))
        self._node(layer, "Image", window, [IMAGE], functions=[look_up])

    def _conv(self, layer: Conv) -> None:
        self._sums(layer, layer, self.graph.info[layer.input], self._inputs(layer), len(layer.weights))

    def _add(self, layer: Add) -> None:
        """The channels of both maps, and a convolution that adds each to its own."""
        source, name = self.graph.info[layer.inputs[0]], node_name(self.graph, layer.name)
        count, joined = source.channels, f"{name}_inputs"
        both = TensorInfo(2 * count, source.height, source.width, source.scale, 0)
        self.nodes.append(Node(joined, "Join", self._inputs(layer), _shape(both), self.graph.act_bits))
        one = np.eye(count, dtype=np.int8)
        weights = np.concatenate([one * np.int8(weight) for weight in layer.weights], 1)[:, :, np.newaxis, np.newaxis]
        conv = Conv(layer.name, joined, weights, 1, (0, 0, 0, 0), layer.requant, layer.scale)
        self._sums(layer, conv, both, [joined], count)

    def _sums(self, layer: Conv | Add, conv: Conv, source: TensorInfo, inputs: list[str], filters: int) -> None:
        bounds = accumulator_bounds(layer, filters, self.graph.act_bits)
        name, requant, table = node_name(self.graph, layer.name), conv.requant, terms(conv)
        functions = [
            self._looked_up("uint32_t", name, "term", "index", table),
            self._looked_up("int32_t", name, "multiplier", "filter", requant.multiplier),
            self._looked_up("int64_t", name, "bias", "filter", requant.bias),
        ]
        low, high = requant.clamp or (self.graph.act_min, self.graph.act_max)
        constants = {
            **_window(source, conv.weights.shape[2], conv.stride, conv.padding[:2]),
            "lanes": min(LANES, self.graph.info[layer.name].width), "terms": len(table), "pad": source.zero_point,
            "activation": int(ACTIVATIONS[requant.activation]), "shift": requant.shift,
            "half_even": int(requant.half_even), "low": low, "high": high,
        }  # fmt: skip
        self._node(layer, "Conv", constants, inputs, types=_widths(requant, bounds), functions=functions)

    def _pool(self, layer: MaxPool) -> None:
        window = _window(self.graph.info[layer.input], layer.kernel, layer.stride, layer.padding[:2])
        self._node(layer, "Pool", window | {"low": self.graph.act_min}, self._inputs(layer))

    def _reorg(self, layer: Reorg) -> None:
        self._node(layer, "Reorg", _window(self.graph.info[layer.input], 2, 2, (0, 0)), self._inputs(layer))

    def _join(self, layer: Concat | Output) -> None:
        self._node(layer, "Join", {}, self._inputs(layer))

    def _looked_up(self, kind: str, name: str, what: str, by: str, values: NDArray[Any]) -> str:
        """A member that looks up a table, which is written too."""
        self._table(kind, f"{name}_{what}", values)
        return f"static {kind} {what}(unsigned {by}) {{ return {name}_{what}[{by}]; }}"

    def _table(self, kind: str, name: str, values: NDArray[Any]) -> None:
        suffix = "LL" if kind == "int64_t" else ""
        texts = [f"{value}{suffix}" for value in values.tolist()]
        lines = [", ".join(texts[start : start + _PER_LINE]) for start in range(0, len(texts), _PER_LINE)]
        body = ",\n    ".join(lines)
        self.tables.append(f"static const {kind} {name}[{len(texts)}] = {{\n    {body},\n}};\n")


def _shape(info: TensorInfo) -> tuple[int, int, int]:
    return info.height, info.width, info.channels


def _window(source: TensorInfo, kernel: int, stride: int, padding: tuple[int, ...]) -> dict[str, int]:
    """What a layer reads of a map for a pixel, and the rows of a line buffer for it: a power of two."""
    sizes = dict(zip(("in_height", "in_width", "channels"), _shape(source), strict=True))
    kept = 1 << (kernel - 1).bit_length()
    return sizes | {"kernel": kernel, "stride": stride, "top": padding[0], "left": padding[1], "kept_rows": kept}


def _widths(requant: Requant, bounds: NDArray[np.int64]) -> dict[str, int]:
    """Bits of a sum, and of what requantisation makes of it; both hold every value on the way."""
    return {
        "sum_t": int(bounds.max()).bit_length() + 1,
        "wide_t": max(requant_bits(requant, bounds), MULTIPLIER_BITS + 1),
    }
