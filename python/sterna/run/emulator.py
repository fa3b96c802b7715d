"""Executes integer graphs with libsterna, exactly as the reference does."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant, reference
from sterna.graph.layers import LEVELS
from sterna.native import libsterna as _native

SIMD = tuple(simd.name.lower() for simd in _native.available_simd())
"""The instruction sets that this processor has, from the slowest to the fastest; `scalar` uses none."""


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


class Emulator:
    """Runs `graph` on the CPU: the same maps as `sterna.graph.reference`, bit for bit.

    layers: names of those whose maps `run` gives; None: all. What leads to none of them is not computed. threads: 1 or
    more; None: one per core. simd: an instruction set of `SIMD`; None: the fastest. Neither changes a bit.
    Raises SternaError for what this processor or the graph does not have.
    """

    def __init__(
        self,
        graph: Graph,
        layers: Sequence[str] | None = None,
        *,
        threads: int | None = None,
        simd: str | None = None,
    ) -> None:
        self.simd, self.threads = simd or SIMD[-1], cores() if threads is None else threads
        if self.simd not in SIMD:
            raise SternaError(
                "this processor lacks the instruction set", where="emulator", attribute="simd", value=simd,
                allowed=", ".join(SIMD), remedy="choose one of these, or none for the fastest",
            )  # fmt: skip
        self._layers = tuple(graph.info if layers is None else layers)
        used = _native.Simd[self.simd.upper()]
        #: libsterna's own.
        self.native = _native.Emulator(native_graph(graph), self._layers, self.threads, used)

    def run(self, images: NDArray[np.int8]) -> dict[str, NDArray[np.int8]]:
        """By layer name the maps int8 [N, F, H, W] of images int8 [N, C, H, W] (rgb - 128).

        Calls from several threads wait for each other. Raises SternaError if the images do not fit the graph's Input.
        """
        return dict(zip(self._layers, self.native.run(np.ascontiguousarray(images)), strict=True))


def executor(
    graph: Graph, layers: Sequence[str] | None = None
) -> Callable[[NDArray[np.int8]], dict[str, NDArray[np.int8]]]:
    """What makes of images the maps of `layers` of `graph`, as `Emulator.run` does.

    It is the reference where the graph has a kind of layer or an activation that the library does not know, such as one
    that is being tried out.
    """
    if is_known(graph):
        return Emulator(graph, layers).run
    return lambda images: reference.execute(graph, images)


def is_known(graph: Graph) -> bool:
    """Whether the library has all that `graph` is made of."""
    activations = {layer.requant.activation for layer in graph.layers if isinstance(layer, Conv | Add)}
    return all(type(layer) in _OPERATIONS for layer in graph.layers) and activations <= _ACTIVATIONS.keys()


def native_graph(graph: Graph) -> _native.Graph:
    """`graph` as libsterna holds it. Raises SternaError for a kind of layer or an activation that it does not know."""
    if not is_known(graph):
        raise SternaError(
            "the graph has a kind of layer or an activation that the library does not know", where="emulator",
            allowed=f"{', '.join(kind.__name__.lower() for kind in _OPERATIONS)}; {', '.join(_ACTIVATIONS)}",
            remedy="use the backend reference:",
        )  # fmt: skip
    layers = [(layer.name, (layer.sources, _OPERATIONS[type(layer)](layer))) for layer in graph.layers]
    return _native.Graph(layers, graph.act_bits, graph.acc_bits)


def _requant(requant: Requant) -> _native.Requant:
    activation = _ACTIVATIONS[requant.activation]
    return _native.Requant(
        requant.multiplier, requant.bias, requant.shift, activation, requant.clamp, requant.half_even
    )  # fmt: skip


def native_input(layer: Input) -> _native.Input:
    """`layer` as libsterna holds it."""
    table = np.zeros((0, LEVELS), np.int8) if layer.table is None else layer.table
    return _native.Input(layer.channels, layer.height, layer.width, layer.scale, layer.zero_point, table)


def _conv(layer: Conv) -> _native.Conv:
    requant = _requant(layer.requant)
    return _native.Conv(
        layer.weights, layer.stride, layer.padding, requant, layer.scale, layer.zero_point, layer.groups
    )  # fmt: skip


_ACTIVATIONS = {each.name.lower(): each for each in _native.Activation}
_OPERATIONS: dict[type[Layer], Callable[[Any], _native.Operation]] = {
    Input: native_input,
    Conv: _conv,
    MaxPool: lambda layer: _native.MaxPool(layer.stride, layer.kernel, layer.padding),
    Reorg: lambda layer: _native.Reorg(),
    Concat: lambda layer: _native.Concat(),
    Add: lambda layer: _native.Add(_requant(layer.requant), layer.scale, layer.zero_point, layer.weights),
    Output: lambda layer: _native.Output(),
}
