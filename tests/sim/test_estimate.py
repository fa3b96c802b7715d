"""The compiler's cycle estimate against cycles counted by the simulated engine, on the kept model."""

from __future__ import annotations

import numpy as np

from sterna.compile import compile_graph
from sterna.graph import file
from sterna.spec import load_config
from sterna.spec.paths import ROOT
from support.engines import simulated


def test_estimate_is_near_the_count() -> None:
    config = load_config("nano")
    graph = file.load(ROOT / "models" / "demo-nano.sterna-graph")
    package = compile_graph(graph, config)
    image = np.random.default_rng(0).integers(-128, 128, (1, *graph.info[graph.input.name].shape)).astype(np.int8)
    with simulated(config) as engine:
        engine.load(package)
        engine.infer(image)
        counters = engine.counters()
    assert counters is not None
    estimated = np.array([step.cycles for step in package.schedule.steps])
    counted = np.array([step.cycles for step in counters.steps])
    assert abs(estimated.sum() / counted.sum() - 1) < 0.06
    # Short steps are mostly latency, which the estimate takes as constant.
    long = counted > 5000
    assert long.sum() >= 5
    assert (np.abs(estimated / counted - 1)[long] < 0.1).all()
