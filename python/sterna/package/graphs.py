"""Graphs from whatever holds one: a graph file, a package, the folder of a training run."""

from __future__ import annotations

from pathlib import Path

from sterna import recognise
from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.package import package as package_file


def read_graph(path: Path) -> Graph:
    """The graph in `path`, a graph file, a package or a run folder. Raises SternaError if there is none."""
    kind = recognise.kind_of(path)
    if kind == recognise.PACKAGE:
        return package_file.load(path).graph
    if kind == recognise.RUN and (path / graph_file.IN_RUN).exists():
        return graph_file.load(path / graph_file.IN_RUN)
    return graph_file.load(path)
