"""Integer graphs in the forms of ONNX, executed by onnxruntime and by QONNX's own executor."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from onnx import ModelProto, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from sterna.exporters.onnx.files import writer
from sterna.exporters.onnx.session import Session
from sterna.graph import Graph
from sterna.run.backend import Results
from support.random_graphs import random_graph, random_image


def random_case(seed: int) -> tuple[Graph, np.ndarray]:
    """A random graph, with accumulators that both forms hold, and one or two images for it."""
    rng = np.random.default_rng(seed)
    bits = {"act_bits": int(rng.integers(4, 9)), "acc_bits": int(rng.integers(14, 25))}
    graph = random_graph(rng, **bits, input_table=seed % 3 == 1, general_requant=True)
    return graph, np.stack([random_image(rng, graph) for _ in range(int(rng.integers(1, 3)))])


def run_onnx(graph: Graph, images: np.ndarray) -> Results:
    """Every layer's map of images int8 [N, C, H, W], by onnxruntime."""
    return Session(graph, threads=1).run(images)


def run_qonnx(graph: Graph, images: np.ndarray, form: str = "qonnx") -> Results:
    """The same by QONNX's executor, image by image; form: qonnx or finn."""
    written = writer(graph, form)
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


def raise_threshold(model: ModelProto, layer: str, tensors: dict[str, np.ndarray]) -> int:
    """Raise by one, in a QONNX `model`, a threshold of `layer` that one of `tensors` reaches exactly; its filter."""
    constant = next(each for each in model.graph.initializer if each.name == f"{layer}:thresholds")
    rows, sums = numpy_helper.to_array(constant).copy(), tensors[f"{layer}:sums"][0]
    filter_, reached = next(
        (filter_, values[0]) for filter_, row in enumerate(rows) if len(values := np.intersect1d(row, sums[filter_]))
    )
    rows[filter_, np.flatnonzero(rows[filter_] == reached)[0]] += 1
    constant.CopyFrom(numpy_helper.from_array(rows, constant.name))
    return filter_


EXECUTORS: dict[str, Callable[[Graph, np.ndarray], Results]] = {
    "onnx": run_onnx,
    "qonnx": run_qonnx,
    "finn": partial(run_qonnx, form="finn"),
}
"""By form."""
