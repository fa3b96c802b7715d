"""Figures of a finished run: precision of the three forms, density by layer, ternary against integer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from sterna.graph import Conv, Graph, Input, Output, reference
from sterna.run.detector import to_integers
from sterna.train import evaluate
from sterna.train.data.frames import Dataset
from sterna.train.networks import Form, Network
from sterna.train.options import TrainOptions

COMPARED = 16  # pictures on which the layers of the ternary network and of the integer graph are compared


def total_density(network: Network) -> float:
    """Nonzero weights / all weights of a ternary network, layers of several digits included."""
    weights = [integers for integers, _ in network.integer_weights().values()]
    return sum(int(tensor.count_nonzero()) for tensor in weights) / sum(tensor.numel() for tensor in weights)


def densities(graph: Graph) -> dict[str, float]:
    """Nonzero weights / all weights by layer."""
    return {
        layer.name: np.count_nonzero(layer.weights) / layer.weights.size
        for layer in graph.layers
        if isinstance(layer, Conv)
    }


def differences(network: Network, graph: Graph, dataset: Dataset) -> dict[str, dict[str, float]]:
    """By layer: `share` of the activations of quantised network and graph that differ, and the `largest` in steps."""
    network.eval()
    frames = [dataset[index] for index in range(min(COMPARED, len(dataset)))]
    images = np.stack([frame.image for frame in frames])
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network(evaluate.to_real(images), record)
    exact = reference.execute(graph, to_integers(images))
    result = {}
    for layer in graph.layers:
        if not isinstance(layer, Input | Output):
            steps = np.rint(record[layer.name].numpy() / graph.info[layer.name].scale)
            apart = np.abs(steps - exact[layer.name])
            result[layer.name] = {"share": float((apart > 0).mean()), "largest": float(apart.max())}
    return result


def summarise(
    options: TrainOptions,
    network: Network,
    anchors: Sequence[Sequence[float]],
    graph: Graph,
    test: Dataset,
    by_stage: Mapping[str, float],
    seconds: float,
) -> dict[str, Any]:
    """All figures of the run as plain JSON values; precisions are on `test`, 0..1.

    by_stage: mAP at the end of each stage. `network` is left in quantised form.
    """
    network.form = Form.QUANTISED
    ternary = evaluate.evaluate_network(network, anchors, test)
    integer = evaluate.evaluate_graph(graph, test)
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    return {
        "network": options.network,
        "data": options.data if options.data == "scenes" else "Pascal VOC folder",
        "classes": list(test.classes),
        "image": [options.height, options.width],
        "test_pictures": len(test),
        "method": evaluate.METHOD,
        "map50_by_stage": dict(by_stage),
        "float_map50": by_stage.get("unlabelled", by_stage["float"]),
        "ternary_map50": ternary.map50,
        "integer_map50": integer.map50,
        "integer_per_class": integer.per_class,
        "weights": sum(array.size for array in weights),
        "density": sum(np.count_nonzero(array) for array in weights) / sum(array.size for array in weights),
        "density_by_layer": densities(graph),
        "ternary_against_integer": differences(network, graph, test),
        "anchors": [list(anchor) for anchor in anchors],
        "step_seconds": round(seconds, 1),
        "options": options.model_dump(mode="json", exclude={"output", "resume", "data"}),
    }


def epoch_line(line: dict[str, Any]) -> str:
    """One line about an epoch whose precision was measured."""
    density = f", density {line['density']:.3f}" if "density" in line else ""
    total = sum(line[name] for name in ("box", "objectness", "classes"))
    return f"{line['stage']} epoch {line['epoch']}: loss {total:.2f}, validation mAP {line['val_map50']:.3f}{density}"


def show(summary: dict[str, Any], console: Console) -> None:
    """Print the figures as two tables."""
    console.print(_precision_table(summary))
    console.print(_layer_table(summary))


def _precision_table(summary: dict[str, Any]) -> Table:
    table = Table(title=f"mAP at IoU 0.5 on {summary['test_pictures']} test pictures")
    for column in ("float", "ternary", "integer reference", "weights", "density"):
        table.add_column(column, justify="right")
    table.add_row(
        *(f"{summary[f'{form}_map50']:.3f}" for form in ("float", "ternary", "integer")),
        f"{summary['weights']:,}",
        f"{summary['density']:.3f}",
    )
    return table


def _layer_table(summary: dict[str, Any]) -> Table:
    table = Table(title="Layers: ternary network against integer reference")
    table.add_column("layer")
    for column in ("density", "activations that differ", "largest difference"):
        table.add_column(column, justify="right")
    for name, apart in summary["ternary_against_integer"].items():
        density = summary["density_by_layer"].get(name)
        table.add_row(
            name,
            "" if density is None else f"{density:.3f}",
            f"{100 * apart['share']:.3f} %",
            f"{apart['largest']:.0f}",
        )
    return table
