"""A package file gives the package that was written, or is refused; one of the format before is compiled again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.packages import load, restore
from sterna.errors import SternaError
from sterna.package import file as package_file
from sterna.package.package import Package
from sterna.spec.config import load_config
from support.containers import changed, joined, parted, reported
from support.network_graphs import passthrough_graph, random_network_graph
from support.packages import NANO, OLDER_NANO, small_graph, small_package
from support.random_configs import random_config
from support.random_graphs import random_graph

OLDER = Path(__file__).parents[1] / "package" / "format-3.sterna"


def again(package: Package) -> Package:
    return restore(package_file.from_bytes(package_file.to_bytes(package)), "again")


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


@pytest.fixture(scope="module")
def data(package: Package) -> bytes:
    return package_file.to_bytes(package)


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_on_random_configs(seed: int, trace: bool) -> None:
    rng = np.random.default_rng(seed)
    options = {"input_table": seed % 3 == 0, "general_requant": seed % 2 == 0}
    graph = random_graph(rng, **options)
    config = random_config(rng).model_copy(update=options)
    package = compile_graph(graph, config, trace=trace, cycles=False)
    found = again(package)
    assert found == package and found.graph == package.graph
    assert package_file.to_bytes(found) == package_file.to_bytes(package)


@pytest.mark.parametrize("trace", [True, False])
def test_maps_that_are_split_by_phase(trace: bool) -> None:
    package = compile_graph(passthrough_graph(np.random.default_rng(0), 18, 14), NANO, trace=trace, cycles=False)
    assert again(package) == package


def test_networks_of_several_parts() -> None:
    graph = random_network_graph(np.random.default_rng(0), "yolov2-tiny", 64, 64, density=0.1)
    package = compile_graph(graph, load_config("arria10"), cycles=False)
    assert any(len(spread.parts) > 1 for spread in package.plan.spreads)
    assert again(package) == package


def test_with_cycles_and_without(package: Package, data: bytes) -> None:
    assert again(package) == package and again(package).schedule.timed
    untimed = joined([each for each in parted(data) if each.name != "cycles"])
    assert restore(package_file.from_bytes(untimed), "x") == compile_graph(
        package.graph, NANO, trace=True, cycles=False
    )


def test_a_package_of_the_format_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert load(OLDER) == small_package(OLDER_NANO)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"note: {OLDER}: is a package of format 3, so its graph is compiled again" in said


def test_a_package_for_an_older_engine_is_compiled_again(capsys: pytest.CaptureFixture[str]) -> None:
    path = OLDER.with_name("tape-4.sterna")
    assert load(path) == small_package()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"note: {path}: is a package for an engine with tapes of version 4, so its graph is compiled again" in said


def test_the_note_tells_how_to_write_it_anew(tmp_path: Path) -> None:
    package_file.save(small_package(OLDER_NANO), tmp_path / "new.sterna")
    assert load(tmp_path / "new.sterna") == load(OLDER)


def with_plan(data: bytes, **change: object) -> bytes:
    def changed_plan(values: Any) -> None:
        values["plan"] |= change

    return reported(data, "schedule", changed_plan)


def plan_of(data: bytes) -> dict[str, Any]:
    (schedule,) = [json.loads(each.payload) for each in parted(data) if each.name == "schedule"]
    plan: dict[str, Any] = schedule["plan"]
    return plan


def refusal(data: bytes) -> str:
    with pytest.raises(SternaError) as caught:
        restore(package_file.from_bytes(data, "file"), "file")
    message = str(caught.value)
    assert "\n" not in message and message.startswith("file: ") and "; remedy: " in message
    return message


def test_plans_that_do_not_fit(data: bytes) -> None:
    plan = plan_of(data)
    words = NANO.fm_words
    for change, message in (
        ({"bases": {}}, "bases = none of image; allowed: one"),
        ({"bases": plan["bases"] | {"more": 0}}, "no such layer; layer = 'more'"),
        ({"bases": plan["bases"] | {"out": 0}}, "bases = out; allowed: the maps of the graph"),
        ({"bases": plan["bases"] | {"image": words}}, f"base of image = {words}; allowed: 0 .. {words - 6}"),
        ({"stored": []}, "no list of the right length; stored"),
        ({"stored": ["pool"]}, "stored = its layers; allowed: layers of the graph, each once, with what every output"),
        ({"stored": ["second", "out"]}, "stored = its layers"),
        ({"stored": ["second", "second"]}, "stored = its layers"),
        ({"load_after": 2}, "load_after = 2; allowed: below 2"),
    ):
        assert message in refusal(with_plan(data, **change))
    other = plan["bases"] | {"pool": plan["bases"]["pool"] + 1}
    assert "tape = " in refusal(with_plan(data, bases=other))


def test_filters_that_do_not_fit(data: bytes) -> None:
    for change in (lambda p: p[2:4] + p[2:], lambda p: b"\xff\xff" + p[2:], lambda p: b"\x07\0" + p[2:]):
        assert "its filters; allowed: each of" in refusal(changed(data, {"filters": change}))
    assert "tape = " in refusal(changed(data, {"filters": lambda p: p[2:4] + p[:2] + p[4:]}))


def test_a_graph_that_is_not_the_tapes(data: bytes) -> None:
    def flip(payload: bytes) -> bytes:
        return bytes([payload[0] ^ 1]) + payload[1:]

    assert "its parts contradict each other; tape = " in refusal(changed(data, {"signs": flip}))


def test_a_config_that_is_not_the_tapes(data: bytes) -> None:
    other = reported(data, "config", lambda values: values | {"burst_beats": 16, "accumulators": 8})
    assert "its parts contradict each other; tape = " in refusal(other)


def test_cycles_of_another_number_of_steps(data: bytes) -> None:
    fewer = reported(data, "cycles", lambda values: values | {"steps": values["steps"][1:]})
    assert "its parts contradict each other; cycles = " in refusal(fewer)


def test_a_config_of_other_widths(data: bytes) -> None:
    narrow = reported(data, "config", lambda values: values | {"acc_w": 12})
    assert "accumulators are wider" in refusal(narrow)


def test_a_package_with_another_tape_is_not_read_again(package: Package) -> None:
    """The file does not hold the tape: one that its graph does not give cannot be kept."""
    planted = replace(package, tape=package.tape[:-64])
    assert "its parts contradict each other; tape = " in refusal(package_file.to_bytes(planted))


def test_graphs_of_packages_are_read_without_their_tape(tmp_path: Path, package: Package) -> None:
    package_file.save(package, tmp_path / "a.sterna")
    assert package_file.read(tmp_path / "a.sterna").graph == small_graph()
