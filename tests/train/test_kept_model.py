from __future__ import annotations

from pathlib import Path

import numpy as np

from sterna.graph import Conv, file
from sterna.train import evaluate_graph, recipes
from sterna.train.data.scenes import SceneSet

MODEL = Path(__file__).parents[2] / "models" / "demo-nano.sterna-graph"


def test_the_kept_model_is_small_sparse_and_finds_things() -> None:
    assert MODEL.stat().st_size < 400_000
    graph = file.load(MODEL)
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    assert sum(np.count_nonzero(array) for array in weights) / sum(array.size for array in weights) < 0.25
    options = recipes.demo(Path("unused"))
    scenes = SceneSet(options.seed, "test", 24, options.height, options.width)
    assert evaluate_graph(graph, scenes).map50 > 0.85
