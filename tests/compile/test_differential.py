"""Tapes of random graphs on random configs, read by the slow emulator, equal the reference on every stored layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.lower import lower
from sterna.errors import SternaError
from sterna.graph import Add, Conv, Graph, Input, MaxPool, Output, Requant, reference
from sterna.graph.layers import pool_padding
from sterna.spec import load_config
from support.network_graphs import passthrough_graph
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image
from support.tape_emulator import emulated

NANO = load_config("nano")


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("trace", [True, False])
def test_tape_equals_reference(seed: int, trace: bool) -> None:
    rng = np.random.default_rng(seed)
    act_bits = int(rng.choice([4, 6, 8, 8]))
    options = {"input_table": seed % 3 == 0, "general_requant": seed % 2 == 0, "first_layer": seed % 5 == 0}
    graph = random_graph(rng, act_bits=act_bits, **options)
    config = random_config(rng, act_bits=act_bits).model_copy(update=options)
    package = compile_graph(graph, config, trace=trace)
    image = random_image(rng, graph)
    layers, found = reference.execute(graph, image), emulated(package, image)
    assert found
    for name, values in found.items():
        np.testing.assert_array_equal(values, layers[name][0], err_msg=name)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("trace", [True, False])
def test_passthrough_equals_reference(seed: int, trace: bool) -> None:
    """The split maps of a passthrough, of sizes that fill no tile, and a queued image."""
    rng = np.random.default_rng(seed)
    height, width = (2 * int(size) for size in rng.integers(2, 9, 2))
    graph = passthrough_graph(rng, height, width)
    assert lower(graph).split
    package = compile_graph(graph, random_config(rng), trace=trace)
    image = random_image(rng, graph)
    layers = reference.execute(graph, image)
    for name, values in emulated(package, image).items():
        np.testing.assert_array_equal(values, layers[name][0], err_msg=name)


def test_planted_sign_error_is_seen() -> None:
    """With one weight's sign flipped in the compiled graph, the tape no longer equals the reference."""
    rng = np.random.default_rng(7)
    weights = rng.integers(-1, 2, (6, 3, 3, 3)).astype(np.int8)
    requant = Requant(np.ones(6, np.int64), np.zeros(6, np.int64), 4, "linear")

    def graph(weights: np.ndarray) -> Graph:
        conv = Conv("conv", "image", weights, 1, (1, 1, 1, 1), requant, 1.0)
        return Graph((Input("image", 3, 9, 7, 1.0, 0), conv, Output("out", "conv")))

    layers = reference.execute(graph(weights), random_image(rng, graph(weights)))
    config = random_config(rng)
    planted = weights.copy()
    first = tuple(axis[0] for axis in np.nonzero(weights))
    planted[first] *= -1
    found = emulated(compile_graph(graph(planted), config), layers["image"][0])
    assert not np.array_equal(found["conv"], layers["conv"][0])
    found = emulated(compile_graph(graph(weights), config), layers["image"][0])
    assert np.array_equal(found["conv"], layers["conv"][0])


@pytest.mark.parametrize("planted", [False, True])
def test_an_add_of_unequal_weights(planted: bool) -> None:
    """On maps of unequal scales; one digit of a weight that is wrong is seen."""
    requant = Requant(np.full(3, 1 << 10), np.full(3, 77), 17, "leaky")

    def graph(*weights: int) -> Graph:
        wide = replace(requant, multiplier=np.full(3, 1 << 14))
        conv = Conv("conv", "image", np.ones((3, 3, 3, 3), np.int8), 1, (1, 1, 1, 1), wide, 0.3)
        add = Add("sum", ("image", "conv"), requant, 0.2, weights=weights)  # type: ignore[arg-type]
        return Graph((Input("image", 3, 9, 7, 1.0, 0), conv, add, Output("out", "sum")))

    rng = np.random.default_rng(5)
    image = rng.integers(-128, 128, (3, 9, 7)).astype(np.int8)
    expected = reference.execute(graph(83, -109), image)["sum"][0]
    compiled = compile_graph(graph(83, -109 + 16 * planted), random_config(rng))
    assert np.array_equal(emulated(compiled, image)["sum"], expected) != planted


@pytest.mark.parametrize("kernel", range(2, 8))
@pytest.mark.parametrize("stride", [1, 2])
def test_every_window_of_a_pool(kernel: int, stride: int) -> None:
    """With the padding that keeps the size and any other; one pixel that a window lacks is seen."""
    rng = np.random.default_rng(kernel)
    any_padding = tuple(int(side) for side in rng.integers(0, kernel, 4))
    for padding in (pool_padding(kernel, 1), any_padding):
        pool = MaxPool("pool", "image", stride, kernel, padding)
        graph = Graph((Input("image", 5, 23, 17, 1.0, 0), pool, Output("out", "pool")))
        image = rng.integers(-128, 128, (5, 23, 17)).astype(np.int8)
        expected = reference.execute(graph, image)["pool"][0]
        found = emulated(compile_graph(graph, random_config(rng)), image)["pool"]
        assert np.array_equal(found, expected)
        if kernel > 2:
            sides = tuple(min(side, kernel - 2) for side in padding)
            smaller = replace(pool, kernel=kernel - 1, padding=sides)
            fewer = reference.execute(Graph((graph.input, smaller, Output("out", "pool"))), image)["pool"][0]
            height, width = (min(sizes) for sizes in zip(fewer.shape[1:], expected.shape[1:], strict=True))
            assert not np.array_equal(found[:, :height, :width], fewer[:, :height, :width])


def pooled_graph() -> Graph:
    """A conv with the pool that joins it, and another conv."""
    requant = Requant(np.ones(6, np.int64), np.zeros(6, np.int64), 4, "linear")
    first = Conv("first", "image", np.ones((6, 3, 3, 3), np.int8), 1, (1, 1, 1, 1), requant, 1.0)
    last = Conv("last", "pool", np.ones((6, 6, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 1.0)
    return Graph((Input("image", 3, 40, 40, 1.0, 0), first, MaxPool("pool", "first", 2), last, Output("out", "last")))


def test_a_queued_frame_saves_the_load_of_its_image() -> None:
    """Its image came while the frame before ran; only its tape begins with it."""
    package = compile_graph(pooled_graph(), NANO.model_copy(update={"memory": "ideal"}))
    load, *others = package.schedule.steps
    assert [load.op, *(step.op for step in others)] == ["LOAD", "CONV", "LOAD", "CONV", "STORE"]
    assert package.schedule.queued_cycles < sum(step.cycles for step in others) + load.cycles / 2


def test_a_table_needs_an_engine_that_has_it() -> None:
    def with_table(channels: int) -> Graph:
        image = Input("image", channels, 5, 5, 1.0, 0, np.zeros((channels, 256), np.int8))
        return Graph((image, MaxPool("pool", "image", 1, padding=(0, 0, 1, 1)), Output("out", "pool")))

    has_it = NANO.model_copy(update={"input_table": True})
    assert compile_graph(with_table(3), has_it).schedule.steps[0].op == "TABLE"
    with pytest.raises(SternaError, match=r"layer image: .*; input_table = False; .*config with input_table: true"):
        compile_graph(with_table(3), NANO)
    with pytest.raises(SternaError, match=r"layer image: .*input tables; channels = 4; allowed: 1 .. 3"):
        compile_graph(with_table(4), has_it)


def with_requant(**changes: Any) -> Graph:
    """An image, a convolution whose requantisation is so changed, and its output."""
    requant = replace(Requant(np.ones(2, np.int64), np.zeros(2, np.int64), 4, "relu"), **changes)
    conv = Conv("conv", "image", np.ones((2, 3, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 1.0)
    return Graph((Input("image", 3, 5, 5, 1.0, 0), conv, Output("out", "conv")))


@pytest.mark.parametrize("changes", [{"clamp": (0, 15)}, {"clamp": (1, 127)}, {"half_even": True}])
def test_a_clamp_and_ties_to_even_need_an_engine_that_has_them(changes: dict[str, Any]) -> None:
    lacks, has = (NANO.model_copy(update={"general_requant": has}) for has in (False, True))
    with pytest.raises(SternaError, match=r"layer conv: the layer has a clamp .*config with general_requant: true"):
        compile_graph(with_requant(**changes), lacks)
    changed, plain = (compile_graph(graph, has).tape for graph in (with_requant(**changes), with_requant()))
    assert len(changed) == len(plain) and changed != plain


@pytest.mark.parametrize(
    "changes", [{"clamp": (-128, 127)}, {"clamp": (0, 127)}, {"half_even": True, "shift": 0}, {"half_even": False}]
)
def test_what_changes_no_result_needs_nothing_of_an_engine(changes: dict[str, Any]) -> None:
    plain = {"shift": changes.get("shift", 4)}
    lacks = NANO.model_copy(update={"general_requant": False})
    assert compile_graph(with_requant(**changes), lacks).tape == compile_graph(with_requant(**plain), lacks).tape


def test_refuses_what_does_not_fit() -> None:
    rng = np.random.default_rng(3)
    graph = random_graph(rng)
    config = random_config(rng)
    with pytest.raises(SternaError, match="act_bits = 8; allowed: 6"):
        compile_graph(graph, config.model_copy(update={"act_w": 6}))
    with pytest.raises(SternaError, match=r"fm_words >= \d+"):
        compile_graph(graph, config.model_copy(update={"fm_words": 1}))
