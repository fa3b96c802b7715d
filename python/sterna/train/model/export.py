"""From a trained ternary network to the integer graph; `integer.py` folds its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import assemble
from sterna.graph.graph import Graph
from sterna.graph.infer import TensorInfo
from sterna.graph.layers import Input, Layer, Output
from sterna.graph.network import IMAGE, Add, AveragePool, Classifier, Weighted
from sterna.train.model import quantisers
from sterna.train.model.form import Form
from sterna.train.model.integer import Folded
from sterna.train.model.network import Network
from sterna.vision import ranking
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

    anchors: of a detector, pairs of width and height in cells, kept with `classes` in the graph's metadata. Raises
    SternaError for a float network, and for what the graph's own rules refuse (a filter whose sum could leave the
    accumulator).
    """
    if network.form is Form.FLOAT:
        raise SternaError("only a ternary network has an integer graph", where="export", remedy="train it further")
    folded, scales = network.fold(), network.scales()
    maps = network.description.infer(len(classes), height, width)
    layers: list[Layer] = [Input(IMAGE, network.description.image_channels, height, width, scales[IMAGE], 0)]
    for layer in network.description.layers:
        layers.extend(_layers(layer, folded.get(layer.name), scales[layer.name], maps))
    layers.append(Output(OUTPUT, network.description.last.name))
    return Graph(
        layers=tuple(layers),
        act_bits=quantisers.ACT_BITS,
        acc_bits=quantisers.ACC_BITS,
        metadata=_metadata(network, anchors, classes),
    )


def _metadata(network: Network, anchors: Sequence[Sequence[float]], classes: Sequence[str]) -> dict[str, Any]:
    if isinstance(network.description.last, Classifier):
        return {"kind": ranking.KIND, "classes": list(classes)}
    return {
        "kind": KIND,
        "classes": list(classes),
        "anchors": [[float(side) for side in anchor] for anchor in anchors],
    }


def _layers(layer: Layer, folded: Folded | None, scale: float, maps: Mapping[str, TensorInfo]) -> tuple[Layer, ...]:
    """What computes `layer` in the graph; `folded` is None if it only moves and compares integers."""
    if folded is None:
        return (layer,)
    match layer:
        case Add():
            return (assemble.add(layer, folded.requant, scale),)
        case AveragePool():
            return (assemble.average(layer, maps[layer.name].channels, folded.requant, scale),)
    assert isinstance(layer, Weighted)
    weights = _integers(layer.name, folded.weights.detach().cpu().numpy())
    return assemble.convolution(layer, weights, folded.requant, scale, maps[layer.input])


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
