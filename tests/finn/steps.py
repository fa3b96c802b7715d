"""FINN's way from a QONNX model to its hardware layers, executed after every step.

    python steps.py MODEL.onnx IMAGE_AND_RESULT.npz

It runs in FINN's environment, where Sterna is not installed, and prints a line of JSON per step: its name, whether the
result is the same as in the file, and the operators of the model by their number.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from finn.transformation.fpgadataflow.convert_to_hw.concat import InferConcatLayer
from finn.transformation.fpgadataflow.convert_to_hw.conv_inp_gen import InferConvInpGen
from finn.transformation.fpgadataflow.convert_to_hw.duplicate_streams import InferDuplicateStreamsLayer
from finn.transformation.fpgadataflow.convert_to_hw.elementwise_binary_operation import InferElementwiseBinaryOperation
from finn.transformation.fpgadataflow.convert_to_hw.pool import InferPool
from finn.transformation.fpgadataflow.convert_to_hw.quantized_matrix_vector_activation import (
    InferQuantizedMatrixVectorActivation,
)
from finn.transformation.fpgadataflow.convert_to_hw.thresholding import InferThresholdingLayer
from finn.transformation.fpgadataflow.convert_to_hw.vector_vector_activation import InferVectorVectorActivation
from finn.transformation.fpgadataflow.minimize_accumulator_width import MinimizeAccumulatorWidth
from finn.transformation.qonnx.convert_qonnx_to_finn import ConvertQONNXtoFINN
from finn.transformation.streamline import Streamline
from finn.transformation.streamline.absorb import AbsorbConsecutiveTransposes, AbsorbTransposeIntoMultiThreshold
from finn.transformation.streamline.reorder import (
    MakeMaxPoolNHWC,
    MoveTransposePastFork,
    MoveTransposePastJoinAdd,
    MoveTransposePastJoinConcat,
)
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_data_layouts import InferDataLayouts
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.util.cleanup import cleanup_model

Step = Callable[[], Any]
#: Each step's name and transformations. Transposes are moved together until they cancel out.
STEPS: dict[str, tuple[Step, ...]] = {
    "ConvertQONNXtoFINN": (ConvertQONNXtoFINN,),
    "Streamline": (Streamline,),
    "LowerConvsToMatMul": (LowerConvsToMatMul,),
    "MakeMaxPoolNHWC": (MakeMaxPoolNHWC,),
    "AbsorbTransposeIntoMultiThreshold": (AbsorbTransposeIntoMultiThreshold, MakeMaxPoolNHWC),
    "AbsorbConsecutiveTransposes": (
        AbsorbConsecutiveTransposes,
        *(
            MoveTransposePastFork,
            MoveTransposePastJoinAdd,
            MoveTransposePastJoinConcat,
            AbsorbTransposeIntoMultiThreshold,
            AbsorbConsecutiveTransposes,
        )
        * 4,
    ),
    "InferPool": (InferPool,),
    "InferConvInpGen": (InferConvInpGen,),
    "InferThresholdingLayer": (InferThresholdingLayer,),
    "InferQuantizedMatrixVectorActivation": (InferQuantizedMatrixVectorActivation,),
    "InferElementwiseBinaryOperation": (InferElementwiseBinaryOperation,),
    "InferVectorVectorActivation": (InferVectorVectorActivation,),
    "InferConcatLayer": (InferConcatLayer,),
    "InferDuplicateStreamsLayer": (InferDuplicateStreamsLayer,),
    "MinimizeAccumulatorWidth": (MinimizeAccumulatorWidth,),
}
_KNOWN = (InferShapes, InferDataTypes, InferDataLayouts)


def report(name: str, model: ModelWrapper, image: np.ndarray, expected: np.ndarray) -> None:
    """Execute the model and print the step's line."""
    result = execute_onnx(model, {model.graph.input[0].name: image})[model.graph.output[0].name]
    operators = Counter(node.op_type for node in model.graph.node)
    equal = bool(np.array_equal(result, expected))
    print(json.dumps({"step": name, "equal": equal, "operators": operators}), flush=True)


def main(path: str, data: str) -> None:
    """Take each step, and report it."""
    with np.load(data) as arrays:
        image, expected = arrays["image"], arrays["result"]
    model = cleanup_model(ModelWrapper(path))
    report("cleanup", model, image, expected)
    for name, transformations in STEPS.items():
        for each in (*transformations, *_KNOWN):
            model = model.transform(each())
        report(name, model, image, expected)


if __name__ == "__main__":
    main(*sys.argv[1:])
