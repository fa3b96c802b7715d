"""A network layer by layer: density, threshold, and where its forms differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from sterna.errors import SternaError
from sterna.graph import Conv, Graph
from sterna.run.emulator import executor
from sterna.train.data import Dataset
from sterna.train.model import quantisers
from sterna.train.model.network import Network
from sterna.train.report import evaluate
from sterna.train.report.evaluate import Execute
from sterna.vision.prepare import to_integers

COMPARED = 16  # images on which the layers of the ternary network and of the integer graph are compared
TERNARY, INTEGER = "ternary", "integer"  # names of forms: quantised in float arithmetic, and the graph


class Metrics(BaseModel):
    """Numbers that were measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LayerMetrics(Metrics):
    """One layer of the graph; None is what it does not have, or what was not compared.

    density: nonzero weights / weights. rho: threshold of ternary weights, as a multiple of the mean magnitude.
    share: activations that ternary network and integer graph have different, 0..1; largest: how far, in steps.
    """

    density: float | None = None
    rho: float | None = None
    share: float | None = None
    largest: float | None = None


class Sparsity(NamedTuple):
    """Of a ternary network: nonzero weights / weights, all and by layer; rho of each layer with ternary weights."""

    density: float
    density_by_layer: dict[str, float]
    rho_by_layer: dict[str, float]


def sparsity(network: Network) -> Sparsity:
    """Density and thresholds of a ternary network, layers of several digits included in the density."""
    weights = {name: integers for name, (integers, _) in network.integer_weights().items()}
    nonzeros = {name: int(integers.count_nonzero()) for name, integers in weights.items()}
    return Sparsity(
        sum(nonzeros.values()) / sum(integers.numel() for integers in weights.values()),
        {name: count / weights[name].numel() for name, count in nonzeros.items()},
        thresholds(network),
    )


def thresholds(network: Network) -> dict[str, float]:
    """rho of a network that is not float, by layer with ternary weights; the mean where a layer has several."""
    found = {name: quantisers.weight_quantiser(conv) for name, conv in network.ternary_layers()}
    return {name: float(q.rho.mean()) for name, q in found.items() if isinstance(q, quantisers.TernaryWeightQuant)}


def densities(graph: Graph) -> dict[str, float]:
    """Nonzero weights / all weights by layer."""
    return {
        layer.name: np.count_nonzero(layer.weights) / layer.weights.size
        for layer in graph.layers
        if isinstance(layer, Conv)
    }


def differences(
    network: Network, graph: Graph, dataset: Dataset, maps: Execute | None = None
) -> dict[str, dict[str, float]]:
    """By layer: `share` of the activations of ternary network and graph that differ, and the `largest` in steps.

    maps: those of the graph's layers for images, where it takes more than an image; None: as the graph is executed.
    """
    network.eval()
    frames = [dataset[index] for index in range(min(COMPARED, len(dataset)))]
    images = np.stack([frame.image for frame in frames])
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network(evaluate.to_real(images, next(network.parameters()).device), record)
    exact = (maps or executor(graph))(to_integers(images))
    result = {}
    for layer in graph.layers:
        if layer.name in record:
            steps = np.rint(record[layer.name].cpu().numpy() / graph.info[layer.name].scale)
            apart = np.abs(steps - exact[layer.name])
            result[layer.name] = {"share": float((apart > 0).mean()), "largest": float(apart.max())}
    return result


def integer_graph(forms: Mapping[str, Network | Graph]) -> Graph:
    """The integer graph of `forms`; raises SternaError if there is none."""
    graph = forms.get(INTEGER)
    if not isinstance(graph, Graph):
        raise SternaError(
            "the integer graph is missing", where="evaluate", attribute="forms", value=", ".join(forms) or "none",
            allowed=f"{INTEGER} and any others", remedy="finish the training",
        )  # fmt: skip
    return graph


def of_forms(
    forms: Mapping[str, Network | Graph], dataset: Dataset, maps: Execute | None = None
) -> dict[str, LayerMetrics]:
    """The layers of the integer graph among `forms`, beside the ternary network if there is one, on `dataset`.

    maps: as `differences` takes it.
    """
    graph, ternary = integer_graph(forms), forms.get(TERNARY)
    density = densities(graph)
    rho: dict[str, float] = {}
    apart: dict[str, dict[str, float]] = {name: {} for name in density}
    if isinstance(ternary, Network):
        rho, apart = thresholds(ternary), differences(ternary, graph, dataset, maps)
    return {
        name: LayerMetrics(density=density.get(name), rho=rho.get(name), **metrics) for name, metrics in apart.items()
    }


def rows(layers: Mapping[str, LayerMetrics]) -> Iterator[tuple[str, ...]]:
    """Rows of the layer table: name, density, rho, activations that differ, largest difference in steps."""
    for name, layer in layers.items():
        yield (
            name,
            shown(layer.density),
            shown(layer.rho),
            "" if layer.share is None else f"{100 * layer.share:.3f} %",
            "" if layer.largest is None else f"{layer.largest:.0f}",
        )


TITLES = ("layer", "density", "rho", "activations that differ", "largest difference")


def shown(value: float | None) -> str:
    """A share as a table has it; nothing where it is not known."""
    return "" if value is None else f"{value:.3f}"
