"""Graphs from whatever holds one: a graph file, a package, the folder of a training run, or a network of Sterna."""

from __future__ import annotations

from pathlib import Path

from sterna import recognise
from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.spec.paths import own_network


def read_graph(path: Path) -> Graph:
    """The graph in `path`: in a graph file, a package or the folder of a run.

    What is no file may be the name of a network that comes with Sterna, `demo-nano`. Raises SternaError if there is
    none.
    """
    kind = recognise.kind_of(path)
    if kind == recognise.PACKAGE:
        return package_file.read(path).graph
    if kind == recognise.RUN and (path / graph_file.IN_RUN).exists():
        return graph_file.load(path / graph_file.IN_RUN)
    return graph_file.load(own_network(path) or path)
