from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sterna.graph import Conv, Graph, file
from sterna.spec.paths import ROOT
from sterna.train import evaluate_graph, recipes
from sterna.train.data.scenes import SceneSet

DEMO, YOLOV2 = (ROOT / "models" / f"{name}.sterna-graph" for name in ("demo-nano", "yolov2-scenes"))


def density(graph: Graph) -> float:
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    return sum(np.count_nonzero(array) for array in weights) / sum(array.size for array in weights)


def map50(graph: Graph, scenes: int, seed: int) -> float:
    return evaluate_graph(graph, SceneSet(seed, "test", scenes, graph.input.height, graph.input.width)).map50


def test_the_demo_model_is_small_sparse_and_finds_things() -> None:
    assert DEMO.stat().st_size < 400_000
    graph = file.load(DEMO)
    assert density(graph) < 0.25
    assert map50(graph, 24, recipes.demo(Path("unused")).seed) > 0.85


def test_yolov2_is_what_its_recipe_says_and_finds_things() -> None:
    options = recipes.yolov2("scenes", recipes.MANY_IMAGES, Path("unused"))
    graph = file.load(YOLOV2)
    assert (graph.input.height, graph.input.width) == (options.height, options.width)
    assert density(graph) == pytest.approx(options.density, abs=0.001)
    assert map50(graph, 2, options.seed) > 0.9
