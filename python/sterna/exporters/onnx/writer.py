"""What the forms of ONNX models have in common: how layers become nodes, names, constants and the model itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

import sterna
from sterna.errors import SternaError
from sterna.graph import KINDS, Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg
from sterna.graph.layers import LEVELS
from sterna.graph.onnx_property import KEY, Property

OPSET = 18
"""Version of ONNX's own operators; the first with Pad and Clip as they are used here is 13."""
IR_VERSION = 8
"""The one that belongs to it."""
MOST_BYTES = (1 << 31) - 1
"""Of a model: protobuf, in which it is written, has no more."""
_ROOM = 1 << 20
"""Bytes that nodes and names are given of a model."""

#: Called with the layers that are done, of how many, and the name of the next one.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Declared:
    """What a model states of a tensor: its shape, without the batch, its type, and the signed bits of its integers."""

    shape: tuple[int, ...]
    kind: type[np.generic]
    bits: int


class ModelWriter(ABC):
    """Writes one graph as an ONNX model, in the form that a class derived from it defines.

    A layer's map is the tensor of its name; other tensors are called LAYER:PART, as no layer can be.
    """

    container: ClassVar[type[np.generic]]
    """The type of images and maps."""
    batch: ClassVar[int | str]
    """The first dimension of images and maps; a name stands for any number."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}
        #: What is stated of tensors, by name.
        self.declared: dict[str, Declared] = {}
        self._maps: dict[str, str] = {}
        #: By layer, the model's output with its map.
        self.outputs: dict[str, str] = {}

    def write(self, results: Sequence[str] = (), progress: Progress | None = None) -> ModelProto:
        """The model: its input is the image (rgb - 128), its outputs are the graph's and the maps of `results`.

        Called once. Raises SternaError for a layer that the form does not have, and for a model that is too large.
        """
        for number, layer in enumerate(self.graph.layers):
            if progress:
                progress(number, len(self.graph.layers), layer.name)
            self._maps[layer.name] = self._write(layer)
        for name in dict.fromkeys([*(output.name for output in self.graph.outputs), *results]):
            self.outputs[name] = self._output(name)
        return self._model()

    def _write(self, layer: Layer) -> str:
        """Add the nodes of `layer`; the tensor that is its map."""
        match layer:
            case Input():
                tensor = self._input(layer)
            case Conv():
                tensor = self.requantise(layer, self.convolve(layer, *self._padded(layer)))
            case Add():
                tensor = self.requantise(layer, self.add(layer, *(self._maps[name] for name in layer.inputs)))
            case MaxPool():
                tensor = self.node(
                    "MaxPool", [self._maps[layer.input]], layer.name,
                    kernel_shape=[layer.kernel] * 2, strides=[layer.stride] * 2, pads=list(layer.padding),
                )  # fmt: skip
            case Reorg():
                tensor = self.node("SpaceToDepth", [self._maps[layer.input]], layer.name, blocksize=2)
            case Concat():
                tensor = self.node("Concat", [self._maps[name] for name in layer.inputs], layer.name, axis=1)
            case Output():
                # A node of its own, as what it marks may be the model's input or another output.
                tensor = self.node("Identity", [self._maps[layer.input]], layer.name)
            case _:
                raise SternaError(
                    "has no form in ONNX", where=f"layer '{layer.name}'", attribute="kind", value=type(layer).__name__,
                    allowed=", ".join(KINDS), remedy="make the graph of layers of these kinds",
                )  # fmt: skip
        self.declare(tensor, self.graph.info[layer.name].shape, self.graph.act_bits)
        return tensor

    def _input(self, layer: Input) -> str:
        shape = self.graph.info[layer.name].shape
        self.declare(layer.name, shape, 8)
        if layer.table is not None:
            return self._look_up(layer, layer.table)
        dropped = 8 - self.graph.act_bits
        return self.shift(layer, dropped) if dropped else layer.name

    def _look_up(self, layer: Input, table: NDArray[np.int8]) -> str:
        """The table of channel `c` begins at entry `256 * c` of one table, with the entry of the value -128."""
        name = layer.name
        first = LEVELS * np.arange(layer.channels)[:, np.newaxis, np.newaxis] - np.iinfo(np.int8).min
        self.node("Cast", [name], f"{name}:wide", to=onnx.TensorProto.INT64)
        self.node("Add", [f"{name}:wide", self.constant(f"{name}:first", first.astype(np.int64))], f"{name}:entry")
        for part, bits in (("wide", 8), ("entry", table.size.bit_length() + 1)):
            self.declare(f"{name}:{part}", self.graph.info[name].shape, bits, np.int64)
        tables = self.constant(f"{name}:tables", table.ravel().astype(self.container))
        return self.node("Gather", [tables, f"{name}:entry"], f"{name}:map", axis=0)

    def _padded(self, layer: Conv) -> tuple[str, list[int]]:
        """What `layer` reads, and the zeros that are still to be put around it: top, left, bottom, right."""
        source, zero = self._maps[layer.input], self.graph.info[layer.input].zero_point
        if not zero or not any(layer.padding):
            return source, list(layer.padding)
        top, left, bottom, right = layer.padding
        channels, height, width = self.graph.info[layer.input].shape
        around = self.constant(f"{layer.name}:around", np.array([0, 0, top, left, 0, 0, bottom, right]))
        padded = self.node("Pad", [source, around, self.constant(f"{layer.name}:zero", self.container(zero))],
                           f"{layer.name}:padded")  # fmt: skip
        self.declare(padded, (channels, height + top + bottom, width + left + right), self.graph.act_bits)
        return padded, [0] * 4

    def weighted(self, layer: Add, tensors: list[str], kind: type[np.generic]) -> list[str]:
        """Add the products of `tensors`, which are of `kind`, with the weights of `layer`; a weight of 1 needs none."""
        made = []
        for part, tensor, weight in zip(("first", "second"), tensors, layer.weights, strict=True):
            if weight != 1:
                constant = self.constant(f"{layer.name}:{part}_weight", kind(weight))
                tensor = self.node("Mul", [tensor, constant], f"{layer.name}:{part}_product")
                self.declare(tensor, self.graph.info[layer.name].shape, self.graph.act_bits + 8, kind)
            made.append(tensor)
        return made

    @abstractmethod
    def shift(self, layer: Input, places: int) -> str:
        """Add what shifts the image right; the tensor."""

    @abstractmethod
    def convolve(self, layer: Conv, source: str, padding: list[int]) -> str:
        """Add the convolution of the tensor `source`, with zeros around it; the tensor of accumulators."""

    @abstractmethod
    def add(self, layer: Add, first: str, second: str) -> str:
        """Add the sum of two tensors; the tensor of accumulators."""

    @abstractmethod
    def requantise(self, layer: Conv | Add, sums: str) -> str:
        """Add the requantisation of the accumulators `sums`; the tensor of activations, of the layer's name."""

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node; the name of its `output`."""
        self._nodes.append(helper.make_node(kind, inputs, [output], name=f"{output}:{kind}", **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        """Add a constant, an array or a scalar; its `name`. Raises SternaError if the model becomes too large."""
        self._constants[name] = np.asarray(value)
        taken = sum(each.nbytes for each in self._constants.values())
        if taken > MOST_BYTES - _ROOM:
            raise SternaError(
                "the model becomes too large for one file", where=f"layer '{name.partition(':')[0]}'",
                attribute="bytes so far", value=taken, allowed=f"at most {MOST_BYTES - _ROOM}",
                remedy="use --form onnx, which takes a byte per weight, or a network with fewer weights",
            )  # fmt: skip
        return name

    def declare(self, tensor: str, shape: tuple[int, ...], bits: int, kind: type[np.generic] | None = None) -> None:
        """State what is known of a tensor, as `Declared`; its type is `container` unless `kind` is given."""
        self.declared[tensor] = Declared(shape, kind or self.container, bits)

    def _output(self, layer: str) -> str:
        tensor = self._maps[layer]
        if tensor != self.graph.input.name:
            return tensor
        self.node("Identity", [tensor], f"{layer}:map")  # the model's input cannot be an output too
        self.declared[f"{layer}:map"] = self.declared[tensor]
        return f"{layer}:map"

    def _model(self) -> ModelProto:
        values = {name: self._value(name, declared) for name, declared in self.declared.items()}
        ends = [self.graph.input.name, *self.outputs.values()]
        made = helper.make_graph(
            self._nodes,
            "sterna",
            [values[ends[0]]],
            [values[name] for name in ends[1:]],
            [numpy_helper.from_array(value, name) for name, value in self._constants.items()],
            value_info=[value for name, value in values.items() if name not in ends],
        )
        opsets = [helper.make_opsetid("", OPSET), *self.opsets()]
        model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
        model.producer_name, model.producer_version = "sterna", sterna.__version__
        helper.set_model_props(model, {KEY: Property.of(self.graph).text()})
        return model

    def _value(self, name: str, declared: Declared) -> onnx.ValueInfoProto:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(declared.kind))
        return helper.make_tensor_value_info(name, kind, [self.batch, *declared.shape])

    def opsets(self) -> list[onnx.OperatorSetIdProto]:
        """Those of operators that are not ONNX's own."""
        return []
