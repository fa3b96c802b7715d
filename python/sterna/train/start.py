"""What a run begins with: weights, anchors, and the density of each layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress

from sterna.errors import SternaError
from sterna.train import anchors as anchor_boxes
from sterna.train import darknet, density, forms, loss, networks
from sterna.train.data import Dataset, statistics
from sterna.train.data.loader import collate
from sterna.train.evaluate import from_integers
from sterna.train.forms import Trained
from sterna.train.networks import Form, LayerSpec, Network
from sterna.train.options import Allocation, TrainOptions

SENSED = 32  # pictures on which the sensitivity of layers is measured


def weights(options: TrainOptions, classes: tuple[str, ...], console: Console) -> Trained | None:
    """The float weights that `options` name, with a head for `classes`; None for random ones.

    Raises SternaError for files that cannot be read, and for weights of another network, form or classes.
    """
    if options.start is not None:
        return _fitting(forms.load(forms.find(options.start)), options, classes)
    if options.darknet_weights is None:
        return None
    imported = darknet.load(Path(options.network), options.darknet_weights, options.darknet_names)
    for change in imported.changes:
        console.print(f"note: {change}", markup=False)
    torch.manual_seed(options.seed)
    boxes = [list(anchor) for anchor in imported.described.anchors]
    network = darknet.for_classes(imported, classes)
    return Trained(network, options.network, boxes, classes, options.height, options.width)


def _fitting(start: Trained, options: TrainOptions, classes: tuple[str, ...]) -> Trained:
    wanted = {"network": options.network, "classes": ", ".join(classes), "form": Form.FLOAT.value}
    found = {"network": start.name, "classes": ", ".join(start.classes), "form": start.network.form.value}
    for name, value in found.items():
        if value != wanted[name]:
            raise SternaError(
                "the weights to start from are of another kind", where=str(options.start), attribute=name,
                value=value, allowed=wanted[name], remedy="start from the float weights of a run like this one",
            )  # fmt: skip
    return start


def anchors(options: TrainOptions, layers: tuple[LayerSpec, ...], data: Dataset) -> list[list[float]]:
    """Pairs of width and height in cells: those of the options, or else such as fit the boxes of `data`.

    Raises SternaError if the options give another number than the network has, or if `data` has too few boxes.
    """
    head = layers[-1]
    assert isinstance(head, networks.Head)
    if not options.anchors:
        sides = statistics.object_sizes(data) / networks.stride(layers)
        cells = anchor_boxes.cluster(sides, head.anchors, options.seed)
        return [[round(float(width), 3), round(float(height), 3)] for width, height in cells]
    given = np.reshape(options.anchors, (-1, 2)).tolist()
    if len(given) != head.anchors:
        raise SternaError(
            "another number of anchors than the network has boxes in a cell", where="train", attribute="anchors",
            value=f"{len(given)} pairs", allowed=f"{head.anchors} pairs", remedy="give width and height of each",
        )  # fmt: skip
    return given


def densities(
    network: Network, boxes: list[list[float]], options: TrainOptions, data: Dataset, console: Console
) -> dict[str, float]:
    """The density that each ternary layer of `network` (not float; its weights are those of the float network) gets."""
    shared = density.uniform(network.layers, options.density, options.layer_density)
    if options.allocation is Allocation.UNIFORM:
        return shared
    twin = Network(network.layers, network.classes, Form.FLOAT)
    twin.load_state_dict({name: value for name, value in network.state_dict().items() if name in twin.state_dict()})
    free = {name: conv for name, conv in twin.ternary_layers() if name not in options.layer_density}
    with Progress(console=console) as progress:
        bar = progress.add_task("sensitivity", total=len(free) * len(density.densities(options.density)))
        measure = _loss_on(data, boxes, networks.stride(network.layers))
        curves = density.sensitivities(
            twin.eval(), free, measure, options.density, options.pattern, lambda: progress.advance(bar)
        )
    sizes = {name: conv.weight.numel() for name, conv in free.items()}
    return {**shared, **density.allocate(curves, sizes, options.density)}


def _loss_on(data: Dataset, boxes: list[list[float]], stride: int) -> Callable[[Network], float]:
    """The loss of a float network on the first SENSED pictures of `data`."""
    batch = collate([data[index] for index in range(min(SENSED, len(data)))], boxes, stride)
    images, anchors = from_integers(batch.images), torch.tensor(boxes)
    return lambda network: float(loss.losses(network(images), batch.targets, anchors).total)
