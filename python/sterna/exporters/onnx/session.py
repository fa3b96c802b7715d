"""Executes integer graphs with onnxruntime, exactly as the reference does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.exporters.onnx.files import writer
from sterna.extras import INTEROP, needed_for
from sterna.graph import Graph
from sterna.run.emulator import cores

_ERRORS_ONLY = 3
"""Of onnxruntime's levels of messages."""


class Session:
    """Runs `graph` in onnxruntime on the CPU, by the form `onnx`.

    layers: names of those whose maps `run` gives; None: all. threads: 1 or more; None: one per core. Raises SternaError
    if a package is missing, and for a graph that cannot be written or that onnxruntime refuses.
    """

    def __init__(self, graph: Graph, layers: Sequence[str] | None = None, *, threads: int | None = None) -> None:
        written = writer(graph, "onnx")
        with needed_for("the backend onnx:", INTEROP):
            import onnxruntime
        self.version: str = onnxruntime.__version__
        self.threads = cores() if threads is None else threads
        self._layers = tuple(graph.info if layers is None else layers)
        self._input = graph.input.name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = self.threads, _ERRORS_ONLY
        model = written.write(self._layers).SerializeToString()
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no class in common
            raise SternaError(
                f"does not take the model ({error})", where=f"onnxruntime {self.version}",
                remedy="pip install --upgrade onnxruntime",
            ) from error  # fmt: skip
        self._outputs = [written.outputs[layer] for layer in self._layers]

    def run(self, images: NDArray[np.int8]) -> dict[str, NDArray[np.int8]]:
        """By layer name the maps int8 [N, F, H, W] of images int8 [N, C, H, W] (rgb - 128) of the graph's size."""
        maps = self._session.run(self._outputs, {self._input: np.ascontiguousarray(images)})
        return dict(zip(self._layers, maps, strict=True))
