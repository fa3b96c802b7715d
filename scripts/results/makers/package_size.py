"""docs/results/package_size.json: packages beside the float32 weights of their networks, and beside the entropy.

The kept models, and full YOLOv2 with random weights at three densities. Random networks get tables of requantisation
with as many random bits as trained ones have, as constant ones would take no room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from results.record import ROOT, Metric, TableRow, write
from sterna.compile import compile_graph
from sterna.graph import Conv, Graph, Layer, file
from sterna.package.file import to_bytes
from sterna.spec.config import load_config
from support.network_graphs import random_network_graph

SEED, SIDE = 0, 416
KEPT = {"demo-nano": "nano", "yolov2-scenes": "arria10"}
CONFIG, DENSITIES = "arria10", (0.15, 0.1, 0.05)
#: Random bits of a multiplier, below its highest, and of a bias with its sign, as in the kept YOLOv2.
MULTIPLIER_BITS, BIAS_BITS = 16, 26
METHOD = "bytes of a float32 for each weight / bytes of the package with everything in it; {}"


def main() -> None:
    """Measure and write."""
    rows = [row(*network) for network in networks()]
    metrics = {}
    for density in DENSITIES:
        found = next(each for each in rows if each["weights"] == "random" and each["density"] == density)
        name = f"{round(100 * density):02}"
        metrics[f"ratio_{name}"] = Metric(
            what=f"Float32 weights / package, full YOLOv2, random weights, density {density}", value=found["ratio"],
            unit="", method=METHOD.format(f"the entropy of the weights alone would give {found['entropy_ratio']}"),
        )  # fmt: skip
    trained = next(each for each in rows if each["weights"] == "yolov2-scenes")
    metrics["ratio_trained"] = Metric(
        what=f"Float32 weights / package, full YOLOv2 as trained, density {trained['density']}",
        value=trained["ratio"], unit="",
        method=METHOD.format(
            f"the entropy, layer by layer and each weight for itself, would give {trained['entropy_ratio']}: "
            "trained weights are not independent of their neighbours"
        ),
    )  # fmt: skip
    write("package_size", metrics, command="make results-package_size", seed=SEED, rows=rows)


def networks() -> Iterator[tuple[str, Graph, str]]:
    """Origin of the weights, graph and config of each network."""
    for name, config in KEPT.items():
        yield name, file.load(ROOT / "models" / f"{name}.sterna-graph"), config
    for density in DENSITIES:
        rng = np.random.default_rng(SEED)
        graph = random_network_graph(rng, "yolov2", SIDE, SIDE, density=density)
        yield "random", replace(graph, layers=tuple(_with_tables(layer, rng) for layer in graph.layers)), CONFIG


def _with_tables(layer: Layer, rng: np.random.Generator) -> Layer:
    if not isinstance(layer, Conv):
        return layer
    filters, half = len(layer.weights), 1 << (BIAS_BITS - 1)
    multiplier = rng.integers(1 << MULTIPLIER_BITS, 2 << MULTIPLIER_BITS, filters)
    bias = rng.integers(-half, half, filters)
    return replace(layer, requant=replace(layer.requant, multiplier=multiplier, bias=bias))


def row(weights: str, graph: Graph, config: str) -> TableRow:
    """The row of a network."""
    convs = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    count = sum(each.size for each in convs)
    ternary = [each for each in convs if each.min() >= -1 and each.max() <= 1]
    size, bound = len(to_bytes(compile_graph(graph, load_config(config)))), sum(map(entropy, convs))
    return {
        "weights": weights,
        "density": round(sum(map(np.count_nonzero, ternary)) / sum(each.size for each in ternary), 2),
        "count": count,
        "package_MB": round(size / 1e6, 3),
        "ratio": round(4 * count / size, 1),
        "entropy_MB": round(bound / 1e6, 3),
        "entropy_ratio": round(4 * count / bound, 1),
        "over_entropy_percent": round(100 * (size / bound - 1), 1),
    }


def entropy(weights: NDArray[np.int8]) -> float:
    """Bytes that the weights of a layer take at least, if each is coded for itself by how often its value occurs."""
    counts = np.unique(weights, return_counts=True)[1]
    return float(-(counts * np.log2(counts / weights.size)).sum() / 8)


if __name__ == "__main__":
    main()
