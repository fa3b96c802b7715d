"""Graphs and packages from files, whichever a command was given."""

from __future__ import annotations

from pathlib import Path

from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.run import package as package_file

PACKAGE_SUFFIX = ".sterna"


def read_graph(path: Path) -> Graph:
    """The graph in `path`, a graph file or a package. Raises SternaError if it is neither."""
    if path.suffix == PACKAGE_SUFFIX:
        return package_file.load(path).graph
    return graph_file.load(path)
