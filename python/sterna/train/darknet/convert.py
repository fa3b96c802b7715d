"""Darknet's numbers as the parameters of a float network of Sterna.

Three things differ and are worked into the parameters, without loss:

- Darknet's pictures are rgb / 255, Sterna's (rgb - 128) / 128. The factor goes into the weights that read the picture,
  the shift into the means of their normalisation.
- Darknet normalises by sqrt(variance) + 1e-6 (`normalize_cpu` in `blas.c`), PyTorch by sqrt(variance + eps). The
  quotient of both goes into the scales.
- Darknet's leaky ReLU has the slope 0.1. The description carries it.

Two things cannot be: what lies outside the picture is black in darknet and grey (128) in Sterna, and darknet's reorg is
no true space-to-depth. `exact.py` computes both as darknet does.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sterna.errors import SternaError
from sterna.train.darknet.cfg import Yolo2
from sterna.train.darknet.weights import Convolution, Shape, Weights
from sterna.train.data.frames import BACKGROUND
from sterna.train.networks import IMAGE, Conv, ConvBlock, Form, Head, Network

WHITE = 255  # darknet divides pictures by it
ROOT_EPSILON = 1e-6  # darknet adds it to the square root of the variance

Exact = NDArray[np.float64]


def shapes(described: Yolo2) -> tuple[Shape, ...]:
    """What a weights file of the network holds, convolution by convolution."""
    with torch.device("meta"):  # without memory
        network = Network(described.layers, described.classes, Form.FLOAT)
    found = []
    for layer, conv in network.convolutions():
        filters, channels, kernel, _ = conv.weight.shape
        found.append(Shape(layer.name, filters, channels, kernel, isinstance(layer, Conv)))
    return tuple(found)


def to_network(described: Yolo2, weights: Weights) -> Network:
    """The float network of `described` with darknet's `weights`, as read for its `shapes`, in eval mode.

    Raises SternaError if a value leaves the range of float32 on the way.
    """
    network = Network(described.layers, described.classes, Form.FLOAT).eval()
    for (layer, conv), stored in zip(network.convolutions(), weights.convolutions, strict=True):
        kernels, offset = _for_input(layer, stored)
        _fill(conv.weight, kernels, layer.name)
        block = network.blocks[layer.name]
        if isinstance(block, ConvBlock):
            _fill_norm(block.norm, stored, offset)
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


def _fill_norm(norm: nn.BatchNorm2d, stored: Convolution, offset: Exact) -> None:
    assert stored.norm is not None and norm.running_mean is not None and norm.running_var is not None
    variances = stored.norm.variances.astype(np.float64)
    quotient = np.sqrt(variances + norm.eps) / (np.sqrt(variances) + ROOT_EPSILON)
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
