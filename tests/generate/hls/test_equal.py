"""C simulations of projects compute every map as the reference does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import sterna
from sterna.generate.hls import layers
from sterna.generate.hls.terms import terms
from sterna.graph import Add, Conv, Graph, Input, MaxPool, Output, Requant
from support.hls_cases import FORMS, Case, compared, random_case
from support.random_graphs import random_image

SLOW_GRAPHS = 30
NEGATIVE = 1 << 26
"""The bit of a term that says so."""


def check(case: Case, tool: str, io: str, name: object) -> None:
    found = compared(case, tool, io)
    assert len(found.layers) == len(case[0].layers) and found.equal, f"{name}: {found.first}"


def several_kinds() -> Case:
    """Convolutions with every activation, a pool, an addition, and several readers of one map."""
    rng = np.random.default_rng(5)

    def requant(count: int, activation: str, shift: int) -> Requant:
        return Requant(rng.integers(0, 200, count), rng.integers(-9000, 9000, count), shift, activation)

    def weights(filters: int, channels: int, kernel: int, most: int) -> NDArray[np.int8]:
        return rng.integers(-most, most + 1, (filters, channels, kernel, kernel)).astype(np.int8)

    graph = Graph(
        (
            Input("image", 3, 9, 11, 1.0, -3, None),
            Conv("first", "image", weights(4, 3, 3, 7), 1, (1, 1, 1, 2), requant(4, "leaky", 12), 1.0),
            Conv("second", "first", weights(4, 2, 5, 1), 2, (2, 2, 1, 2), requant(4, "relu", 9), 1.0, groups=2),
            MaxPool("kept", "second", 1, 3, (2, 1, 0, 1)),
            Add("sum", ("second", "kept"), requant(4, "linear", 8), 1.0, weights=(5, -3)),
            Output("out", "sum"),
            Output("again", "second"),
        ),
        act_bits=8,
        acc_bits=20,
    )
    return graph, random_image(rng, graph)


@pytest.mark.parametrize("io", ["parallel", "stream"])
def test_random_graphs(io: str) -> None:
    check(random_case(3), "quartus", io, 3)


def test_clamps_and_ties_to_even() -> None:
    """Of every value of an image: ties, and sums of which the slope leaves more than a tie."""
    weights = np.array([1, -1, 7, -9], np.int8).reshape(4, 1, 1, 1)
    multiplier, bias = np.array([3, 1, 2, 5]), np.array([-60, 4, 3, -1])
    requant = Requant(multiplier, bias, 3, "leaky", clamp=(-20, 60), half_even=True)
    conv = Conv("conv", "image", weights, 1, (0, 0, 0, 0), requant, 1.0, zero_point=-5)
    padded = Conv("padded", "conv", np.ones((1, 4, 3, 3), np.int8), 1, (1, 1, 1, 1), Requant(
        np.array([2]), np.array([7]), 3, "linear", half_even=True
    ), 1.0)  # fmt: skip
    graph = Graph((Input("image", 1, 16, 16, 1.0, 0), conv, padded, Output("out", "padded")))
    check((graph, np.arange(-128, 128, dtype=np.int8).reshape(1, 16, 16)), "quartus", "parallel", "ties")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SLOW_GRAPHS))
def test_many_random_graphs(seed: int) -> None:
    check(random_case(100 + seed), *FORMS[seed % len(FORMS)], seed)


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "io"), FORMS)
def test_demo(tool: str, io: str) -> None:
    graph = sterna.load("demo-nano")
    assert isinstance(graph, Graph)
    check((graph, sterna.prepare(graph, sterna.scene(7))), tool, io, "demo-nano")


def test_a_wrong_digit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(conv: Conv) -> NDArray[np.uint32]:
        found = terms(conv)
        adds = np.flatnonzero(found >> 25 & 1)
        found[adds[0]] ^= NEGATIVE
        return found

    case = several_kinds()
    monkeypatch.setattr(layers, "terms", wrong)
    assert not compared(case, "quartus", "parallel").equal
    monkeypatch.undo()
    check(case, "quartus", "parallel", "several kinds")
