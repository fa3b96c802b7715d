"""docs/results/interop.json: exported models under programs that others wrote, every map beside the reference."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from time import process_time

import numpy as np
import torch

import sterna
from results.record import ROOT, Metric, TableRow, write
from sterna.exporters.onnx.files import FORMS, writer
from sterna.graph import Conv, Graph, file, reference
from sterna.run.compare import compare_results
from support.onnx_models import EXECUTORS, execute_qonnx, raise_threshold, random_case

SEED, RANDOM_GRAPHS = 1000, 200
DEMO, YOLOV2 = "demo-nano", "yolov2-scenes"
Case = tuple[Graph, np.ndarray]
#: What executes each form.
PACKAGES = {
    "onnx": ("onnx", "onnxruntime"),
    "qonnx": ("onnx", "qonnx", "onnxruntime"),
    "finn": ("onnx", "qonnx", "onnxruntime"),
}


def kept(name: str) -> Case:
    """A graph of models/ and a street scene for it."""
    graph = file.load(ROOT / "models" / f"{name}.sterna-graph")
    return graph, sterna.prepare(graph, sterna.scene(7, 416, 416))[np.newaxis]


def random_cases() -> Iterator[Case]:
    """Those of the slow test."""
    return (random_case(seed) for seed in range(SEED, SEED + RANDOM_GRAPHS))


MODELS: dict[str, Callable[[], Iterator[Case]]] = {
    DEMO: lambda: iter([kept(DEMO)]),
    f"{RANDOM_GRAPHS} random graphs": random_cases,
    YOLOV2: lambda: iter([kept(YOLOV2)]),
}


def rows_of(model: str) -> list[TableRow]:
    """A row for each form of a model, with the CPU seconds of writing and executing it."""
    maps, equal, seconds = (dict.fromkeys(FORMS, 0.0) for _ in range(3))
    for graph, images in MODELS[model]():
        expected = reference.execute(graph, images)
        for form in FORMS:
            start = process_time()
            found = EXECUTORS[form](graph, images)
            seconds[form] += process_time() - start
            compared = compare_results(expected, found, list(graph.info)).equal_layers
            maps[form] += len(compared)
            equal[form] += sum(compared.values())
    return [
        {
            "form": form,
            "model": model,
            "maps": int(maps[form]),
            "maps_equal": int(equal[form]),
            "seconds": round(seconds[form], 2),
            "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES[form]),
        }
        for form in FORMS
    ]


def noticed() -> list[bool]:
    """For each convolution of the demo, whether its map differs once a threshold of it is one off."""
    graph, images = kept(DEMO)
    expected = reference.execute(graph, images)
    right = writer(graph, "qonnx").write()
    tensors = execute_qonnx(right, graph.input.name, images)
    found = []
    for layer in (layer.name for layer in graph.layers if isinstance(layer, Conv)):
        wrong = type(right)()
        wrong.CopyFrom(right)
        raise_threshold(wrong, layer, tensors)
        made = execute_qonnx(wrong, graph.input.name, images)[layer].astype(np.int8)
        found.append(not compare_results({layer: made}, {layer: expected[layer]}, [layer]).equal)
    return found


def main() -> int:
    """Measure and write; 1 and nothing written if a map differs or an error is not noticed."""
    torch.set_num_threads(1)
    rows = [row for model in MODELS for row in rows_of(model)]
    found = noticed()
    different = [f"{each['form']}, {each['model']}" for each in rows if each["maps"] != each["maps_equal"]]
    if different or not all(found):
        print(f"error: maps differ: {different}; errors noticed: {sum(found)} of {len(found)}", file=sys.stderr)
        return 1
    metrics = {
        "equal": Metric(
            what="Every map of every exported model equals the reference", value=True, unit="",
            method="onnx in onnxruntime, qonnx and finn in QONNX's own executor, bit for bit; seconds are those of one "
            "thread, to write the models and execute them",
        ),
        "noticed": Metric(
            what="Thresholds that are one off and noticed", value=sum(found), unit="",
            method=f"of {len(found)}, one per convolution of {DEMO}, each reached by an accumulator",
        ),
    }  # fmt: skip
    write("interop", metrics, command="make results-interop", seed=SEED, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
