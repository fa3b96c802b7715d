"""The task of a run, by what its network ends in."""

from __future__ import annotations

from typing import Any

from sterna.graph import Graph, pairs
from sterna.importers import registry
from sterna.train.loop.classification import Classification
from sterna.train.loop.detection import Detection
from sterna.train.loop.siamese import Siamese
from sterna.train.loop.task import AnyTask
from sterna.train.options import TrainOptions
from sterna.vision import ranking


def of_network(options: TrainOptions) -> AnyTask:
    """That of the network that `options` name, and of what they want of it."""
    if not registry.is_classifier(options.network, options.given):
        return Detection()
    return Classification() if options.features is None else Siamese()


def of_graph(graph: Graph) -> AnyTask:
    """That of a trained graph."""
    return _OF_KIND.get(graph.metadata.get("kind"), Detection)()


_OF_KIND: dict[Any, type[AnyTask]] = {ranking.KIND: Classification, pairs.KIND: Siamese}
