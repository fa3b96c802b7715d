"""docs/results/imports.json: models of others as integer graphs, exact or refused, judged by QONNX's executor."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto, numpy_helper

from results.record import Metric, TableRow, write
from sterna.errors import SternaError, single
from sterna.exporters.onnx.files import FORMS, save
from sterna.graph import Graph, reference
from sterna.importers.onnx.files import Wanted, read
from sterna.importers.onnx.model import load
from sterna.importers.onnx.reader import Reader, Settings
from support.brevitas_models import EXAMPLES, export_example
from support.onnx_builder import QONNX, differences, imported
from support.onnx_chains import ChainModel
from support.onnx_models import random_case

ZOO = "ZOO"
"""Environment variable with a clone of fastmachinelearning/qonnx_model_zoo."""
SEED, IMAGES, GRAPHS, CHAINS = 1000, 20, 200, 2000
_WEIGHTED = ("Conv", "MatMul", "Gemm")
#: By a part of the path: what has to be said of a model.
_WANTED: dict[str, Wanted] = {
    "TFC_": Wanted(pixels=(0.0, 1.0)),
    "kwsmlp": Wanted(rounds=True),
    "unsw": Wanted(pixels=(-128.0, 127.0)),
    "espcn": Wanted(pixels=(0.0, 1.0)),
    "jettagging": Wanted(pixels=(-4.0, 3.96875), until=("Add_3_out0",), rounds=True),
}


@dataclass(frozen=True)
class Case:
    """A model's file, and what is said of it."""

    name: str
    path: Path
    source: str
    wanted: Wanted


def cases(made: Path) -> Iterator[Case]:
    """The files of the zoo that are there, those that come with QONNX, and Brevitas' examples, written to `made`."""
    folder = Path(os.environ[ZOO])
    done = subprocess.run(
        ["git", "-C", folder, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
    )
    for path in sorted(folder.rglob("*.onnx")):
        yield Case(path.stem, path, f"qonnx_model_zoo {done.stdout.strip()}", _wanted(path))
    for path in sorted(
        (Path(str(resources.files("qonnx"))) / "data" / "onnx").rglob("bsd300x3-espcn/*/quant_model.onnx")
    ):
        yield Case(f"ESPCN {path.parent.name}", path, f"qonnx {version('qonnx')}", _wanted(path))
    for name in EXAMPLES:
        export_example(name, made / f"{name}.onnx")
        yield Case(name, made / f"{name}.onnx", f"brevitas {version('brevitas')}, random weights", _wanted(Path(name)))


def _wanted(path: Path) -> Wanted:
    return next(
        (wanted for part, wanted in _WANTED.items() if part in str(path)), Wanted(pixels=(0.0, 1.0), rounds=True)
    )


def row(case: Case) -> TableRow:
    """What became of a model, and how many values of its results differ on random images."""
    model = onnx.load(case.path)
    faults: list[SternaError] = []
    values = different = 0
    exact = total = filters(model)
    try:
        graph = read(case.path, case.wanted).graph
        values, different = judged(case, model, graph)
    except SternaError as error:
        faults = list(single(error))
        reader = Reader(load(case.path, None), Settings(pixels=case.wanted.pixels, rounds=case.wanted.rounds))
        with suppress(SternaError):
            reader.read()
        exact = reader.filters
    return {
        "model": case.name, "source": case.source, "filters": total, "exact": exact,
        "refused": "; ".join(str(fault.where) for fault in faults) or "-",
        "reason": "; ".join(fault.what for fault in faults) or "-", "values": values, "different": different,
    }  # fmt: skip


def filters(model: ModelProto) -> int:
    """Those of all convolutions and products with matrices."""
    makers = {node.output[0]: node for node in model.graph.node}
    constants = {each.name: numpy_helper.to_array(each).shape for each in model.graph.initializer}
    count = 0
    for node in model.graph.node:
        if node.op_type not in _WEIGHTED:
            continue
        name, turned = node.input[1], node.op_type == "MatMul"
        while name in makers:
            turned ^= makers[name].op_type == "Transpose"
            name = makers[name].input[0]
        count += constants[name][-1 if turned else 0]
    return count


def judged(case: Case, model: ModelProto, graph: Graph) -> tuple[int, int]:
    """How many values the results have on random images, and how many are others in the graph."""
    for node in model.graph.node:
        node.domain = QONNX if node.domain.startswith("finn.") else node.domain
    shape = load(case.path, None).source.shape
    rng = np.random.default_rng(SEED)
    values = different = 0
    for _ in range(IMAGES):
        image = rng.integers(-128, 128, shape).astype(np.int8)
        given = real(case, model, image)
        different += differences(model, graph, image.reshape(graph.info[graph.input.name].shape), given)
        values += sum(int(np.prod(graph.info[each.name].shape)) for each in graph.outputs)
    return values, different


def real(case: Case, model: ModelProto, image: np.ndarray) -> np.ndarray:
    """What the model is given for the image's integers."""
    if case.wanted.pixels is not None:
        low, high = case.wanted.pixels
        return low + (image + 128.0) * ((high - low) / 255)
    names = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    first = next(node for node in model.graph.node if node.input[0] not in names)
    return float(names[first.input[1]]) * image.astype(np.float64)


def round_trips(folder: Path) -> Counter[bool]:
    """How many random graphs, in each form, come back with equal maps of their outputs."""
    found: Counter[bool] = Counter()
    for seed in range(SEED, SEED + GRAPHS):
        graph, images = random_case(seed)
        expected = reference.execute(graph, images)
        for form in FORMS:
            save(graph, folder / "model.onnx", form)
            maps = reference.execute(read(folder / "model.onnx", Wanted()).graph, images)
            found[all(np.array_equal(maps[each.name], expected[each.name]) for each in graph.outputs)] += 1
    return found


def chains(folder: Path) -> Counter[str]:
    """What became of random chains of elementwise operators."""
    found: Counter[str] = Counter()
    for seed in range(SEED, SEED + CHAINS):
        chain = ChainModel(np.random.default_rng(seed))
        model = chain.model()
        try:
            graph = imported(model, folder).graph
        except SternaError:
            found["refused"] += 1
            continue
        found["wrong" if differences(model, graph, chain.image()) else "exact"] += 1
    return found


def main() -> int:
    """Measure and write; 1 and nothing written if a graph is wrong."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        back, found = round_trips(Path(name)), chains(Path(name))
        rows = [row(case) for case in cases(Path(name))]
    if back[False] or found["wrong"]:
        print(f"error: graphs that differ: {back[False]}; chains that are wrong: {found['wrong']}", file=sys.stderr)
        return 1
    metrics: dict[str, Any] = {
        "round_trips": Metric(
            what="Exported graphs that come back with equal outputs", value=back[True], unit="",
            method=f"of {GRAPHS} random graphs in {len(FORMS)} forms, by the reference",
        ),
        "exact": Metric(
            what="Random chains of operators that are exact on every accumulator", value=found["exact"], unit="",
            method=f"of {CHAINS}, by QONNX's executor on images that reach every accumulator of every filter",
        ),
        "refused": Metric(
            what="Random chains of operators that are refused", value=found["refused"], unit="",
            method=f"of the same {CHAINS}; those that have no exact requantisation",
        ),
        "wrong": Metric(
            what="Random chains of operators that are wrong", value=found["wrong"], unit="",
            method=f"of the same {CHAINS}; with any, nothing is written",
        ),
    }  # fmt: skip
    write("imports", metrics, command="make results-imports ZOO=FOLDER", seed=SEED, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
