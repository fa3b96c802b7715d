"""Small ONNX and QONNX models, node by node, and the judge of what is imported of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from sterna.graph import Graph, reference
from sterna.importers.onnx.files import ImportedGraph, Wanted, read

QONNX = "qonnx.custom_op.general"
_TIE = 0.501
"""Steps between a real value and its activation: sums that are rounded may tie, and floats are not exact."""


class ModelBuilder:
    """A model of one input, "image", of `shape` without the batch; each node reads the one before it unless told."""

    def __init__(self, shape: tuple[int, ...], *, annotation: str = "", kind: int = onnx.TensorProto.FLOAT) -> None:
        self.tensor = "image"
        self._input = helper.make_tensor_value_info("image", kind, [1, *shape])
        self._annotation = annotation
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: Any) -> str:
        """The name of a new constant."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: Any, of: str | None = None, domain: str = "", **attributes: Any) -> str:
        """A node that reads the tensor `of`, or the latest, then names or values of constants; its result."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = f"t{len(self._nodes) + 1}"
        name = f"{operator}{len(self._nodes)}"
        node = helper.make_node(operator, [of or self.tensor, *names], [output], name, domain=domain, **attributes)
        self._nodes.append(node)
        self.tensor = output
        return output

    def quant(
        self, scale: Any = 1.0, zero: float = 0, bits: float = 8, *, of: str | None = None, **attributes: Any
    ) -> str:
        """A Quant node, signed and not narrow unless told."""
        given = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"} | attributes
        return self.add("Quant", np.float32(scale), np.float32(zero), np.float32(bits), of=of, domain=QONNX, **given)

    def weights(self, values: Any, scale: Any = 1.0, bits: float = 8) -> str:
        """Weights that a Quant node makes; the latest tensor stays."""
        latest = self.tensor
        made = self.quant(scale, bits=bits, of=self.constant(np.asarray(values, np.float32)))
        self.tensor = latest
        return made

    def model(self, *results: str) -> ModelProto:
        """The model, whose outputs are `results` or the latest tensor."""
        ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in results or [self.tensor]]
        graph = helper.make_graph(self._nodes, "model", [self._input], ends, self._constants)
        if self._annotation:
            pair = onnx.StringStringEntryProto(key="finn_datatype", value=self._annotation)
            graph.quantization_annotation.append(
                onnx.TensorAnnotation(tensor_name="image", quant_parameter_tensor_names=[pair])
            )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(QONNX, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def imported(model: ModelProto, folder: Path, **wanted: Any) -> ImportedGraph:
    """What becomes of a model's file."""
    onnx.save(model, folder / "model.onnx")
    return read(folder / "model.onnx", Wanted(**wanted))


def execute(model: ModelProto, image: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of `model` for an image without the batch, by QONNX's executor, which leaves ONNX to onnxruntime."""
    source = next(
        each for each in model.graph.input if each.name not in {known.name for known in model.graph.initializer}
    )
    kind = helper.tensor_dtype_to_np_dtype(source.type.tensor_type.elem_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shaped = ModelWrapper(model).transform(InferShapes())
        return execute_onnx(shaped, {source.name: image[np.newaxis].astype(kind)}, return_full_exec_context=True)


def differences(model: ModelProto, graph: Graph, image: np.ndarray, values: np.ndarray | None = None) -> int:
    """How many values of the model's outputs are another activation in the graph, for an image int8 [C, H, W].

    values: what the model is given for the image; None: its integers.
    """
    expected = execute(model, image if values is None else values)
    found = reference.execute(graph, image)
    wrong = 0
    for output in graph.outputs:
        meaning = graph.metadata["results"][output.name]
        scale, offset = (np.array(meaning[part])[:, np.newaxis, np.newaxis] for part in ("scale", "offset"))
        real = expected[output.name].reshape(found[output.name][0].shape).astype(np.float64)
        wrong += int((np.abs((real - offset) / scale - found[output.name][0]) > _TIE).sum())
    return wrong
