"""From a trained ternary network to the integer graph.

Batch normalisation, weight scale, input and output scale fold into one multiplier and one bias per filter;
a filter with a negative multiplier has its weights' signs flipped, so that requantisation stays monotone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import (
    BIAS_BITS,
    MAX_SHIFT,
    MULTIPLIER_BITS,
    Activation,
    Input,
    Layer,
    MaxPool,
    Output,
    Requant,
)
from sterna.graph.layers import Concat as ConcatLayer
from sterna.graph.layers import Conv as ConvLayer
from sterna.graph.layers import Reorg as ReorgLayer
from sterna.train import networks, quantisers
from sterna.train.data.frames import BACKGROUND
from sterna.train.networks import Concat, Conv, ConvBlock, Form, Head, Network, Pool, Reorg

OUTPUT = "output"


def to_graph(
    network: Network,
    anchors: Sequence[Sequence[float]],
    classes: Sequence[str],
    height: int,
    width: int,
) -> Graph:
    """The integer graph of the ternary `network` for pictures of height x width.

    anchors: pairs of width and height in cells, kept with `classes` in the graph's metadata. Raises SternaError
    for a float network, and for what the graph's own rules refuse (a filter whose sum could leave the accumulator).
    """
    if network.form is not Form.TERNARY:
        raise SternaError("only a ternary network has an integer graph", where="export", remedy="train it further")
    integers = network.integer_weights()
    scales = {networks.IMAGE: 1.0 / BACKGROUND}
    layers: list[Layer] = [Input(networks.IMAGE, 3, height, width, scales[networks.IMAGE], 0)]
    for layer in network.layers:
        match layer:
            case Conv() | Head():
                made = _convolution(network, layer, integers[layer.name], scales[layer.input])
                scales[layer.name] = made.scale
                layers.append(made)
            case Pool():
                layers.append(MaxPool(layer.name, layer.input, layer.stride))
                scales[layer.name] = scales[layer.input]
            case Reorg():
                layers.append(ReorgLayer(layer.name, layer.input))
                scales[layer.name] = scales[layer.input]
            case Concat():
                layers.append(ConcatLayer(layer.name, layer.inputs))
                scales[layer.name] = scales[layer.inputs[0]]
    layers.append(Output(OUTPUT, network.layers[-1].name))
    return Graph(
        layers=tuple(layers),
        act_bits=quantisers.ACT_BITS,
        acc_bits=quantisers.ACC_BITS,
        metadata={
            "kind": "yolov2",
            "classes": list(classes),
            "anchors": [[float(side) for side in anchor] for anchor in anchors],
        },
    )


def _convolution(
    network: Network, layer: Conv | Head, integers: tuple[Tensor, Tensor], input_scale: float
) -> ConvLayer:
    weights, weight_scale = (tensor.double().numpy() for tensor in integers)
    scale = quantisers.activation_scale(network.activations[networks.activation_name(layer)])
    gain, offset = _normalisation(network, layer)
    factor = gain * weight_scale.reshape(-1) * input_scale / scale
    signs = np.where(factor < 0, -1, 1)
    padding = weights.shape[-1] // 2
    return ConvLayer(
        name=layer.name,
        input=layer.input,
        weights=(weights * signs[:, None, None, None]).astype(np.int8),
        stride=1,
        padding=(padding,) * 4,
        requant=requant(np.abs(factor), offset / scale, "leaky" if isinstance(layer, Conv) else "linear", layer.name),
        scale=scale,
    )


def _normalisation(network: Network, layer: Conv | Head) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per filter, the gain and offset [F] that follow the convolution in real numbers."""
    block = network.blocks[layer.name]
    if not isinstance(block, ConvBlock):
        bias = block.get_parameter("bias").detach().double().numpy()
        return np.ones_like(bias), bias
    norm = block.norm
    gamma, beta, mean, variance = (
        tensor.detach().double().numpy()
        for tensor in (norm.weight, norm.bias, norm.get_buffer("running_mean"), norm.get_buffer("running_var"))
    )
    gain = gamma / np.sqrt(variance + norm.eps)
    return gain, beta - gain * mean


def requant(factor: NDArray[np.float64], offset: NDArray[np.float64], activation: Activation, where: str) -> Requant:
    """Fixed-point form of `s * factor + offset` ([F] each, factor >= 0, in output steps) before the activation.

    The shift is the largest at which every multiplier and bias fits, so the largest multiplier keeps 17 to 18 bits.
    """
    for shift in range(MAX_SHIFT, -1, -1):
        multiplier, bias = np.rint(np.ldexp(factor, shift)), np.rint(np.ldexp(offset, shift))
        if multiplier.max() < 1 << MULTIPLIER_BITS and np.abs(bias).max() < 1 << BIAS_BITS:
            return Requant(multiplier.astype(np.int64), bias.astype(np.int64), shift, activation)
    raise SternaError(
        "batch normalisation is out of the range of requantisation",
        where=where,
        attribute="multiplier",
        value=f"{factor.max():.3g}",
        allowed=f"below 2^{MULTIPLIER_BITS}",
        remedy="train again with a lower learning rate",
    )
