"""A package's metadata agrees with its graph, its config, its tape and itself, or is refused."""

from __future__ import annotations

import copy
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.package.counters import UNTIMED
from sterna.package.package import Package
from support.network_graphs import passthrough_graph
from support.packages import NANO, small_graph, small_package


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("frame_bytes",), 8, "input.dram_offset"),
        (("result_bytes",), 8, "dram_offset"),
        (("input", "layer"), "first", "input.layer"),
        (("input", "height"), 7, "input.shape"),
        (("input", "width"), None, "input.width"),
        (("stores", 0, "layer"), "nobody", "a layer of the graph"),
        (("stores", 0, "height"), 1, "shape"),
        (("stores", 0, "tiles_w"), 9, "tiles"),
        (("stores", 0, "channels", 0), (99, 0), "channels = 99; allowed: words 0 .. 1"),
        (("stores", 0, "channels", 0), (2, 0), "channels = 2; allowed: words 0 .. 1"),
        (("stores", 0, "dram_offset"), 4, "a multiple of"),
        (("outputs", 0), "first", "outputs"),
        (("steps", 0, "op"), "JUMP", "steps.0.op"),
        (("steps", 0, "cycles"), 1 << 64, "steps.0.cycles"),
        (("steps", 0, "part"), -1, "steps.0.part"),
    ],
)
def test_parts_that_do_not_agree(package: Package, path: tuple[str | int, ...], value: object, message: str) -> None:
    metadata = copy.deepcopy(package.metadata)
    place: Any = metadata
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(SternaError, match="parts contradict each other") as caught:
        replace(package, metadata=metadata)
    assert message in str(caught.value)


def test_steps_must_be_those_of_the_tape(package: Package) -> None:
    fewer = replace(package, metadata=package.metadata | {"steps": package.metadata["steps"][:-1]})
    with pytest.raises(SternaError, match="like the tape"):
        fewer.verify_tape()


def test_a_step_that_was_not_timed_counts_nothing() -> None:
    assert set(astuple(UNTIMED)) == {0}


def test_cycles_are_asked_only_of_a_package_that_tells_them() -> None:
    timed, untimed = (compile_graph(small_graph(), NANO, cycles=cycles) for cycles in (True, False))
    timed.schedule.check_timed("here")
    with pytest.raises(SternaError, match="here: the package does not tell its cycles"):
        untimed.schedule.check_timed("here")


def test_outputs_may_be_stored_under_their_input(package: Package) -> None:
    assert package.source_of("out").layer == "second"


def test_a_map_split_by_phase_has_the_tiles_of_four_phases() -> None:
    """Each of half its height and width; a passthrough of 18x14 stores such maps if it is observed."""
    package = compile_graph(passthrough_graph(np.random.default_rng(0), 18, 14), NANO, trace=True)
    split = {store.layer: (store.tiles_h, store.tiles_w) for store in package.schedule.stores if store.split}
    assert split == {"wide": (4 * 2, 2), "narrow": (4 * 2, 2)}
    metadata = copy.deepcopy(package.metadata)
    next(store for store in metadata["stores"] if store["layer"] == "wide")["tiles_h"] = 4
    with pytest.raises(SternaError, match=r"stores\['wide'\]\.tiles"):
        replace(package, metadata=metadata)
