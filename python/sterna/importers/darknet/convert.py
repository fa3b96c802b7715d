"""Darknet's numbers as those of a float network of Sterna.

Three things differ and are worked into the numbers, without loss:

- Darknet's images are rgb / 255, Sterna's (rgb - 128) / 128. The factor goes into the weights that read the image,
  the shift into the means of their normalisation.
- PyTorch normalises by sqrt(variance + 1e-5), as darknet does on GPUs, where the published weights were trained. Other
  programs have another `Epsilon`; the quotient of both goes into the scales.
- Darknet's leaky ReLU has the slope 0.1. The description carries it.

Two things cannot be: pixels outside the image are black in darknet and grey (128) in Sterna, and darknet's reorg is not
a true space-to-depth. `sterna.train.model.as_darknet` computes both as darknet does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.network import GREY, IMAGE, NORM_EPSILON, Head, Weighted
from sterna.importers.darknet.cfg import Yolo2
from sterna.importers.darknet.weights import Shape, Weights
from sterna.importers.epsilon import Epsilon
from sterna.importers.importer import Convolution, Norm, Values

WHITE = 255  # darknet divides images by it

Exact = NDArray[np.float64]


def shapes(described: Yolo2) -> tuple[Shape, ...]:
    """What a weights file of the network holds, convolution by convolution."""
    channels = described.network.channels(described.classes)
    return tuple(_shape(layer, channels[layer.name], channels[layer.input]) for layer in described.network.convolutions)


def _shape(layer: Weighted, filters: int, channels: int) -> Shape:
    if isinstance(layer, Head):
        return Shape(layer.name, filters, channels, 1, normalised=False, boxes=layer.anchors)
    return Shape(layer.name, filters, channels // layer.groups, layer.kernel, normalised=True)


def to_sterna(described: Yolo2, weights: Weights, epsilon: Epsilon = Epsilon.GPU) -> dict[str, Convolution]:
    """Darknet's `weights`, as read for the shapes of `described`, by layer in Sterna's form (see `Imported`).

    epsilon: of the program that made them. Raises SternaError if a value leaves the range of float32 on the way.
    """
    layers = {layer.name: layer for layer in described.network.convolutions}
    return {stored.name: _convolution(layers[stored.name], stored, epsilon) for stored in weights.convolutions}


def _convolution(layer: Weighted, stored: Convolution, epsilon: Epsilon) -> Convolution:
    kernels, offset = _for_input(layer, stored)
    weights = _float32(kernels, layer.name)
    if stored.norm is None:
        return Convolution(layer.name, _float32(stored.biases + offset, layer.name), None, weights)
    variances = stored.norm.variances.astype(np.float64)
    quotient = np.sqrt(variances + NORM_EPSILON) / epsilon.deviation(variances)
    scales = _float32(stored.norm.scales * quotient, layer.name)
    means = _float32(stored.norm.means - offset, layer.name)
    return Convolution(layer.name, stored.biases, Norm(scales, means, stored.norm.variances), weights)


def _for_input(layer: Weighted, stored: Convolution) -> tuple[Exact, Exact]:
    """Weights, and what is to be added to each filter's sum [F], for the input as Sterna has it."""
    kernels = stored.weights.astype(np.float64)
    if layer.input != IMAGE:
        return kernels, np.zeros(len(kernels))
    kernels *= GREY / WHITE
    return kernels, kernels.sum((1, 2, 3))


def _float32(values: Exact, name: str) -> Values:
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    if not np.isfinite(rounded).all():
        raise SternaError(
            "batch normalisation leaves the range of float32",
            where=name,
            allowed="finite float32 values",
            remedy="use weights from a finished training",
        )
    return rounded
