"""Graphs in the C simulations of their projects, every map beside the reference."""

from __future__ import annotations

from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from sterna.generate.hls.backend import CSimulation
from sterna.graph import Graph, reference
from sterna.run.compare import Comparison, compare_results
from support.random_graphs import random_graph, random_image

#: Tools whose projects g++ builds, and how maps go from layer to layer.
FORMS = [(tool, io) for tool in ("quartus", "vitis", "catapult") for io in ("parallel", "stream")]
Case = tuple[Graph, NDArray[np.int8]]


def random_case(seed: int) -> Case:
    """A small random graph and an image for it."""
    rng = np.random.default_rng(seed)
    bits = int(rng.integers(4, 9))
    graph = random_graph(
        rng, max_size=12, max_channels=12, act_bits=bits, input_table=seed % 3 == 0, general_requant=True
    )
    return graph, random_image(rng, graph)


def compared(case: Case, tool: str, io: str) -> Comparison:
    """Every map of the simulation beside the reference."""
    graph, image = case
    with closing(CSimulation(graph, list(graph.info), tool, io)) as simulation:
        found = simulation.run(image)
    return compare_results(reference.execute(graph, image), found, list(graph.info))
