"""From a trained ternary network to the integer graph; `integer.py` folds its layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import Conv, Input, Layer, Output
from sterna.graph.network import IMAGE, RGB, Head
from sterna.graph.network import Conv as DescribedConv
from sterna.train.model import quantisers
from sterna.train.model.form import Form
from sterna.train.model.integer import Folded
from sterna.train.model.network import Network
from sterna.vision.decoder import KIND

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
    layers: list[Layer] = [Input(IMAGE, RGB, height, width, scales[IMAGE], 0)]
    for layer in network.description.layers:
        if isinstance(layer, DescribedConv | Head):
            layers.append(_convolution(layer, folded[layer.name], scales[layer.name]))
        else:
            layers.append(layer)
    layers.append(Output(OUTPUT, network.description.head.name))
    return Graph(
        layers=tuple(layers),
        act_bits=quantisers.ACT_BITS,
        acc_bits=quantisers.ACC_BITS,
        metadata={
            "kind": KIND,
            "classes": list(classes),
            "anchors": [[float(side) for side in anchor] for anchor in anchors],
        },
    )


def _convolution(layer: DescribedConv | Head, folded: Folded, scale: float) -> Conv:
    padding = folded.weights.shape[-1] // 2
    return Conv(
        name=layer.name,
        input=layer.input,
        weights=_integers(layer.name, folded.weights.detach().cpu().numpy()),
        stride=1,
        padding=(padding,) * 4,
        requant=folded.requant,
        scale=scale,
        groups=layer.groups if isinstance(layer, DescribedConv) else 1,
    )


def _integers(layer: str, weights: NDArray[np.floating]) -> NDArray[np.int8]:
    """`weights` as the integers that they are; raises SternaError if a quantiser made others."""
    most = np.iinfo(np.int8).max
    wrong = (weights != np.round(weights)) | ~(np.abs(weights) <= most)
    if wrong.any():
        raise SternaError(
            "has weights that are no integers of the engine", where=f"layer '{layer}'", attribute="weight",
            value=weights[wrong][0], allowed=f"integers -{most}..{most}", remedy="correct integers() of its quantiser",
        )  # fmt: skip
    return weights.astype(np.int8)
