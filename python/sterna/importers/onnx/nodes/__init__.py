"""What reads each operator, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sterna.importers.onnx.model import Constant, Node
from sterna.importers.onnx.nodes import convolutions, functions, moves
from sterna.importers.onnx.tensors import Chain, Map

if TYPE_CHECKING:
    from sterna.importers.onnx.reader import Reader

Read = Callable[["Reader", Node], Constant | Map | Chain]

NO_COUNTERPART = {
    "DepthToSpace": "makes pixels of channels, which integer graphs have no counterpart for",
    "LRN": "normalises by local responses, which integer graphs have no counterpart for; train without it",
    "Softmax": "belongs to the program that reads the results, which computes it from the sums before it",
}
"""Why some operators are refused, in words."""
READ: dict[str, Read] = {
    "Add": lambda reader, node: functions.two(reader, node, np.add),
    "AveragePool": convolutions.average_pool,
    "BatchNormalization": functions.batch_norm,
    "BipolarQuant": functions.quant,
    "Cast": functions.cast,
    "Ceil": functions.rounded,
    "Clip": functions.clip,
    "Concat": moves.concat,
    "Conv": convolutions.conv,
    "ConvInteger": convolutions.conv_integer,
    "Div": lambda reader, node: functions.two(reader, node, np.divide),
    "Dropout": moves.same,
    "Flatten": moves.flatten,
    "Floor": functions.rounded,
    "Gather": functions.gather,
    "Gemm": convolutions.gemm,
    "GlobalAveragePool": convolutions.average_pool,
    "Identity": moves.same,
    "IntQuant": functions.quant,
    "LeakyRelu": functions.leaky_relu,
    "MatMul": convolutions.matmul,
    "MatMulInteger": convolutions.matmul_integer,
    "Max": lambda reader, node: functions.two(reader, node, np.maximum),
    "MaxPool": moves.max_pool,
    "Min": lambda reader, node: functions.two(reader, node, np.minimum),
    "Mul": lambda reader, node: functions.two(reader, node, np.multiply),
    "MultiThreshold": functions.multi_threshold,
    "Neg": functions.negative,
    "PRelu": functions.prelu,
    "Pad": moves.pad,
    "Quant": functions.quant,
    "ReduceMean": convolutions.average_pool,
    "Relu": functions.relu,
    "Reshape": moves.reshape,
    "Round": functions.rounded,
    "Shape": moves.shape,
    "SpaceToDepth": moves.space_to_depth,
    "Squeeze": moves.squeeze,
    "Sub": lambda reader, node: functions.two(reader, node, np.subtract),
    "Transpose": moves.transpose,
    "Unsqueeze": moves.unsqueeze,
}
