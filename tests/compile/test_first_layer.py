"""First layers that LOAD computes: tapes by the slow emulator, by libsterna, and where LOAD cannot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.build import build
from sterna.compile.first import fits_load
from sterna.compile.lowered import Lowered
from sterna.compile.packages import restore
from sterna.errors import SternaError
from sterna.graph import Graph, reference
from sterna.native import libsterna
from sterna.package import file as package_file
from sterna.package.package import Package
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Op
from support.first_layers import first_config, first_graph
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image
from support.tape_emulator import emulated


def ops(package: Package) -> list[Op]:
    """What the steps of a tape do, in order."""
    return [Op[step.op] for step in package.schedule.steps]


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("trace", [True, False])
def test_tape_equals_reference(seed: int, trace: bool) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(size) for size in rng.integers(2, 24, 2))
    graph = first_graph(rng, height, width, int(rng.integers(1, 33)), seed % 2 == 0)
    package = compile_graph(graph, first_config(rng), trace=trace, cycles=False)
    assert package.plan.first_layer
    assert ops(package)[:2] == [Op.FIRST, Op.LOAD]
    assert ops(package).count(Op.CONV) >= 1
    image = random_image(rng, graph)
    layers, found = reference.execute(graph, image), emulated(package, image)
    assert set(found) >= {"second"} | ({"pool" if seed % 2 == 0 else "first"} if trace else set())
    for name, values in found.items():
        np.testing.assert_array_equal(values, layers[name][0], err_msg=name)


def random_case(seed: int) -> tuple[Graph, EngineConfig]:
    """A graph and an engine of any width, with tables, limits and memory for all maps or for some."""
    rng = np.random.default_rng(seed)
    act_bits = int(rng.integers(4, 9))
    options = {"input_table": seed % 3 == 0, "general_requant": seed % 2 == 0, "first_layer": True}
    graph = random_graph(rng, act_bits=act_bits, max_size=30, **options)
    config = random_config(rng, act_bits=act_bits).model_copy(update=options)
    return graph, config.model_copy(update={"fm_words": 96}) if seed % 4 == 0 else config


@pytest.mark.parametrize("seed", range(32))
def test_random_graphs_equal_the_reference(seed: int) -> None:
    graph, config = random_case(seed)
    package = compile_graph(graph, config, trace=seed % 5 < 2, cycles=False)
    data = package_file.to_bytes(package)
    assert libsterna.package_tape(data, "package") == package.tape
    image = random_image(np.random.default_rng(seed), graph)
    layers, found = reference.execute(graph, image), emulated(package, image)
    assert found
    for name, values in found.items():
        np.testing.assert_array_equal(values, layers[name][0], err_msg=name)


def test_random_graphs_meet_all_cases() -> None:
    """LOAD computes most of their first layers, and maps of some spill."""
    plans = [compile_graph(*random_case(seed), cycles=False).plan for seed in range(32)]
    assert 12 <= sum(plan.first_layer for plan in plans) <= 28
    assert any(plan.bands for plan in plans)


@pytest.mark.parametrize("seed", range(8))
def test_libsterna_makes_the_same_tape(seed: int) -> None:
    """Of the package's graph and plan."""
    rng = np.random.default_rng(seed)
    graph = first_graph(rng, 9, 12, int(rng.integers(1, 33)), seed % 2 == 0)
    package = compile_graph(graph, first_config(rng), trace=seed % 3 == 0, cycles=False)
    assert package.plan.first_layer
    data = package_file.to_bytes(package)
    assert libsterna.package_tape(data, "package") == package.tape
    assert restore(package_file.from_bytes(data, "package"), "package") == package


def test_a_plan_that_load_cannot_do_is_refused() -> None:
    rng = np.random.default_rng(0)
    config = first_config(rng)
    graph = first_graph(rng)
    other = Lowered(first_graph(rng, kernel=5), config)
    plan = compile_graph(graph, config, cycles=False).plan
    with pytest.raises(SternaError, match="first_layer = true; allowed: false, as LOAD cannot"):
        build(other, plan)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: first_graph(rng, filters=33),
        lambda rng: first_graph(rng, kernel=5),
        lambda rng: first_graph(rng, channels=2),
    ],
)
def test_where_load_cannot_the_pes_do(make: Callable[[np.random.Generator], Graph]) -> None:
    rng = np.random.default_rng(0)
    graph, config = make(rng), first_config(rng)
    assert not fits_load(Lowered(graph, config))
    package = compile_graph(graph, config, cycles=False)
    assert not package.plan.first_layer
    assert Op.FIRST not in ops(package)


def test_an_engine_without_it_has_the_tape_that_it_had() -> None:
    """The parameter has a part in the hash only if it is set."""
    rng = np.random.default_rng(0)
    graph, config = first_graph(rng), first_config(rng)
    without = config.model_copy(update={"first_layer": False})
    assert config.hash != without.hash
    package = compile_graph(graph, without, cycles=False)
    assert Op.FIRST not in ops(package)
