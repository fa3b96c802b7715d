"""The form `onnx`: ONNX's own operators alone, maps of int8, convolution in int32, requantisation in double precision.

Every step is exact. `t = s * M + B` of a graph has at most 51 bits (`Graph.requant_bits`), a double holds 53. Dividing
by powers of two, for the slope and the shift, changes none of them and adds three below the point; the activation then
is `floor(max(t, slope * t) / 2^shift + 1/2)`. To round down the slope's product first, as the reference does, changes
nothing, as an integer is added before the second rounding. To round ties to even is
`Round` of the same quotient.
"""

from __future__ import annotations

import numpy as np
import onnx
from typing_extensions import override

from sterna.exporters.onnx.writer import ModelWriter
from sterna.graph import Add, Conv, Input
from sterna.spec.activations import ACTIVATIONS

MOST_WEIGHT = 127
"""The largest unsigned weight. Processors without VNNI add products of two bytes and two more in 16 bits, which
onnxruntime lets saturate: 2 * 128 * 127 fits, twice as much does not. Its kernels for signed weights do not saturate,
but are several times slower."""


class PlainWriter(ModelWriter):
    """Writes graphs for any runtime of ONNX."""

    container = np.int8
    batch = "N"

    @override
    def shift(self, layer: Input, places: int) -> str:
        name = layer.name
        self.node("Cast", [name], f"{name}:float", to=onnx.TensorProto.FLOAT)
        self.node("Mul", [f"{name}:float", self.constant(f"{name}:step", np.float32(2.0**-places))], f"{name}:scaled")
        self.node("Floor", [f"{name}:scaled"], f"{name}:floor")
        return self.node("Cast", [f"{name}:floor"], f"{name}:map", to=onnx.TensorProto.INT8)

    @override
    def convolve(self, layer: Conv, source: str, padding: list[int]) -> str:
        weights, inputs = layer.weights, [source, f"{layer.name}:weights"]
        zero = max(0, -int(weights.min()))
        if int(weights.max()) + zero <= MOST_WEIGHT:
            weights = (weights.astype(np.int16) + zero).astype(np.uint8)
            inputs += ["", self.constant(f"{layer.name}:weight_zero", np.uint8(zero))]
        self.constant(f"{layer.name}:weights", weights)
        return self.node(
            "ConvInteger", inputs, f"{layer.name}:sums", kernel_shape=list(weights.shape[2:]), pads=padding,
            strides=[layer.stride] * 2, group=layer.groups,
        )  # fmt: skip

    @override
    def add(self, layer: Add, first: str, second: str) -> str:
        wide = [
            self.node("Cast", [tensor], f"{layer.name}:{part}", to=onnx.TensorProto.INT32)
            for part, tensor in (("first", first), ("second", second))
        ]
        return self.node("Add", self.weighted(layer, wide, np.int32), f"{layer.name}:sums")

    @override
    def requantise(self, layer: Conv | Add, sums: str) -> str:
        name, requant = layer.name, layer.requant
        unit, slope = 2.0**-requant.shift, ACTIVATIONS[requant.activation].slope
        multiplier = self.constant(f"{name}:multiplier", unit * requant.multiplier[:, np.newaxis, np.newaxis])
        bias = self.constant(f"{name}:bias", unit * requant.bias[:, np.newaxis, np.newaxis])
        self.node("Cast", [sums], f"{name}:double", to=onnx.TensorProto.DOUBLE)
        self.node("Mul", [f"{name}:double", multiplier], f"{name}:product")
        t = self.node("Add", [f"{name}:product", bias], f"{name}:t")
        if slope != 1:
            self.node("Mul", [t, self.constant(f"{name}:slope", np.float64(slope))], f"{name}:sloped")
            t = self.node("Max", [t, f"{name}:sloped"], f"{name}:active")
        if requant.half_even and requant.shift:
            self.node("Round", [t], f"{name}:rounded")
        else:
            self.node("Add", [t, self.constant(f"{name}:half", np.float64(unit * requant.half))], f"{name}:up")
            self.node("Floor", [f"{name}:up"], f"{name}:rounded")
        low, high = requant.limits(self.graph.act_min, self.graph.act_max)
        least, most = self.constant(f"{name}:least", np.float64(low)), self.constant(f"{name}:most", np.float64(high))
        self.node("Clip", [f"{name}:rounded", least, most], f"{name}:clipped")
        return self.node("Cast", [f"{name}:clipped"], name, to=onnx.TensorProto.INT8)
