"""From a trained ternary network to the integer graph; `integer.py` folds its layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import Concat as ConcatLayer
from sterna.graph.layers import Conv as ConvLayer
from sterna.graph.layers import Input, Layer, MaxPool, Output
from sterna.graph.layers import Reorg as ReorgLayer
from sterna.train.model import networks, quantisers
from sterna.train.model.integer import Folded
from sterna.train.model.networks import Concat, Conv, Form, Head, Network, Pool, Reorg

OUTPUT = "output"


def to_graph(
    network: Network,
    anchors: Sequence[Sequence[float]],
    classes: Sequence[str],
    height: int,
    width: int,
) -> Graph:
    """The integer graph of the ternary `network` for images of height x width.

    anchors: pairs of width and height in cells, kept with `classes` in the graph's metadata. Raises SternaError
    for a float network, and for what the graph's own rules refuse (a filter whose sum could leave the accumulator).
    """
    if network.form is Form.FLOAT:
        raise SternaError("only a ternary network has an integer graph", where="export", remedy="train it further")
    folded, scales = network.fold(), network.scales()
    layers: list[Layer] = [Input(networks.IMAGE, 3, height, width, scales[networks.IMAGE], 0)]
    for layer in network.layers:
        match layer:
            case Conv() | Head():
                layers.append(_convolution(layer, folded[layer.name], scales[layer.name]))
            case Pool():
                layers.append(MaxPool(layer.name, layer.input, layer.stride))
            case Reorg():
                layers.append(ReorgLayer(layer.name, layer.input))
            case Concat():
                layers.append(ConcatLayer(layer.name, layer.inputs))
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


def _convolution(layer: Conv | Head, folded: Folded, scale: float) -> ConvLayer:
    padding = folded.weights.shape[-1] // 2
    return ConvLayer(
        name=layer.name,
        input=layer.input,
        weights=folded.weights.detach().cpu().numpy().astype(np.int8),
        stride=1,
        padding=(padding,) * 4,
        requant=folded.requant,
        scale=scale,
    )
