"""Darknet's numbers as the parameters of a float network of Sterna.

Three things differ and are worked into the parameters, without loss:

- Darknet's images are rgb / 255, Sterna's (rgb - 128) / 128. The factor goes into the weights that read the image,
  the shift into the means of their normalisation.
- PyTorch normalises by sqrt(variance + 1e-5), as darknet does on GPUs, where the published weights were trained. Other
  programs have another `Epsilon`; the quotient of both goes into the scales.
- Darknet's leaky ReLU has the slope 0.1. The description carries it.

Two things cannot be: what lies outside the image is black in darknet and grey (128) in Sterna, and darknet's reorg is
no true space-to-depth. `exact.py` computes both as darknet does.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sterna.errors import SternaError
from sterna.train.darknet.cfg import Yolo2
from sterna.train.darknet.weights import Convolution, Shape, Weights
from sterna.train.data.frames import BACKGROUND
from sterna.train.model.networks import IMAGE, Conv, ConvBlock, Form, Head, Network

WHITE = 255  # darknet divides images by it

Exact = NDArray[np.float64]


class Epsilon(StrEnum):
    """What keeps a division by a variance of 0 away, by the program that computes batch normalisation."""

    #: sqrt(v + 1e-5): darknet on GPUs (`normalize_kernel` in `blas_kernels.cu`), and AlexeyAB's everywhere since 2020.
    GPU = "gpu"
    #: sqrt(v) + 1e-6: pjreddie's darknet without a GPU (`normalize_cpu` in `blas.c`).
    CPU = "cpu"
    #: sqrt(v + 1e-6): OpenCV's importer of darknet.
    OPENCV = "opencv"

    def deviation(self, variances: Exact) -> Exact:
        """What is divided by, of `variances` of any shape."""
        match self:
            case Epsilon.GPU:
                return np.sqrt(variances + 1e-5)
            case Epsilon.CPU:
                return np.sqrt(variances) + 1e-6
            case Epsilon.OPENCV:
                return np.sqrt(variances + 1e-6)

    @property
    def formula(self) -> str:
        """The same as a text."""
        return {"gpu": "sqrt(variance + 1e-5)", "cpu": "sqrt(variance) + 1e-6", "opencv": "sqrt(variance + 1e-6)"}[self]


def shapes(described: Yolo2) -> tuple[Shape, ...]:
    """What a weights file of the network holds, convolution by convolution."""
    with torch.device("meta"):  # without memory
        network = Network(described.layers, described.classes, Form.FLOAT)
    found = []
    for layer, conv in network.convolutions():
        filters, channels, kernel, _ = conv.weight.shape
        boxes = layer.anchors if isinstance(layer, Head) else 0
        found.append(Shape(layer.name, filters, channels, kernel, isinstance(layer, Conv), boxes))
    return tuple(found)


def to_network(described: Yolo2, weights: Weights, epsilon: Epsilon = Epsilon.GPU) -> Network:
    """The float network of `described` with darknet's `weights`, as read for its `shapes`, in eval mode.

    Layers that are not among the weights get fresh ones from PyTorch's random generator. epsilon: of the program that
    made the weights. Raises SternaError if a value leaves the range of float32 on the way.
    """
    network = Network(described.layers, described.classes, Form.FLOAT).eval()
    by_name = {stored.name: stored for stored in weights.convolutions}
    for layer, conv in network.convolutions():
        if layer.name not in by_name:
            continue
        stored = by_name[layer.name]
        kernels, offset = _for_input(layer, stored)
        _fill(conv.weight, kernels, layer.name)
        block = network.blocks[layer.name]
        if isinstance(block, ConvBlock):
            _fill_norm(block.norm, stored, offset, epsilon)
        else:
            _fill(conv.get_parameter("bias"), stored.biases + offset, layer.name)
    return network


def _for_input(layer: Conv | Head, stored: Convolution) -> tuple[Exact, Exact]:
    """Weights, and what is to be added to each filter's sum [F], for the input as Sterna has it."""
    kernels = stored.weights.astype(np.float64)
    if layer.input != IMAGE:
        return kernels, np.zeros(len(kernels))
    kernels *= BACKGROUND / WHITE
    return kernels, kernels.sum((1, 2, 3))


def _fill_norm(norm: nn.BatchNorm2d, stored: Convolution, offset: Exact, epsilon: Epsilon) -> None:
    assert stored.norm is not None and norm.running_mean is not None and norm.running_var is not None
    variances = stored.norm.variances.astype(np.float64)
    quotient = np.sqrt(variances + norm.eps) / epsilon.deviation(variances)
    _fill(norm.weight, stored.norm.scales * quotient, stored.name)
    _fill(norm.bias, stored.biases.astype(np.float64), stored.name)
    _fill(norm.running_mean, stored.norm.means - offset, stored.name)
    _fill(norm.running_var, variances, stored.name)


@torch.no_grad()
def _fill(target: Tensor, values: Exact, name: str) -> None:
    target.copy_(torch.from_numpy(values))
    if not torch.isfinite(target).all():
        raise SternaError(
            "batch normalisation leaves the range of float32",
            where=name,
            allowed="finite float32 values",
            remedy="use weights of a finished training",
        )
