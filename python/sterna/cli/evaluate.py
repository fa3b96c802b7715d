"""`sterna eval`: the precision of an integer graph on labelled pictures."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from sterna.cli.models import read_graph
from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.run.detector import Detector
from sterna.train import evaluate_graph
from sterna.train.data import SCENES, SPLITS, Dataset, SceneSet, check, default_workers, open_split
from sterna.train.evaluate import METHOD


def evaluate(path: Path, data: str, split: str, scenes: int, seed: int) -> None:
    """Print the mAP of the integer reference of the graph in `path`."""
    graph = read_graph(path)
    dataset = _open(data, split, scenes, seed, graph)
    if data != SCENES:
        for warning in check(dataset).warnings:
            print(warning)
    found = evaluate_graph(graph, dataset, default_workers())
    table = Table("class", "average precision", title=f"mAP {found.map50:.3f} on {len(dataset)} pictures")
    for name, value in found.per_class.items():
        table.add_row(name, f"{value:.3f}")
    Console().print(table)
    print(f"Method: {METHOD}.")


def _open(data: str, split: str, scenes: int, seed: int, graph: Graph) -> Dataset:
    height, width = graph.input.height, graph.input.width
    if data != SCENES:
        return open_split(Path(data), split, height, width, Detector.of(graph).classes)
    if split not in SPLITS:
        raise SternaError(
            "generated scenes have no such split",
            where="eval",
            attribute="split",
            value=split,
            allowed=", ".join(SPLITS),
            remedy="name one of these",
        )
    return SceneSet(seed, split, scenes, height, width)
