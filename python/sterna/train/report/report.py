"""The forms of a detector side by side: precision, and layer by layer density, threshold and where integers differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from sterna.errors import SternaError
from sterna.graph import Conv, Graph
from sterna.run.emulator import executor
from sterna.train.data import GENERATED, Dataset
from sterna.train.model import quantisers
from sterna.train.model.network import Network
from sterna.train.options import TrainOptions
from sterna.train.report import evaluate
from sterna.train.report.evaluate import Evaluator, Execute, Precision
from sterna.train.report.history import EpochLine, total_loss
from sterna.vision.decoder import Decoder
from sterna.vision.prepare import to_integers

COMPARED = 16  # images on which the layers of the ternary network and of the integer graph are compared
TERNARY, INTEGER = "ternary", "integer"  # names of forms: quantised in float arithmetic, and the graph
#: Rows of the precision table that are no class: attribute of Precision, and its title.
MEANS = {
    "map50": "COCO mAP50",
    "map": "COCO mAP50-95",
    "small": "COCO mAP50-95, area below 32²",
    "medium": "COCO mAP50-95, area between",
    "large": "COCO mAP50-95, area above 96²",
    "voc07": "VOC07 mAP50, 11 points",
    "voc10": "VOC10 mAP50, all points",
}
#: And its rows of a class.
OF_CLASS = {
    "ap50": "COCO AP50",
    "ap": "COCO AP50-95",
    "voc07": "VOC07 AP50",
    "voc10": "VOC10 AP50",
}
AREAS = "Areas are in pixels of the network's input; a cell is empty if no labelled box has this size"
FORMS = "Ternary and integer are the weights of the last stage, in floating-point arithmetic and in that of the engine"

#: Called with what is done, of how much, and of what.
Progress = Callable[[int, int, str], None]


class _Metrics(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayerMetrics(_Metrics):
    """One layer of the graph; None is what it does not have, or what was not compared.

    density: nonzero weights / weights. rho: threshold of ternary weights, as a multiple of the mean magnitude.
    share: activations that ternary network and integer graph have different, 0..1; largest: how far, in steps.
    """

    density: float | None = None
    rho: float | None = None
    share: float | None = None
    largest: float | None = None


class Comparison(_Metrics):
    """The forms of one detector on one data set; the methods say how precision is computed, as COCO and as VOC do."""

    images: int
    method: str
    voc_method: str
    #: By form.
    precision: dict[str, Precision]
    #: By name, in the order of the graph.
    layers: dict[str, LayerMetrics]


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


def differences(network: Network, graph: Graph, dataset: Dataset) -> dict[str, dict[str, float]]:
    """By layer: `share` of the activations of ternary network and graph that differ, and the `largest` in steps."""
    network.eval()
    frames = [dataset[index] for index in range(min(COMPARED, len(dataset)))]
    images = np.stack([frame.image for frame in frames])
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network(evaluate.to_real(images, next(network.parameters()).device), record)
    exact = executor(graph)(to_integers(images))
    result = {}
    for layer in graph.layers:
        if layer.name in record:
            steps = np.rint(record[layer.name].cpu().numpy() / graph.info[layer.name].scale)
            apart = np.abs(steps - exact[layer.name])
            result[layer.name] = {"share": float((apart > 0).mean()), "largest": float(apart.max())}
    return result


def evaluators(
    forms: Mapping[str, Network | Graph], classes: tuple[str, ...], execute: Execute | None = None
) -> dict[str, Evaluator]:
    """Each of `forms` as evaluation uses it. The anchors are those of the integer graph, which must be there.

    execute: what computes the graph; None: the emulator.
    Raises SternaError if the graph is missing, is no detector, or was trained for other classes than `classes`.
    """
    graph = _integer_graph(forms)
    anchors = Decoder.of(graph).anchors
    return {
        name: evaluate.of_network(form, anchors)
        if isinstance(form, Network)
        else evaluate.of_graph(form, classes, execute)
        for name, form in forms.items()
    }


def _integer_graph(forms: Mapping[str, Network | Graph]) -> Graph:
    graph = forms.get(INTEGER)
    if not isinstance(graph, Graph):
        raise SternaError(
            "the integer graph is missing", where="evaluate", attribute="forms", value=", ".join(forms) or "none",
            allowed=f"{INTEGER} and any others", remedy="finish the training",
        )  # fmt: skip
    return graph


def compare(
    forms: Mapping[str, Network | Graph],
    dataset: Dataset,
    workers: int = 0,
    progress: Progress | None = None,
    execute: Execute | None = None,
) -> Comparison:
    """Measure all `forms` (`float` and `ternary` networks if there are any, `integer` graph) on `dataset`.

    workers: processes that read images ahead, 0: none. execute: what computes the graph; None: the emulator.
    Raises SternaError as `evaluators` does.
    """
    graph = _integer_graph(forms)
    measured = measure(evaluators(forms, tuple(dataset.classes), execute), dataset, workers, progress)
    layers = _layers(graph, forms.get(TERNARY), dataset)
    return measured.model_copy(update={"layers": layers})


def measure(
    evaluators: Mapping[str, Evaluator], dataset: Dataset, workers: int = 0, progress: Progress | None = None
) -> Comparison:
    """Precision of each of `evaluators` on `dataset`, nothing by layer."""
    precision = {}
    for name, evaluator in evaluators.items():
        precision[name] = evaluator.measure(dataset, workers, None if progress is None else _of_part(progress, name))
    return Comparison(
        images=len(dataset),
        method=evaluate.METHOD,
        voc_method=evaluate.VOC_METHOD,
        precision=precision,
        layers={},
    )


def _of_part(progress: Progress, part: str) -> evaluate.Progress:
    return lambda done, total: progress(done, total, part)


def _layers(graph: Graph, ternary: Network | Graph | None, dataset: Dataset) -> dict[str, LayerMetrics]:
    density = densities(graph)
    rho: dict[str, float] = {}
    apart: dict[str, dict[str, float]] = {name: {} for name in density}
    if isinstance(ternary, Network):
        rho, apart = thresholds(ternary), differences(ternary, graph, dataset)
    return {
        name: LayerMetrics(density=density.get(name), rho=rho.get(name), **metrics) for name, metrics in apart.items()
    }


def summarise(
    options: TrainOptions,
    comparison: Comparison,
    graph: Graph,
    by_stage: Mapping[str, float],
    seconds: float,
    waited: float,
    device: str,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """All metrics of a run as plain JSON values, but for the curves; precisions are 0..1, on the test images.

    by_stage: mAP50 at the end of each stage. seconds: in steps; waited: for images. device: what it was trained on.
    warnings: what a person should not overlook.
    """
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    decoder = Decoder.of(graph)
    curves = {"precision": {"__all__": {"classes": {"__all__": {"curve"}}}}}
    return {
        "warnings": list(warnings),
        "network": options.network,
        "data": options.data if options.data in GENERATED else "folder",
        "classes": list(decoder.classes),
        "image": [options.height, options.width],
        **comparison.model_dump(mode="json", exclude=curves),
        "map50_by_stage": dict(by_stage),
        "weights": sum(array.size for array in weights),
        "density": sum(np.count_nonzero(array) for array in weights) / sum(array.size for array in weights),
        "anchors": [list(anchor) for anchor in decoder.anchors],
        "step_seconds": round(seconds, 1),
        "waited_seconds": round(waited, 1),
        "device": device,
        "options": options.model_dump(mode="json", exclude={"output", "resume", "data"}),
    }


def epoch_line(line: EpochLine) -> str:
    """One line about an epoch whose precision was measured."""
    density = f", density {line['density']:.3f}" if "density" in line else ""
    return (
        f"{line['stage']} epoch {line['epoch']}: loss {total_loss(line):.2f}, "
        f"validation mAP {line['val_map50']:.3f}{density}"
    )


def precision_rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Rows of the precision table: a title, then a cell for each form, empty where nothing could be measured."""
    columns = comparison.precision.values()
    for attribute, title in MEANS.items():
        yield title, *(_share(getattr(precision, attribute)) for precision in columns)
    names = {name: None for precision in columns for name in precision.classes}
    for name in names:
        found = [precision.classes.get(name) for precision in columns]
        for attribute, title in OF_CLASS.items():
            yield f"{name}, {title}", *(_share(getattr(each, attribute, None)) for each in found)


def layer_rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Rows of the layer table: name, density, rho, activations that differ, largest difference in steps."""
    for name, layer in comparison.layers.items():
        yield (
            name,
            _share(layer.density),
            _share(layer.rho),
            "" if layer.share is None else f"{100 * layer.share:.3f} %",
            "" if layer.largest is None else f"{layer.largest:.0f}",
        )


LAYER_TITLES = ("layer", "density", "rho", "activations that differ", "largest difference")


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def notes(comparison: Comparison) -> list[str]:
    """Notes on the precision table, a line each."""
    return _notes(comparison, comparison.method, comparison.voc_method)


def _notes(comparison: Comparison, *methods: str) -> list[str]:
    forms = [FORMS] if TERNARY in comparison.precision else []
    return [f"{note}." for note in (*methods, AREAS, *forms)]


def show(comparison: Comparison, console: Console) -> None:
    """Print precision by form, and the layers; the methods, which are those of today, in short."""
    title = f"Average precision on {comparison.images} images"
    console.print(_table(title, ("", *comparison.precision), precision_rows(comparison)))
    console.print(_table("Layers", LAYER_TITLES, layer_rows(comparison)))
    for note in _notes(comparison, *evaluate.METHODS):
        console.print(note)


def _table(title: str, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Table:
    table = Table(title=title)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    return table
