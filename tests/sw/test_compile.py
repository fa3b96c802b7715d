"""Of a package the library makes the tape that was compiled: it lowers the graph as the compiler does.

What the tape computes is compared with the reference in tests/compile/test_differential.py and tests/sim."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.graph import Conv, Graph, Input, Output, Requant
from sterna.native import libsterna
from sterna.package import container
from sterna.package import file as package_file
from sterna.package.package import Package
from sterna.spec import tape
from sterna.spec.config import load_config
from sterna.spec.package import PackageSection
from support import containers
from support.network_graphs import passthrough_graph
from support.packages import small_package
from support.random_configs import random_config
from support.random_graphs import random_graph


def random_package(seed: int) -> Package:
    rng = np.random.default_rng(seed)
    act_bits = int(rng.choice([4, 6, 8, 8]))
    options = {"input_table": seed % 3 == 0, "general_requant": seed % 2 == 0}
    graph = random_graph(rng, act_bits=act_bits, **options)
    config = random_config(rng, act_bits=act_bits).model_copy(update=options)
    return compile_graph(graph, config, trace=seed % 2 == 0, cycles=False)


@pytest.mark.parametrize("seed", range(100))
def test_random_graphs_on_random_configs(seed: int) -> None:
    package = random_package(seed)
    assert libsterna.package_tape(package_file.to_bytes(package), "package") == package.tape


@pytest.mark.parametrize("seed", range(6))
def test_maps_that_lie_split_by_phase(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (2 * int(size) for size in rng.integers(2, 9, 2))
    package = compile_graph(passthrough_graph(rng, height, width), random_config(rng), trace=True, cycles=False)
    assert libsterna.package_tape(package_file.to_bytes(package), "package") == package.tape


def test_a_planted_error_is_found() -> None:
    """A schedule that names another tape than the library makes of it."""
    changed = containers.reported(
        package_file.to_bytes(small_package()), "schedule", lambda v: v | {"tape": v["tape"] | {"adler": 1}}
    )
    with pytest.raises(SternaError, match=r"^its parts contradict .*; allowed: the tape that was compiled"):
        libsterna.package_tape(changed, "package")


def test_a_package_for_another_engine_is_named() -> None:
    """Of whose tape nothing is said, or another version."""
    package = small_package()
    digest = package_file.TapeDigest.of(package.tape, package.config).model_dump()

    def refused(version: int | None) -> str:
        said = {name: value for name, value in (digest | {"version": version}).items() if value is not None}
        data = containers.reported(package_file.to_bytes(package), "schedule", lambda v: v | {"tape": said})
        with pytest.raises(SternaError) as caught:
            libsterna.package_tape(data, "package")
        return str(caught.value)

    for version, said in ((None, 3), (tape.VERSION - 1, tape.VERSION - 1)):
        assert f"is a package for an earlier engine; tape version = {said}; allowed: {tape.VERSION};" in refused(
            version
        )
    assert "is for a later engine; tape version = 6; allowed: 5; remedy: install the later version" in refused(6)


def with_config(**change: object) -> bytes:
    return containers.reported(package_file.to_bytes(small_package()), "config", lambda values: values | change)


def with_plan(**change: object) -> bytes:
    return containers.reported(
        package_file.to_bytes(small_package()), "schedule", lambda values: values | {"plan": values["plan"] | change}
    )


PLAN = small_package().plan
FIRST = next(iter(PLAN.bases))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (with_config(clusters=0), "clusters = 0; allowed: 1 .. 4"),
        (with_config(clusters=5), "clusters = 5; allowed: 1 .. 4"),
        (with_config(drains=9), "drains = 9; allowed: 1 .. "),
        (with_config(pes=3), "pes = 3; allowed: 4 .. 32"),
        (with_config(pes=1 << 40), "config has a value that is no integer in range"),
        (with_config(tile_h=16), "tile_h = 16; allowed: 3 .. 15"),
        (with_config(axi_data_w=32), "axi_data_w = 32; allowed: 64 .. 512"),
        (with_config(act_w=7), "act_w = 7; allowed: 8 .. 8"),
        (with_config(acc_w=12), "acc_w = 12; allowed: 20 .. 32"),
        (with_config(mul_w=256), "mul_w = 256; allowed: 8 .. 18"),
        (with_config(input_table=1), "neither true nor false; input_table"),
        (with_config(general_requant=1), "neither true nor false; general_requant"),
        (with_plan(stored=[]), "no list of the right length; stored"),
        (with_plan(stored=["none"]), "has no such layer; layer = 'none'"),
        (with_plan(bases={FIRST: 1 << 20}), "base of image"),
        (with_plan(bases=PLAN.bases | {FIRST: 1 << 20}), f"base of {FIRST} = 1048576; allowed: 0 .. "),
        (with_plan(bases=PLAN.bases | {FIRST: -1}), "schedule.plan.bases has a value that is no count"),
        (with_plan(bases=[]), "schedule.plan.bases is no record"),
        (with_plan(load_after=99), "load_after = 99; allowed: below "),
        (with_plan(load_after=-1), "has a value that is no count; load_after"),
        (with_plan(spreads=[]), "its parts contradict each other; filters"),
        (with_plan(spreads=[{"tiles_at_once": 3, "parts": 1, "channels": 1}]), "spreads[0] is impossible"),
        (with_plan(spreads=[{"tiles_at_once": 1, "parts": 65535, "channels": 65535}]), "contradict each other; filters"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_no_engine_runs_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(SternaError) as refusal:
        libsterna.package_tape(data, "package")
    assert said in str(refusal.value) and "; remedy: " in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_multiplier_that_is_too_wide_for_the_engine() -> None:
    requant = Requant(np.full(1, 256), np.zeros(1, np.int64), 4, "linear")
    conv = Conv("conv", "image", np.ones((1, 3, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 1.0)
    graph = Graph((Input("image", 3, 5, 5, 1.0, 0), conv, Output("out", "conv")))
    data = package_file.to_bytes(compile_graph(graph, load_config("nano"), cycles=False))
    narrow = containers.reported(data, "config", lambda values: values | {"mul_w": 8})
    with pytest.raises(SternaError, match="mul_w = 8; allowed: bits that hold the multipliers of layer conv"):
        libsterna.package_tape(narrow, "package")


def test_filters_that_are_not_each_there_once() -> None:
    kept = {name: section.read() for name, section in container.read(package_file.to_bytes(small_package())).items()}
    filters = np.frombuffer(kept[PackageSection.FILTERS], "<u2").copy()
    filters[0] = filters[1]
    kept[PackageSection.FILTERS] = filters.tobytes()
    with pytest.raises(SternaError, match=r"spread of \S+ = its filters; allowed: each of \d+ once"):
        libsterna.package_tape(container.write(kept, ()), "package")
