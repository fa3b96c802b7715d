"""Which STORE steps go on beside a step: never one of what the step writes over."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.beside import OpenStores
from sterna.compile.memory import Region
from sterna.graph import reference
from sterna.package.package import Package
from sterna.spec import load_config, tape
from sterna.spec.tape import MOST_BESIDE_STORES
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image
from support.tape_emulator import emulated

NANO = load_config("nano")


def test_stores_of_what_is_written_over_have_ended() -> None:
    stores = OpenStores()
    assert stores.beside([Region(0, 100)]) == 0
    for base in (0, 10, 20):
        stores.add(Region(base, 10))
    assert stores.beside([Region(30, 5), Region(0, 1)]) == 2, "the oldest is written over, and at most two go on"
    assert stores.beside([Region(19, 1)]) == 1
    assert stores.beside([Region(10, 10)]) == 1, "that one had ended already"
    assert stores.beside([Region(0, 5), Region(25, 1)]) == 0
    assert stores.beside([Region(25, 1)]) == 0


def test_no_more_go_on_than_the_engine_has_room_for() -> None:
    stores = OpenStores()
    for base in range(5):
        stores.add(Region(base, 1))
    assert stores.beside([Region(9, 1)]) == MOST_BESIDE_STORES
    assert stores.beside([Region(3, 1)]) == 1


def traced(seed: int) -> tuple[Package, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    package = compile_graph(graph, random_config(rng), trace=True, cycles=False)
    return package, random_image(rng, graph)


def test_a_step_that_waits_for_too_few_stores_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map is written over before it is stored."""
    monkeypatch.setattr(Region, "overlaps", lambda self, other: False)
    wrong = 0
    for seed in range(10):
        package, image = traced(seed)
        layers = reference.execute(package.graph, image)
        wrong += any(not np.array_equal(values, layers[name][0]) for name, values in emulated(package, image).items())
    assert wrong > 3


def test_a_trace_takes_fewer_cycles_when_stores_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(np.random.default_rng(5), max_size=40, max_channels=40)

    def cycles() -> int:
        package = compile_graph(graph, NANO, trace=True)
        beside = [step["beside"] for step in tape.read(package.tape).steps]
        return package.schedule.queued_cycles if any(beside) else -package.schedule.queued_cycles

    beside = cycles()
    monkeypatch.setattr(OpenStores, "beside", lambda self, written: 0)
    alone = -cycles()
    assert 0 < beside < 0.95 * alone
