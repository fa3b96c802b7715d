"""docs/results/emulator.json: the emulator beside onnxruntime's INT8 kernels and the reference, layer by layer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime
import torch

from results import int8_network
from results.record import ROOT, Metric, TableRow, write
from sterna.graph import Conv, Graph, Input, MaxPool, Output, file, reference
from sterna.run.emulator import SIMD, Emulator

SEED = 1
DENSITIES = {15: 0.15, 5: 0.05}
RUNS, LAYER_RUNS = 40, 25


def pruned(graph: Graph, density: float) -> Graph:
    """`graph` with random nonzeros of its ternary layers removed until `density` of their weights are left."""
    rng = np.random.default_rng(SEED)
    layers = []
    for layer in graph.layers:
        if isinstance(layer, Conv) and np.abs(layer.weights.astype(int)).max() == 1:
            kept = density * layer.weights.size / np.count_nonzero(layer.weights)
            layer = replace(layer, weights=layer.weights * (rng.random(layer.weights.shape) < kept).astype(np.int8))
        layers.append(layer)
    return Graph(tuple(layers), graph.act_bits, graph.acc_bits, graph.metadata)


def alone(graph: Graph, conv: Conv) -> Graph:
    """A convolution, with the pooling that alone reads it, as a graph of its own."""
    info = graph.info[conv.input]
    layers: list[Any] = [Input("image", *info.shape, info.scale, info.zero_point), replace(conv, input="image")]
    users = graph.users(conv.name)
    if len(users) == 1 and isinstance(users[0], MaxPool) and users[0].halves:
        layers.append(users[0])
    return Graph((*layers, Output("out", layers[-1].name)), graph.act_bits, graph.acc_bits)


def best(runs: int, *calls: Callable[[], object]) -> list[float]:
    """Least milliseconds of each of `calls`, which take turns."""
    times = [float("inf")] * len(calls)
    for _ in range(runs):
        for number, call in enumerate(calls):
            start = perf_counter()
            call()
            times[number] = min(times[number], 1e3 * (perf_counter() - start))
    return times


def pair(graph: Graph, threads: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Emulator and onnxruntime on an image of noise."""
    image = np.random.default_rng(SEED).integers(0, 256, (1, *graph.info[graph.input.name].shape)).astype(np.uint8)
    emulator = Emulator(graph, [output.name for output in graph.outputs], threads=threads)
    network, integers = int8_network.session(graph, threads), (image ^ 128).view(np.int8)
    return lambda: emulator.run(integers), lambda: network(image)


def check(graph: Graph) -> float:
    """Compare every map with the reference, and give the reference's milliseconds."""
    image = np.random.default_rng(SEED).integers(-128, 128, (1, *graph.info[graph.input.name].shape)).astype(np.int8)
    start = perf_counter()
    expected = reference.execute(graph, image)
    took = 1e3 * (perf_counter() - start)
    for simd in SIMD[1:]:
        for threads in (1, 2):
            for name, tensor in Emulator(graph, threads=threads, simd=simd).run(image).items():
                if not np.array_equal(tensor, expected[name]):
                    raise AssertionError(f"layer '{name}', {simd}, {threads} threads")
    return took


def layer_rows(graphs: dict[int, Graph]) -> list[TableRow]:
    """Of each convolution on one thread, with both densities."""
    rows: list[TableRow] = []
    for conv in (layer for layer in graphs[15].layers if isinstance(layer, Conv)):
        both = {percent: alone(graph, graph[conv.name]) for percent, graph in graphs.items()}  # type: ignore[arg-type]
        sparse, theirs = pair(both[15], 1)
        sparser, _ = pair(both[5], 1)
        ours, least, other = best(LAYER_RUNS, sparse, sparser, theirs)
        rows.append(row(conv, both, ours, least, other))
    return rows


def row(conv: Conv, both: dict[int, Graph], ours: float, least: float, other: float) -> TableRow:
    """What adds weights to a layer adds time in proportion; what is left without any is not of the weights."""
    counts = {percent: np.count_nonzero(graph[conv.name].weights) for percent, graph in both.items()}  # type: ignore[attr-defined]
    filters, channels, kernel, _ = conv.weights.shape
    found = both[15].info[conv.name]
    of_weights = 1.0
    if counts[15] > counts[5]:
        of_weights = min(1.0, (ours - least) / (counts[15] - counts[5]) * counts[15] / ours)
    compute = "compute: additions per nonzero" if counts[15] > counts[5] else "compute: dot products of all weights"
    return {
        "layer": conv.name,
        "shape": f"{channels} -> {filters}, {kernel}x{kernel}, {found.height}x{found.width}",
        "ms_15": round(ours, 3),
        "ms_05": round(least, 3),
        "onnxruntime_ms": round(other, 3),
        "ratio_15": round(other / ours, 2),
        "ratio_05": round(other / least, 2),
        "weights_share": round(float(of_weights), 2),
        "bound": compute if of_weights > 0.5 else "cache (L2): staging, sums and results per pixel",
    }


def main() -> int:
    """Check, measure and write; 1 and nothing written if a map differs."""
    torch.set_num_threads(1)
    trained = file.load(ROOT / "models" / "yolov2-scenes.sterna-graph")
    graphs = {15: trained, 5: pruned(trained, DENSITIES[5])}
    try:
        of_reference = {percent: check(graph) for percent, graph in graphs.items()}
    except AssertionError as difference:
        print(f"error: the emulator differs from the reference: {difference}", file=sys.stderr)
        return 1
    metrics: dict[str, Metric] = {}
    how = f"the least of {RUNS} runs that take turns in one process; one image of noise, 416x416"
    for threads, suffix in ((1, ""), (2, "_2_threads")):
        (ours, theirs), (sparser, _) = (pair(graph, threads) for graph in graphs.values())
        ms_15, ms_05, ms_int8 = best(RUNS, ours, sparser, theirs)
        on = f", {threads} thread{'s' if threads > 1 else ''}"
        for name, value, what in (
            ("ms_15", ms_15, "YOLOv2-416 at density .15"), ("ms_05", ms_05, "YOLOv2-416 at density .05"),
            ("onnxruntime_ms", ms_int8, "the same layers in onnxruntime INT8"),
        ):  # fmt: skip
            metrics[name + suffix] = Metric(what=what + on, value=round(value, 2), unit="ms", method=how)
        for name, value in (("ratio_15", ms_15), ("ratio_05", ms_05)):
            what = f"Time of onnxruntime INT8 / emulator at density .{name[-2:]}{on}"
            metrics[name + suffix] = Metric(what=what, value=round(ms_int8 / value, 2), unit="", method=METHOD)
        if threads == 1:
            metrics["reference_ratio"] = Metric(
                what="Reference's time / emulator's at density .15, 1 thread", value=round(of_reference[15] / ms_15, 1),
                unit="", method="one run of the reference on one thread",
            )  # fmt: skip
            metrics["gmac_per_s"] = Metric(
                what="Multiply-accumulates of the dense network per second at density .15, 1 thread", unit="GMAC/s",
                value=round(macs(trained) / ms_15 / 1e6, 1), method="zero weights are counted; " + how,
            )  # fmt: skip
    metrics["equal"] = Metric(
        what="Every map of both graphs equals the reference", value=True, unit="",
        method=f"{', '.join(SIMD[1:])}, 1 and 2 threads",
    )  # fmt: skip
    write("emulator", metrics, command="make results-emulator", seed=SEED, rows=layer_rows(graphs))
    return 0


#: What is compared with what.
METHOD = (
    f"models/yolov2-scenes, and the same graph with random nonzeros removed to .05; {SIMD[-1]}; onnxruntime "
    f"{onnxruntime.__version__}, QLinearConv on unsigned activations and signed weights, all graph optimisations, "
    "without the leaky activation, its threads not spinning between runs; requantisation on both sides"
)


def macs(graph: Graph) -> float:
    """Multiply-accumulates of all convolutions, zeros included."""
    convs = (layer for layer in graph.layers if isinstance(layer, Conv))
    return float(sum(conv.weights.size * graph.info[conv.name].height * graph.info[conv.name].width for conv in convs))


if __name__ == "__main__":
    sys.exit(main())
