"""An ONNX file as nodes and constants, and the computation of what depends on constants alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sterna import recognise
from sterna.errors import SternaError
from sterna.importers.onnx.elementwise import ROUNDING, Quantiser

Made = TypeVar("Made")
"""What a reader makes of a node."""

QUANTISERS = ("Quant", "IntQuant", "BipolarQuant")
"""The operators of QONNX whose results are integers times a scale."""
_QONNX = ("onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general")
#: Operators that move the elements of a constant and change none.
_MOVES = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Slice", "Gather")
_MOST_WEIGHT = 128
_DIFFERS = 1e-6
"""Of a weight and the multiple of a scale that it stands for, relative to the scale; a float is as exact as that."""


@dataclass(frozen=True, eq=False)
class Node:
    """One node: `operator` is the operator's name, with its domain before it unless that is ONNX's or QONNX's."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    stored: onnx.NodeProto

    @classmethod
    def of(cls, stored: onnx.NodeProto) -> Node:
        """What a file says of a node."""
        foreign = stored.domain not in ("", "ai.onnx", *_QONNX)
        operator = f"{stored.domain}.{stored.op_type}" if foreign else stored.op_type
        attributes = {each.name: helper.get_attribute_value(each) for each in stored.attribute}
        name = stored.name or stored.output[0]
        return cls(name, operator, tuple(stored.input), tuple(stored.output), attributes, stored)

    def text(self, attribute: str, usual: str) -> str:
        """An attribute that is a string."""
        value = self.attributes.get(attribute, usual)
        return value.decode() if isinstance(value, bytes) else str(value)

    @property
    def place(self) -> str:
        """The node in messages."""
        return f"node '{self.name}' ({self.operator})"

    def fault(self, what: str, **parts: Any) -> SternaError:
        """What `refuse` raises."""
        return SternaError(what, where=self.place, **parts)

    def refuse(self, what: str, **parts: Any) -> NoReturn:
        """Raise SternaError for this node."""
        raise self.fault(what, **parts)

    def read_by(self, read: Callable[[], Made]) -> Made:
        """What `read` makes of this node; refuses the node if it lacks what its operator needs."""
        try:
            return read()
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            self.refuse(f"is not whole ({error})", remedy="export the model again")


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant tensor. integers, scale: of its shape, if a quantiser made it: its values are their products."""

    values: NDArray[Any]
    integers: NDArray[np.int64] | None = None
    scale: NDArray[np.float64] | None = None

    def transposed(self) -> Constant:
        """That of a matrix."""
        if self.integers is None or self.scale is None:
            return Constant(self.values.T)
        return Constant(self.values.T, self.integers.T, self.scale.T)

    def weights(self, node: Node, filters: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Integers of this shape and the scale of each of `filters`, the first axis; refuses what has none."""
        if self.integers is not None and self.scale is not None:
            integers, scales = self.integers, self.scale.reshape(filters, -1)
            if (scales != scales[:, :1]).any():
                node.refuse("has weights with several scales in one filter", remedy="quantise by tensor or by filter")
            return integers, scales[:, 0]
        rows = self.values.reshape(filters, -1).astype(np.float64)
        if not (np.abs(rows) < 1 << 31).all():  # NaN is not
            node.refuse("has weights that are far too large, or no numbers", remedy="export the model again")
        if (rows == np.rint(rows)).all():
            return rows.astype(np.int64).reshape(self.values.shape), np.ones(filters)
        scales = np.array([_scale_of(row) for row in rows])
        if np.isnan(scales).any():
            node.refuse(
                "has weights that are no integers times a scale", attribute="filter",
                value=int(np.flatnonzero(np.isnan(scales))[0]),
                remedy="quantise the weights to 8 bits or less, with a Quant node behind them",
            )  # fmt: skip
        return np.rint(rows / scales[:, np.newaxis]).astype(np.int64).reshape(self.values.shape), scales


def _scale_of(row: NDArray[np.float64]) -> float:
    """The scale whose multiples by integers of 8 bits `row` holds; NaN if there is none."""
    largest = np.abs(row).max()
    if not largest:
        return 1.0
    for steps in range(1, _MOST_WEIGHT + 1):
        multiples = row * (steps / largest)
        if np.abs(multiples - np.rint(multiples)).max() <= _DIFFERS * steps:
            return float(largest / steps)
    return np.nan


@dataclass(frozen=True, eq=False)
class Source:
    """The model's input: its name, shape without the batch, type, and the QONNX type that annotates it, if any."""

    name: str
    shape: tuple[int, ...]
    kind: np.dtype[Any]
    annotation: str


@dataclass(frozen=True, eq=False)
class Model:
    """What is read of a file. properties: texts by key, of which Sterna's own models carry one."""

    nodes: tuple[Node, ...]
    constants: dict[str, Constant]
    source: Source
    outputs: tuple[str, ...]
    versions: dict[str, int]
    properties: dict[str, str]

    def wanted(self, names: Iterable[str]) -> list[Node]:
        """The nodes that one of the tensors `names` depends on, in order."""
        wanted, nodes = set(names), []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                wanted.update(node.inputs)
                nodes.append(node)
        return nodes[::-1]

    def computed(self, node: Node, tensors: Mapping[str, object]) -> list[Constant] | None:
        """What a node makes if all of `tensors` that it reads are constants, else None; refuses one that is missing."""
        inputs = [tensors.get(name) for name in node.inputs]
        missing = [name for name, tensor in zip(node.inputs, inputs, strict=True) if name and tensor is None]
        if missing:
            node.refuse("reads a tensor that no earlier node makes", value=missing[0], remedy="export the model again")
        constants = [each if isinstance(each, Constant) else None for each in inputs]
        if any(each is None for each, name in zip(constants, node.inputs, strict=True) if name):
            return None
        return computed(node, constants, self.versions)


_SHAPE = "say them: --shape CHANNELS,HEIGHT,WIDTH"


def load(path: Path, shape: Sequence[int] | None, unshaped: str = _SHAPE) -> Model:
    """The model in a file; `shape`: of its input, without the batch, for a file that leaves it open.

    unshaped: the remedy for such a file without it.

    Raises SternaError for a file that is no ONNX model, misses data kept in other files, or has not one input.
    """
    found = recognise.kind_of(path)
    if found not in (None, recognise.ONNX):
        raise SternaError(f"is {found}, not an ONNX model", where=str(path), remedy="name a file FILE.onnx")
    try:
        stored = onnx.load(path)
    except FileNotFoundError as error:
        missing = path if not path.exists() else Path(error.filename or "").name or error
        remedy = (
            "correct the name" if missing is path else "put it beside the model, as the program that wrote both did"
        )
        raise SternaError("is missing", where=str(missing), remedy=remedy) from error
    except Exception as error:  # protobuf's and onnx' errors have no class in common
        raise SternaError(
            f"is not an ONNX model that can be read ({error})", where=str(path), remedy="export or download it again"
        ) from error
    if not stored.graph.node:
        raise SternaError("is not an ONNX model: it has no nodes", where=str(path), remedy="export it again")
    constants = {each.name: Constant(numpy_helper.to_array(each)) for each in stored.graph.initializer}
    inputs = [each for each in stored.graph.input if each.name not in constants]
    if len(inputs) != 1:
        raise SternaError(
            "has not exactly one input", where=str(path), attribute="inputs",
            value=", ".join(each.name for each in inputs) or "none", allowed="one, the image",
            remedy="export the model with one input",
        )  # fmt: skip
    annotated = {
        each.tensor_name: pair.value
        for each in stored.graph.quantization_annotation
        for pair in each.quant_parameter_tensor_names
    }
    return Model(
        tuple(Node.of(node) for node in stored.graph.node),
        constants,
        _source(inputs[0], shape, annotated.get(inputs[0].name, ""), unshaped),
        tuple(each.name for each in stored.graph.output),
        {each.domain: each.version for each in stored.opset_import},
        {each.key: each.value for each in stored.metadata_props},
    )


def _source(stored: onnx.ValueInfoProto, shape: Sequence[int] | None, annotation: str, remedy: str) -> Source:
    tensor = stored.type.tensor_type
    dims = [dim.dim_value for dim in tensor.shape.dim][1:]
    if shape is None and (not dims or not all(dims)):
        names = [dim.dim_param or str(dim.dim_value or "?") for dim in tensor.shape.dim]
        raise SternaError(
            "has a shape that is left open", where=f"input '{stored.name}'", attribute="shape", value=", ".join(names),
            allowed="a batch, then fixed numbers", remedy=remedy,
        )  # fmt: skip
    fits = shape is None or (len(shape) == len(dims) and all(a in (0, b) for a, b in zip(dims, shape, strict=True)))
    if not fits:
        raise SternaError(
            "has another shape", where=f"input '{stored.name}'", attribute="shape",
            value=",".join(map(str, shape or ())), allowed=",".join(str(dim or "any") for dim in dims),
            remedy="give its own shape, without the batch",
        )  # fmt: skip
    kind = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    return Source(stored.name, tuple(dims if shape is None else shape), kind, annotation)


def computed(node: Node, inputs: Sequence[Constant | None], versions: dict[str, int]) -> list[Constant]:
    """What a node makes of constants."""
    if node.operator in QUANTISERS:
        return [_quantised(node, inputs)]
    if node.operator == "Constant":
        return [Constant(_value(node))]
    values = _evaluate(node, [None if each is None else each.values for each in inputs], versions)
    first = inputs[0] if inputs else None
    if first is None or first.integers is None or first.scale is None or node.operator not in _MOVES:
        return [Constant(np.asarray(each)) for each in values]
    rest = [None if each is None else each.values for each in inputs[1:]]
    integers = _evaluate(node, [first.integers, *rest], versions)[0]
    return [Constant(values[0], integers, _evaluate(node, [first.scale, *rest], versions)[0])]


def _value(node: Node) -> NDArray[Any]:
    value = next(iter(node.attributes.values()))
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def _evaluate(node: Node, inputs: Sequence[NDArray[Any] | None], versions: dict[str, int]) -> list[NDArray[Any]]:
    given = {name: value for name, value in zip(node.inputs, inputs, strict=True) if name and value is not None}
    typed = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in given.items()
    ]
    results = [onnx.ValueInfoProto(name=name) for name in node.outputs]
    graph = helper.make_graph([node.stored], "constants", typed, results)
    opsets = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
    try:
        found = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets)).run(None, given)
    except Exception as error:  # its errors have no class in common
        node.refuse(f"cannot be computed of constants ({error})", remedy="simplify the model before it is imported")
    return [np.asarray(each) for each in found]


def _quantised(node: Node, inputs: Sequence[Constant | None]) -> Constant:
    assert inputs[0] is not None
    values = inputs[0].values
    made = quantiser(node, inputs)
    exact = made.integers(values) - made.zero
    scale = np.broadcast_to(np.asarray(made.scale, np.float64), values.shape)
    return Constant(made(values), np.rint(exact).astype(np.int64), scale)


def quantiser(node: Node, inputs: Sequence[Constant | None]) -> Quantiser:
    """The `Quantiser` of a node, whose `inputs` but the first have to be constants."""
    if any(each is None for each in inputs[1:]):
        node.refuse("has a scale, zero point or width that is computed", remedy="export the model for inference")
    scale, *rest = (each.values for each in inputs[1:] if each is not None)
    if (np.asarray(scale) <= 0).any():
        node.refuse("has a scale that is not above 0", remedy="train or calibrate it again")
    if node.operator == "BipolarQuant":
        return Quantiser(scale, np.zeros((), scale.dtype), 1, True, False, "ROUND")
    zero, bits = rest
    rounding = node.text("rounding_mode", "ROUND").upper()
    if rounding not in ROUNDING:
        node.refuse("has an unknown rounding", attribute="rounding_mode", value=rounding, allowed=", ".join(ROUNDING))
    if bits.size != 1 or (zero != np.rint(zero)).any():
        node.refuse("has a width by channel, or a zero point that is no integer", remedy="quantise by tensor")
    return Quantiser(
        scale, zero, float(bits.ravel()[0]), bool(node.attributes.get("signed", 1)),
        bool(node.attributes.get("narrow", 1)), rounding,
    )  # fmt: skip
