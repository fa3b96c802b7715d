"""The inputs of a graph that paths name: images of any size, or maps if it has other channels than a colour image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import RGB
from sterna.vision import image_files, image_search, maps
from sterna.vision.image_search import Say
from sterna.vision.prepare import check_takes_images, prepare, to_integers


def find(graph: Graph, paths: Sequence[Path], recursive: bool, say: Say) -> list[Path]:
    """The files that `paths` name, each of which can be read; raises SternaError as `image_search` does."""
    if graph.input.channels == RGB:
        files = image_search.find(paths, recursive, say=say)
        image_search.check(files, say)
        return files
    files = image_search.find(paths, recursive, say=say, suffixes=(maps.SUFFIX,))
    faults = []
    for file in files:
        try:
            _opened(graph, file)
        except SternaError as fault:
            faults.append(fault)
    image_search.refuse(faults)
    return files


def read(graph: Graph, path: Path) -> NDArray[np.int8]:
    """The image or map in `path` as the input of `graph`, int8 [C, H, W]. Raises SternaError if it cannot be read."""
    if graph.input.channels == RGB:
        return prepare(graph, image_files.pixels(path))
    return to_integers(np.array(_opened(graph, path)))


def _opened(graph: Graph, path: Path) -> NDArray[np.uint8]:
    """The map in `path`, of which nothing is read yet."""
    if path.suffix.lower() in image_files.SUFFIXES:
        check_takes_images(graph)
    return maps.opened(path, (graph.input.height, graph.input.width, graph.input.channels))
