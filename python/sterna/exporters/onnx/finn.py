"""The form `finn`: QONNX whose every layer FINN makes hardware of, for its compiler."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
from onnx import helper
from typing_extensions import override

from sterna.exporters.onnx.qonnx import QonnxWriter
from sterna.graph import Conv, Graph, Layer, Reorg, Requant

DOMAINS = ("finn.custom_op.fpgadataflow", "qonnx.custom_op.channels_last")
"""Of the operators that FINN puts in place of others; it does not declare them itself."""
_PHASES = 4
"""Of 2x2 pixels."""


class FinnWriter(QonnxWriter):
    """Writes graphs as QONNX with each reorg as a convolution, as FINN does not know SpaceToDepth."""

    def __init__(self, graph: Graph) -> None:
        layers = tuple(_as_convolution(layer, graph) for layer in graph.layers)
        super().__init__(replace(graph, layers=layers))

    @override
    def opsets(self) -> list[onnx.OperatorSetIdProto]:
        return [*super().opsets(), *(helper.make_opsetid(domain, 1) for domain in DOMAINS)]


def _as_convolution(layer: Layer, graph: Graph) -> Layer:
    """A reorg as a 2x2 convolution with stride 2 that gives each pixel of a phase to a channel; others as they are."""
    if not isinstance(layer, Reorg):
        return layer
    info = graph.info[layer.input]
    one = np.eye(info.channels, dtype=np.int8)
    weights = np.zeros((_PHASES, *one.shape, 2, 2), np.int8)
    for phase in range(_PHASES):
        weights[phase, :, :, phase // 2, phase % 2] = one
    filters = _PHASES * info.channels
    identity = Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), 0, "linear")
    return Conv(
        layer.name, layer.input, weights.reshape(filters, info.channels, 2, 2), 2, (0, 0, 0, 0), identity, info.scale,
        info.zero_point,
    )  # fmt: skip
