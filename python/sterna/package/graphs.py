"""Graphs from whatever holds one: a graph file, a package, the folder of a training run, or a network of Sterna."""

from __future__ import annotations

from pathlib import Path

from sterna import recognise
from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.package import package as package_file
from sterna.package.package import Package
from sterna.spec.paths import own_network


def read_model(path: Path) -> Graph | Package:
    """The graph or package in `path`: a graph file, a package, or the folder of a run, for its graph.

    What is no file may be the name of a network that comes with Sterna, `demo-nano`. Raises SternaError if there is
    none.
    """
    kind = recognise.kind_of(path)
    if kind == recognise.PACKAGE:
        return package_file.load(path)
    if kind == recognise.RUN and (path / graph_file.IN_RUN).exists():
        return graph_file.load(path / graph_file.IN_RUN)
    return graph_file.load(own_network(path) or path)


def read_graph(path: Path) -> Graph:
    """The graph that `read_model` reads, or that of the package."""
    model = read_model(path)
    return model.graph if isinstance(model, Package) else model
