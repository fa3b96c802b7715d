"""The task of a run, by what its network ends in."""

from __future__ import annotations

from sterna.graph import Graph
from sterna.importers import registry
from sterna.train.loop.classification import Classification
from sterna.train.loop.detection import Detection
from sterna.train.loop.task import AnyTask
from sterna.train.options import TrainOptions
from sterna.vision import ranking


def of_network(options: TrainOptions) -> AnyTask:
    """That of the network that `options` name."""
    return Classification() if registry.is_classifier(options.network, options.given) else Detection()


def of_graph(graph: Graph) -> AnyTask:
    """That of a trained graph."""
    return Classification() if graph.metadata.get("kind") == ranking.KIND else Detection()
