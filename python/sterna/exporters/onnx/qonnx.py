"""The form `qonnx`: convolutions of integers in float tensors, and requantisation as thresholds, for QONNX and FINN.

Floats hold the integers up to 2^24 exactly, so the order in which a convolution adds does not matter. Each tensor is
annotated with the integer type that holds its values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from typing_extensions import override

from sterna.errors import SternaError
from sterna.exporters.onnx.writer import ModelWriter, Progress
from sterna.graph import Add, Conv, Graph, Input
from sterna.graph.thresholds import thresholds

DOMAIN = "qonnx.custom_op.general"
EXACT = 1 << 24
"""The largest integer up to which a float holds all of them."""


class QonnxWriter(ModelWriter):
    """Writes graphs as QONNX, one image at a time."""

    container = np.float32
    batch = 1

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        #: Names of QONNX's types, by that of a constant.
        self._types: dict[str, str] = {}

    @override
    def shift(self, layer: Input, places: int) -> str:
        levels = np.arange(self.graph.act_min + 1, self.graph.act_max + 1)
        return self._count(layer.name, f"{layer.name}:map", levels[np.newaxis] << places, self.graph.act_min)

    @override
    def convolve(self, layer: Conv, source: str, padding: list[int]) -> str:
        weights = self._integers(f"{layer.name}:weights", layer.weights)
        sums = self.node(
            "Conv", [source, weights], f"{layer.name}:sums", kernel_shape=list(layer.weights.shape[2:]), pads=padding,
            strides=[layer.stride] * 2, group=layer.groups,
        )  # fmt: skip
        return self._accumulators(layer, sums)

    @override
    def add(self, layer: Add, first: str, second: str) -> str:
        terms = self.weighted(layer, [first, second], np.float32)
        return self._accumulators(layer, self.node("Add", terms, f"{layer.name}:sums"))

    @override
    def requantise(self, layer: Conv | Add, sums: str) -> str:
        bounds = self.graph.bounds[layer.name]
        rows = thresholds(layer.requant, bounds, self.graph.act_min, self.graph.act_max)
        return self._count(sums, layer.name, rows, layer.requant.limits(self.graph.act_min, self.graph.act_max)[0])

    def _accumulators(self, layer: Conv | Add, sums: str) -> str:
        """Declare `sums`, which have to be exact as well as the thresholds that are above them."""
        bounds = self.graph.bounds[layer.name]
        largest = int(bounds.argmax())
        if bounds[largest] >= EXACT:
            raise SternaError(
                "the accumulator does not fit the floats of QONNX", where=f"layer '{layer.name}', filter {largest}",
                attribute="largest magnitude", value=bounds[largest], allowed=f"0 .. {EXACT - 1}",
                remedy="use --form onnx, or make the filter sparser or its weights smaller",
            )  # fmt: skip
        self.declare(sums, self.graph.info[layer.name].shape, int(bounds[largest]).bit_length() + 1)
        return sums

    def _count(self, source: str, output: str, rows: NDArray[np.int64], least: int) -> str:
        """Add what counts the thresholds, [F, N] or [1, N], that a value has reached, from the activation `least`."""
        table = self._integers(f"{output}:thresholds", rows)
        return self.node(
            "MultiThreshold", [source, table], output, domain=DOMAIN, out_dtype=f"INT{self.graph.act_bits}",
            out_bias=float(least), data_layout="NCHW",
        )  # fmt: skip

    @override
    def opsets(self) -> list[onnx.OperatorSetIdProto]:
        return [helper.make_opsetid(DOMAIN, 1)]

    @override
    def write(self, results: Sequence[str] = (), progress: Progress | None = None) -> ModelProto:
        annotated = ModelWrapper(super().write(results, progress))
        types = {name: f"INT{declared.bits}" for name, declared in self.declared.items()} | self._types
        for name, kind in types.items():
            annotated.set_tensor_datatype(name, DataType[kind])
        return annotated.model

    def _integers(self, name: str, values: NDArray[np.integer]) -> str:
        """Add a constant of integers, annotated with the smallest type that holds them."""
        low, high = int(values.min()), int(values.max())
        bits = max(high, -low - 1, 0).bit_length() + 1
        self._types[name] = "TERNARY" if low >= -1 and high <= 1 else f"INT{bits}"
        return self.constant(name, values.astype(np.float32))
