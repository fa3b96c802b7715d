"""The integer graph: THE specification of a model, checked when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph.checks import (
    check_activations,
    check_integer,
    check_layer,
    check_metadata,
    check_reached,
    check_sources,
)
from sterna.graph.infer import TensorInfo, accumulator_bounds, check_accumulators, infer, requant_bits
from sterna.graph.layers import Add, Conv, Input, Layer, Output

ACT_BITS = (4, 8)
ACC_BITS = (12, 32)


@checked
@dataclass(frozen=True)
class Graph:
    """A validated model in integers: one Input, computing layers in topological order, at least one Output.

    Raises SternaError for everything that would make the result depend on what computes it: dangling names,
    shapes that do not meet, numbers out of range, accumulators that could overflow. An accepted graph runs
    exactly, on every image.

    >>> graph = sterna.load("demo-nano")
    >>> graph["conv2"].weights.shape, graph["conv2"].weights.dtype
    ((24, 12, 3, 3), dtype('int8'))
    """

    layers: tuple[Layer, ...]
    act_bits: int = 8
    """Width of an activation, 4 .. 8; activations are signed."""
    acc_bits: int = 20
    """Width of an accumulator, 12 .. 32."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """JSON values that travel with the model; the arithmetic does not read them."""

    info: Mapping[str, TensorInfo] = field(init=False, repr=False, compare=False)
    """By layer name: the tensor it produces."""
    bounds: Mapping[str, NDArray[np.int64]] = field(init=False, repr=False, compare=False)
    """By name of a Conv or Add: [filters], the magnitude that no accumulator exceeds on any image."""
    requant_bits: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """By name of a Conv or Add: signed bits that hold every `t = s * M + B` and its rounding.

    The ranges of acc_bits, M, B and shift keep it at 51 or less, so a `t` of 63 bits holds any legal layer.
    """

    def __post_init__(self) -> None:
        check_integer("graph", "act_bits", self.act_bits, *ACT_BITS, "quantise activations to 4 .. 8 bits")
        check_integer("graph", "acc_bits", self.acc_bits, *ACC_BITS, "use the engine's accumulator width")
        self._set("metadata", check_metadata(self.metadata))
        self._set("layers", tuple(self.layers))
        self._infer()
        self._check_ends()

    def _set(self, attribute: str, value: object) -> None:
        object.__setattr__(self, attribute, value)

    def _infer(self) -> None:
        info: dict[str, TensorInfo] = {}
        bounds: dict[str, NDArray[np.int64]] = {}
        bits: dict[str, int] = {}
        readable: list[str] = []
        for layer in self.layers:
            check_layer(layer)
            check_sources(layer, info, readable)
            info[layer.name] = infer(layer, [info[name] for name in layer.sources])
            if not isinstance(layer, Output):
                readable.append(layer.name)
            if isinstance(layer, Input | Conv | Add):
                check_activations(layer, self.act_min, self.act_max)
            if isinstance(layer, Conv | Add):
                bound = accumulator_bounds(layer, info[layer.name].channels, self.act_bits)
                check_accumulators(layer, bound, self.acc_bits)
                bound.setflags(write=False)
                bounds[layer.name], bits[layer.name] = bound, requant_bits(layer.requant, bound)
        self._set("info", MappingProxyType(info))
        self._set("bounds", MappingProxyType(bounds))
        self._set("requant_bits", MappingProxyType(bits))

    def _check_ends(self) -> None:
        inputs = sum(isinstance(layer, Input) for layer in self.layers)
        if inputs != 1 or not self.outputs:
            raise SternaError(
                "needs exactly one Input and at least one Output", where="graph", attribute="Input, Output layers",
                value=f"{inputs}, {len(self.outputs)}", allowed="one Input, one or more Outputs",
                remedy="add or remove Input and Output layers",
            )  # fmt: skip
        check_reached(self.layers, Output)

    @property
    def act_min(self) -> int:
        """Smallest activation, `-2^(act_bits-1)`."""
        return -(1 << (self.act_bits - 1))

    @property
    def act_max(self) -> int:
        """Largest activation, `2^(act_bits-1) - 1`."""
        return (1 << (self.act_bits - 1)) - 1

    @property
    def input(self) -> Input:
        """The layer that takes the image."""
        return next(layer for layer in self.layers if isinstance(layer, Input))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The layers that mark results, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, Output))

    @checked
    def __getitem__(self, name: str) -> Layer:
        """The layer called `name`; KeyError if there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @checked
    def users(self, name: str) -> tuple[Layer, ...]:
        """The layers that read the tensor of layer `name`, in order."""
        return tuple(layer for layer in self.layers if name in layer.sources)
