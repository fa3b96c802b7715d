"""The simulated engine computes first layers in LOAD, of frames alone and of queued ones."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from support.engines import infer_queued, simulated
from support.first_layers import first_graph
from support.random_graphs import random_graph, random_image

CONFIG = load_config("nano").model_copy(update={"first_layer": True, "acc_w": 24})


@pytest.mark.parametrize("pool", [True, False])
def test_the_engine_computes_a_first_layer(pool: bool) -> None:
    rng = np.random.default_rng(0)
    with simulated(CONFIG) as engine, open_backend("reference:") as reference:
        for filters, (height, width) in ((32, (30, 26)), (7, (11, 9)), (18, (2, 33))):
            graph = first_graph(rng, height, width, filters, pool)
            package = compile_graph(graph, CONFIG, trace=True, cycles=False)
            assert package.plan.first_layer
            images = rng.integers(-128, 128, (3, 3, height, width)).astype(np.int8)
            comparison = compare_backends(reference, engine, package, images)
            assert comparison.equal, comparison.first
            found, _ = infer_queued(engine, images)
            wanted = reference.infer(images)
            for name, values in found.items():
                np.testing.assert_array_equal(values, wanted[name], err_msg=name)


def test_random_graphs() -> None:
    """With limits of their own; some have another first layer, which the PEs compute."""
    in_load = 0
    with simulated(CONFIG) as engine, open_backend("reference:") as reference:
        for seed in range(12):
            rng = np.random.default_rng(seed)
            graph = random_graph(rng, max_size=30, max_channels=40, general_requant=True, first_layer=True)
            package = compile_graph(graph, CONFIG, trace=True, cycles=False)
            in_load += package.plan.first_layer
            comparison = compare_backends(reference, engine, package, random_image(rng, graph)[np.newaxis])
            assert comparison.equal, f"graph {seed}: {comparison.first}"
    assert 6 <= in_load < 12


@pytest.mark.slow
def test_a_frame_of_planes_is_refused() -> None:
    """By an engine whose driver cannot say that the channels of a pixel lie side by side."""
    rng = np.random.default_rng(0)
    graph = first_graph(rng)
    package = compile_graph(graph, CONFIG, cycles=False)
    plant = "sterna_axil_regs.sv", "frame_layout_d = w_q.data[1:0];", "frame_layout_d = w_q.data[1:0] & 2'd2;"
    with simulated(CONFIG, plant=plant) as engine:
        engine.load(package)
        with pytest.raises(SternaError, match=r"side by side.*INTERLEAVED"):
            engine.infer(random_image(rng, graph)[np.newaxis])
