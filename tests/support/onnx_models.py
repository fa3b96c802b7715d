"""Integer graphs in the forms of ONNX, executed by onnxruntime and by QONNX's own executor."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from sterna.exporters.onnx.files import writer
from sterna.exporters.onnx.session import Session
from sterna.graph import Graph
from sterna.run.backend import Results


def run_onnx(graph: Graph, images: np.ndarray) -> Results:
    """Every layer's map of images int8 [N, C, H, W], by onnxruntime."""
    return Session(graph, threads=1).run(images)


def run_qonnx(graph: Graph, images: np.ndarray) -> Results:
    """The same by QONNX's executor, image by image."""
    written = writer(graph, "qonnx")
    model = written.write(list(graph.info))
    frames = [execute_qonnx(model, graph.input.name, image[np.newaxis]) for image in images]
    return {
        layer: np.concatenate([frame[tensor] for frame in frames]).astype(np.int8)
        for layer, tensor in written.outputs.items()
    }


def execute_qonnx(model: ModelProto, source: str, image: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of `model` for an image, given as `source`.

    QONNX warns of a value that the type does not hold with which its tensor is annotated; here that is an error.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return execute_onnx(ModelWrapper(model), {source: image.astype(np.float32)}, return_full_exec_context=True)


EXECUTORS: dict[str, Callable[[Graph, np.ndarray], Results]] = {"onnx": run_onnx, "qonnx": run_qonnx}
"""By form."""
