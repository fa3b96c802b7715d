"""Package files: equal bytes for equal packages, and a refusal in one line of everything that is not whole."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.package import file as package_file
from sterna.package.counters import StepCounters
from sterna.package.file import Stored
from sterna.package.older import Older
from sterna.package.package import Package
from support import bombs
from support.containers import changed, joined, parted, reported
from support.packages import NANO, OLDER_NANO, small_graph, small_package

OLDER = Path(__file__).parent / "format-3.sterna"
"""`small_package()` as the version before the format was raised wrote it."""
OLDER_TAPE = Path(__file__).parent / "tape-4.sterna"
"""`small_package()` as the version before PEs went in step wrote it."""
OLDER_TAPE_NANO = NANO
"""Its config, without the parameters that have gone."""


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


@pytest.fixture(scope="module")
def data(package: Package) -> bytes:
    return package_file.to_bytes(package)


def refusal(data: bytes) -> str:
    with pytest.raises(SternaError) as caught:
        package_file.from_bytes(data, "file.sterna")
    message = str(caught.value)
    assert "\n" not in message and message.startswith("file.sterna: ") and "; remedy: " in message
    return message


def rezipped(data: bytes, **change: object) -> bytes:
    """A package of the format before with parts of package.json replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["package.json"] = json.dumps(json.loads(members["package.json"]) | change).encode()
    return bombs.packed(members)


def stored(data: bytes) -> Stored:
    found = package_file.from_bytes(data)
    assert isinstance(found, Stored)
    return found


def test_what_is_written_is_read(package: Package, tmp_path: Path) -> None:
    path = tmp_path / "new" / "small.sterna"
    package_file.save(package, path)
    found = package_file.read(path)
    assert isinstance(found, Stored)
    assert found.graph == package.graph and found.config == package.config
    assert found.tape == package_file.TapeDigest.of(package.tape, package.config)
    assert found.plan.stored == package.plan.stored and found.plan.bases == package.plan.bases
    assert found.plan.load_after == package.plan.load_after
    for one, other in zip(found.plan.spreads, package.plan.spreads, strict=True):
        assert one.tiles_at_once == other.tiles_at_once
        assert all(np.array_equal(a.filters, b.filters) for a, b in zip(one.parts, other.parts, strict=True))
    assert found.cycles is not None and found.cycles.queued == package.schedule.queued_cycles
    steps = [StepCounters(*step) for step in found.cycles.steps]
    assert steps == [StepCounters.expected(step) for step in package.schedule.steps]


def test_every_flipped_byte_is_noticed(data: bytes) -> None:
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        refusal(bytes(damaged))


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="the package cannot be read"):
        package_file.read(tmp_path / "none.sterna")
    with pytest.raises(SternaError, match="is a folder, not a package"):
        package_file.read(tmp_path)


def test_cannot_write(package: Package, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SternaError, match="cannot be written"):
        package_file.save(package, tmp_path / "file" / "small.sterna")


@pytest.mark.parametrize("section", ["graph", "config", "schedule", "cycles"])
@pytest.mark.parametrize("text", [b"{", b"[]", b"3", b"null", b"[" * 100_000, b"\xff", b""])
def test_json_that_is_none_of_ours(data: bytes, section: str, text: bytes) -> None:
    refusal(changed(data, {section: text}))


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("graph", lambda v: v | {"version": 9}, "its graph cannot be read: is a graph file of another version"),
        ("graph", lambda v: v | {"more": 9}, "graph has unknown keys; keys = more"),
        ("graph", lambda v: v["layers"].pop(), "needs exactly one Input and at least one Output"),
        ("graph", lambda v: v["layers"].pop(1), "holds weights that no layer uses|lacks"),
        ("graph", lambda v: v["layers"][1].update(kind="later"), "of an unknown kind; kind = 'later'"),
        ("graph", lambda v: v["layers"][1]["weights"]["array"].update(shape=[6, 3, 1, 1]), "holds weights that no"),
        ("graph", lambda v: v["layers"][1].update(stride=3), "stride = 3"),
        ("config", lambda v: v | {"tile_h": 4}, "every bank once; tile_h = 4"),
        ("config", lambda v: v | {"more": 4}, "there is no such parameter"),
        ("config", lambda v: v | {"clusters": 1}, "contradict each other; filters"),
        ("schedule", lambda v: v | {"more": 4}, "its schedule is damaged"),
        ("schedule", lambda v: v["plan"].update(stored=3), "its schedule is damaged .*stored"),
        ("schedule", lambda v: v["plan"].update(bases={"image": -1}), "bases.image"),
        ("schedule", lambda v: v["plan"].update(bases={"image": 1 << 31}), "bases.image"),
        ("schedule", lambda v: v["plan"]["spreads"][0].update(parts=0), "spreads.0.parts"),
        ("schedule", lambda v: v["plan"]["spreads"][0].update(parts=9), "contradict each other; filters"),
        ("schedule", lambda v: v["plan"]["spreads"][0].update(tiles_at_once=99), "contradict each other; filters"),
        ("schedule", lambda v: v["plan"]["spreads"].pop(), "contradict each other; filters"),
        ("schedule", lambda v: v["tape"].update(adler=-1), "section schedule is damaged"),
        ("schedule", lambda v: v["tape"].update(length="1"), "section schedule is damaged"),
        ("cycles", lambda v: v["steps"].append([1, 2, 3, 4]), "section cycles is damaged"),
        ("cycles", lambda v: v["steps"].append([1, 2, 3, 4, 1 << 64]), "section cycles is damaged"),
        ("cycles", lambda v: v.update(queued=-1), "section cycles is damaged"),
    ],
)
def test_values_that_cannot_be(data: bytes, section: str, change: Any, message: str) -> None:
    def only_in_place(values: Any) -> object:
        new = change(values)
        return new if isinstance(new, dict) and new.keys() >= values.keys() else None

    refused = refusal(reported(data, section, only_in_place))
    assert re.search(message, refused), refused


def test_filters_of_an_odd_length(data: bytes) -> None:
    assert "a part of a filter's number" in refusal(changed(data, {"filters": lambda payload: payload[:-1]}))


def test_a_package_need_not_tell_cycles(data: bytes) -> None:
    found = stored(joined([each for each in parted(data) if each.name != "cycles"]))
    assert found.cycles is None


def test_equal_packages_give_equal_bytes(package: Package, data: bytes) -> None:
    assert package_file.to_bytes(small_package()) == data
    untimed = replace(package, metadata=package.metadata | {"queued_cycles": 0})
    assert len(package_file.to_bytes(untimed)) < len(data)


def test_what_the_format_before_was_compiled_from_is_read() -> None:
    found = package_file.read(OLDER)
    assert found == Older(small_graph(), OLDER_NANO, trace=True, timed=True)


def test_what_was_compiled_for_an_older_engine_is_read() -> None:
    said = "for an engine with tapes of version 4"
    found = package_file.read(OLDER_TAPE)
    assert found == Older(small_graph(), OLDER_TAPE_NANO, trace=True, timed=True, said=said)


def test_a_package_for_a_later_engine_is_refused(data: bytes) -> None:
    later = reported(data, "schedule", lambda values: values | {"tape": values["tape"] | {"version": 6}})
    assert "is for a later engine; tape version = 6; allowed: 5; remedy: install the later version" in refusal(later)


def test_older_formats_are_refused() -> None:
    for found, remedy in ((2, "compile the graph again"), (99, "install the later version")):
        said = refusal(rezipped(OLDER.read_bytes(), format=found))
        assert f"is a package of another version; format = {found}; allowed: 4; remedy: {remedy}" in said
    assert "package.json has no config" in refusal(rezipped(OLDER.read_bytes(), config=3))


def test_damage_of_the_format_before_is_noticed() -> None:
    data = OLDER.read_bytes()
    for share in (0.01, 0.3, 0.6, 0.999):
        assert "truncated, damaged or no package" in refusal(data[: int(len(data) * share)])
