"""An integer graph as an INT8 network for onnxruntime, to measure its speed: QLinearConv, MaxPool, concat.

Activations are bytes with a zero point, weights signed bytes, requantisation one scale per tensor: the form for which
onnxruntime has its fastest kernels. It has no leaky activation, which would cost it time, and computes other values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sterna.errors import SternaError
from sterna.graph import Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg

OPSET = 13


def session(graph: Graph, threads: int) -> Callable[[np.ndarray], Any]:
    """Runs images uint8 [1, C, H, W] on `threads` threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Its threads would go on spinning after a run, and take a core from what is measured next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    made = onnxruntime.InferenceSession(_model(graph).SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda images: made.run(None, {graph.input.name: images})


class _Nodes:
    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name


def _model(graph: Graph) -> ModelProto:
    nodes = _Nodes()
    for name, value in (("scale", np.float32(0.05)), ("zero", np.uint8(128)), ("weight_zero", np.int8(0))):
        nodes.constant(name, value)
    for layer in graph.layers:
        _add(nodes, graph, layer)
    ends = {}
    for layer in (graph.input, *graph.outputs):
        ends[layer.name] = helper.make_tensor_value_info(
            layer.name, TensorProto.UINT8, [1, *graph.info[layer.name].shape]
        )
    outputs = [ends[output.name] for output in graph.outputs]
    made = helper.make_graph(nodes.nodes, "int8", [ends[graph.input.name]], outputs, nodes.constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _add(nodes: _Nodes, graph: Graph, layer: Layer) -> None:
    match layer:
        case Input():
            pass
        case Conv():
            weights = nodes.constant(f"{layer.name}.weights", layer.weights)
            # What spreads sums over the bytes of the result.
            spread = np.float32(np.sqrt(np.count_nonzero(layer.weights[0]) + 1) * 0.05)
            inputs = [layer.input, "scale", "zero", weights, nodes.constant(f"{layer.name}.scale", np.float32(1)),
                      "weight_zero", nodes.constant(f"{layer.name}.made", spread), "zero",
                      nodes.constant(f"{layer.name}.bias", np.zeros(len(layer.weights), np.int32))]  # fmt: skip
            top, left, bottom, right = layer.padding
            kernel = list(layer.weights.shape[2:])
            nodes.add("QLinearConv", inputs, layer.name, kernel_shape=kernel, pads=[top, left, bottom, right],
                      strides=[layer.stride, layer.stride], group=layer.groups)  # fmt: skip
        case MaxPool():
            nodes.add("MaxPool", [layer.input], layer.name, kernel_shape=[layer.kernel] * 2,
                      strides=[layer.stride] * 2, pads=list(layer.padding))  # fmt: skip
        case Reorg():
            channels, height, width = graph.info[layer.input].shape
            split = nodes.constant(f"{layer.name}.split", np.int64([1, channels, height // 2, 2, width // 2, 2]))
            shape = nodes.constant(f"{layer.name}.shape", np.int64([1, *graph.info[layer.name].shape]))
            nodes.add("Reshape", [layer.input, split], f"{layer.name}.a")
            nodes.add("Transpose", [f"{layer.name}.a"], f"{layer.name}.b", perm=[0, 3, 5, 1, 2, 4])
            nodes.add("Reshape", [f"{layer.name}.b", shape], layer.name)
        case Concat():
            nodes.add("Concat", list(layer.inputs), layer.name, axis=1)
        case Output():
            nodes.add("Identity", [layer.input], layer.name)
        case _:
            raise SternaError("has no form here", where=f"layer '{layer.name}'", value=type(layer).__name__)
