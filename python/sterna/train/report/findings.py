"""Warnings about the data of a run and the resulting network, a line each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sterna.graph import Conv, Graph
from sterna.train.data import Dataset, statistics

#: From this share of the requested density on it is missed; from this share of empty filters on a layer has many.
MISSED, EMPTY = 0.1, 0.1
#: Layers that are named with their density.
NAMED = 5


def of_data(splits: Mapping[str, Dataset]) -> list[str]:
    """The classes that a split, by what its images are for, has no object of."""
    lines = []
    for use, dataset in splits.items():
        missing = [name for name, count in statistics.check(dataset).boxes.items() if not count]
        if missing:
            lines.append(f"no object of {', '.join(missing)} in the {use} images")
    return lines


def of_graph(graph: Graph, asked: Mapping[str, float]) -> list[str]:
    """Where `graph` is another than was `asked` for, densities by layer, and where it has nothing left to compute."""
    counts = {layer.name: _nonzeros(layer) for layer in graph.layers if isinstance(layer, Conv)}
    sizes = {layer.name: layer.weights.size for layer in graph.layers if isinstance(layer, Conv)}
    return [*_density(counts, sizes, asked), *_empty(counts)]


def _nonzeros(layer: Conv) -> NDArray[np.int64]:
    """Nonzero weights of each filter."""
    return np.count_nonzero(layer.weights, axis=(1, 2, 3))


def _density(
    counts: Mapping[str, NDArray[np.int64]], sizes: Mapping[str, int], asked: Mapping[str, float]
) -> list[str]:
    if not asked:
        return []
    reached = {name: counts[name].sum() / sizes[name] for name in asked}
    # A filter has a whole number of weights.
    far = {
        name: abs(reached[name] - wanted) - max(MISSED * wanted, 0.5 * len(counts[name]) / sizes[name])
        for name, wanted in asked.items()
    }
    worst = [name for name in sorted(far, key=lambda name: -far[name]) if far[name] > 0]
    total = sum(sizes[name] for name in asked)
    mean = sum(counts[name].sum() for name in asked) / total
    wanted = sum(asked[name] * sizes[name] for name in asked) / total
    if not worst and abs(mean - wanted) <= MISSED * wanted:
        return []
    named = ", ".join(f"{name} {reached[name]:.3f} for {asked[name]:.3f}" for name in worst[:NAMED])
    more = f" and {len(worst) - NAMED} more" * (len(worst) > NAMED)
    return [f"the ternary layers have density {mean:.3f}, not {wanted:.3f}{f': {named}{more}' * bool(worst)}"]


def _empty(counts: Mapping[str, NDArray[np.int64]]) -> list[str]:
    lines = []
    for name, filters in counts.items():
        empty = int((filters == 0).sum())
        if empty == len(filters):
            lines.append(f"layer {name} has no weight left: its output is the same for every image")
        elif empty >= EMPTY * len(filters):
            lines.append(f"layer {name}: {empty} of {len(filters)} filters have no weight left")
    return lines
