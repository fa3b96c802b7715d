"""Random chains of elementwise operators: exact on every reachable accumulator, or refused, and never wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import Conv, Graph
from support.onnx_builder import differences, imported
from support.onnx_chains import ChainModel


def judge(seed: int, folder: Path) -> str:
    """What became of a random chain."""
    chain = ChainModel(np.random.default_rng(seed))
    model = chain.model()
    try:
        graph = imported(model, folder).graph
    except SternaError as error:
        assert str(error).startswith(("node '", "model: "))
        return "refused"
    return "wrong" if differences(model, graph, chain.image()) else "exact"


def count(seeds: range, folder: Path) -> Counter[str]:
    return Counter(judge(seed, folder) for seed in seeds)


def test_chains(tmp_path: Path) -> None:
    found = count(range(60), tmp_path)
    assert not found["wrong"] and found["exact"] > 40 and found["refused"] > 2


@pytest.mark.slow
def test_many_chains(tmp_path: Path) -> None:
    found = count(range(1000, 3000), tmp_path)
    assert not found["wrong"] and found["exact"] > 1500


def test_a_wrong_bias_is_noticed(tmp_path: Path) -> None:
    """By as much as moves the steps by one accumulator."""
    chain = ChainModel(np.random.default_rng(3))
    model = chain.model()
    graph = imported(model, tmp_path).graph
    conv = next(layer for layer in graph.layers if isinstance(layer, Conv))
    requant = replace(conv.requant, bias=conv.requant.bias + conv.requant.multiplier)
    layers = tuple(replace(layer, requant=requant) if layer is conv else layer for layer in graph.layers)
    planted = Graph(layers, graph.act_bits, graph.acc_bits, graph.metadata)
    assert not differences(model, graph, chain.image())
    assert differences(model, planted, chain.image())
