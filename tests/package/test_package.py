"""Package files: equal bytes for equal packages, and a clear refusal of everything that is not whole."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.package import package as package_file
from sterna.package.counters import UNTIMED
from sterna.package.package import Package
from sterna.spec import tape
from support.network_graphs import passthrough_graph
from support.packages import NANO, small_graph, small_package


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


def refusal(data: bytes) -> str:
    with pytest.raises(SternaError) as caught:
        package_file.from_bytes(data, "file.sterna")
    message = str(caught.value)
    assert "\n" not in message
    return message


def rezipped(data: bytes, change: dict[str, bytes | None]) -> bytes:
    """The archive with entries replaced (None: left out)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return buffer.getvalue()


def about(data: bytes, **change: Any) -> bytes:
    """The archive with parts of package.json replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = json.loads(archive.read("package.json"))
    return rezipped(data, {"package.json": json.dumps(parts | change).encode()})


def test_round_trip(package: Package, tmp_path: Path) -> None:
    path = tmp_path / "new" / "small.sterna"
    package_file.save(package, path)
    loaded = package_file.load(path)
    assert loaded.graph == package.graph
    assert loaded.tape == package.tape
    assert loaded.config == package.config
    assert loaded.schedule == package.schedule
    assert package_file.to_bytes(loaded) == path.read_bytes()


def test_every_flipped_byte_is_noticed_or_harmless(package: Package) -> None:
    """A flip is refused, unless it hits what carries no content (times and attributes of the archive)."""
    data = package_file.to_bytes(package)
    noticed = 0
    for position in range(0, len(data), max(1, len(data) // 400)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        try:
            loaded = package_file.from_bytes(bytes(damaged))
        except SternaError:
            noticed += 1
        else:
            assert (loaded.tape, loaded.graph, loaded.config) == (package.tape, package.graph, package.config)
            assert loaded.schedule == package.schedule
    assert noticed > 300


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_truncated(package: Package, share: float) -> None:
    data = package_file.to_bytes(package)
    assert "truncated, damaged or no package" in refusal(data[: int(len(data) * share)])


def test_not_a_package() -> None:
    assert "truncated, damaged or no package" in refusal(b"\x89PNG and so on" * 10)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    wanted = "graph.bin, package.json, tape.bin"
    assert f"is not a Sterna package; members = none; allowed: {wanted}" in refusal(empty.getvalue())


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="the package cannot be read"):
        package_file.load(tmp_path / "none.sterna")
    with pytest.raises(SternaError, match="is a folder, not a package"):
        package_file.load(tmp_path)


def test_cannot_write(package: Package, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SternaError, match="cannot be written"):
        package_file.save(package, tmp_path / "file" / "small.sterna")


def test_other_version(package: Package) -> None:
    data = package_file.to_bytes(package)
    assert "is a package of another version; format = 99; allowed: 3" in refusal(about(data, format=99))
    assert "format = 1; allowed: 3; remedy: compile the graph again" in refusal(about(data, format=1))
    assert "is a package of another version" in refusal(rezipped(data, {"package.json": b"[]"}))
    assert "not JSON" in refusal(rezipped(data, {"package.json": b"{"}))
    assert "has no config" in refusal(about(data, config=3))


def test_wrong_config(package: Package) -> None:
    data = package_file.to_bytes(package)
    illegal = NANO.model_dump() | {"tile_h": 4}
    assert "every bank once; tile_h = 4" in refusal(about(data, config=illegal))
    other = NANO.model_dump() | {"accumulators": 8}
    assert "the tape is for another engine config" in refusal(about(data, config=other))


def test_damaged_tape_inside_a_sound_archive(package: Package) -> None:
    data = package_file.to_bytes(package)
    for index, segment in enumerate(tape.read(package.tape).segments):
        at = package.tape.index(segment.payload)
        damaged = package.tape[: at + 3] + bytes([package.tape[at + 3] ^ 4]) + package.tape[at + 4 :]
        message = refusal(rezipped(data, {"tape.bin": damaged}))
        assert f"tape segment {index}: {segment.kind.name} checksum is wrong" in message


def test_damaged_graph_inside_a_sound_archive(package: Package) -> None:
    data = package_file.to_bytes(package)
    assert "its graph cannot be read" in refusal(rezipped(data, {"graph.bin": b"nothing"}))


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


@pytest.mark.parametrize(("name", "most"), [("tape.bin", 96), ("package.json", 1)])
def test_a_member_may_unpack_to_so_many_mebibytes(name: str, most: int) -> None:
    assert package_file.LIMITS.named[name] == most << 20
