"""libsterna's reader of packages: the graphs that Python reads, and a refusal of what Python refuses in them."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sterna import _native
from sterna.compile import compile_graph
from sterna.compile.packages import restore
from sterna.errors import SternaError
from sterna.graph import Conv, Graph, Input, MaxPool, Output, Requant, reference
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from support import bombs, containers
from support.native_sources import package_reader
from support.packages import small_graph, small_package
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image

SMALL = package_file.to_bytes(small_package())
OLDER = Path(__file__).parent / "format-3.sterna"
#: Sections of which libsterna reads no more than the header and the checksum: they are for engines.
UNREAD = {"config", "schedule", "filters", "cycles"}
#: Words in the names of bombs that are in these sections.
OF_ENGINES = (*UNREAD, "parameters", "spreads", "bases", "stored", "steps")


def refused(read: Callable[[], object]) -> str:
    """The refusal in one line; empty if there is none."""
    try:
        read()
    except SternaError as error:
        assert "\n" not in str(error) and "; remedy: " in str(error), error
        return str(error)
    return ""


def check_maps(graph: Graph, data: bytes, image: np.ndarray) -> None:
    """The graph that libsterna reads computes every map as the reference does."""
    expected = reference.execute(graph, image)
    emulator = _native.Emulator(_native.package_graph(data, "x"), list(expected), 1, _native.Simd.SCALAR)
    for found, name in zip(emulator.run(image[np.newaxis]), expected, strict=True):
        assert np.array_equal(found, expected[name]), name


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, input_table=bool(seed % 2), general_requant=True)
    has_table = graph.input.table is not None
    config = random_config(rng).model_copy(update={"input_table": has_table, "general_requant": True})
    data = package_file.to_bytes(compile_graph(graph, config, cycles=False))
    check_maps(graph, data, random_image(rng, graph))


def test_a_kept_model() -> None:
    graph = graph_file.load(ROOT / "models" / "demo-nano.sterna-graph")
    data = package_file.to_bytes(compile_graph(graph, load_config("nano"), cycles=False))
    check_maps(graph, data, random_image(np.random.default_rng(0), graph))


def test_every_flipped_byte_and_every_truncation_is_refused() -> None:
    for position in range(len(SMALL)):
        damaged = bytearray(SMALL)
        damaged[position] ^= 0x10
        assert refused(lambda damaged=damaged: _native.package_graph(bytes(damaged), "x"))
        assert refused(lambda position=position: _native.package_graph(SMALL[:position], "x"))


def test_refusals_say_the_same() -> None:
    later = containers.joined([*containers.parted(SMALL), containers.Raw.of("later", b"")])
    twice = containers.joined([*containers.parted(SMALL), containers.parted(SMALL)[0]])
    for data, message in (
        (later, "x: needs a later version of Sterna; section = later"),
        (twice, "x: holds two sections graph; remedy: copy or compile it again"),
        (SMALL[:-1], f"x: is truncated or has extra bytes; bytes = {len(SMALL) - 1}; allowed: {len(SMALL)}"),
        (containers.joined([], format=99), "x: is a package of another version; format = 99; allowed: 4; remedy: inst"),
        (containers.claiming(SMALL, "gaps", 1 << 40), "x: is too large; unpacked bytes of gaps = 1099511627776; allow"),
        (containers.changed(SMALL, {"gaps": b""}), "x: its graph cannot be read: "),
        (containers.changed(SMALL, {"integers": b"\0"}), "x: holds a part of an integer"),
    ):
        for read in (package_file.from_bytes, _native.package_graph):
            assert refused(lambda read=read, data=data: read(data, "x")).startswith(message)


def test_an_accumulator_that_overflows_on_the_way_is_refused_alike() -> None:
    """The sum is at most 2 * 7 * 128 = 1792, but 7 is computed as 8 - 1."""
    requant = Requant(np.ones(1, np.int64), np.zeros(1, np.int64), 4, "linear")
    conv = Conv("conv", "image", np.full((1, 2, 1, 1), 7, np.int8), 1, (0, 0, 0, 0), requant, 1.0)
    graph = Graph((Input("image", 2, 5, 5, 1.0, 0), conv, Output("out", "conv")), acc_bits=13)
    good = package_file.to_bytes(compile_graph(graph, load_config("nano"), cycles=False))
    forged = containers.reported(good, "graph", lambda values: values | {"acc_bits": 12})
    said = [
        refused(lambda read=read: read(forged, "x")) for read in (package_file.from_bytes, _native.package_graph)
    ]
    assert said[0] == said[1]
    assert "layer 'conv', filter 0: the accumulator may overflow; largest magnitude = 2048; allowed: 0 .. 2047 (" in (
        said[0]
    )


def test_once_a_pool_of_stride_1_kept_the_size() -> None:
    """In records of the first version, which did not say so."""
    pool = MaxPool("pool", "image", 1, padding=(0, 0, 1, 1))
    graph = Graph((Input("image", 2, 5, 6, 1.0, 0), pool, Output("out", "pool")))
    package = compile_graph(graph, load_config("nano"), cycles=False)

    def older(values: dict[str, Any]) -> dict[str, Any]:
        image, pool, output = values["layers"]
        del pool["padding"]
        return values | {"version": 1, "layers": [image, pool, output]}

    data = containers.reported(package_file.to_bytes(package), "graph", older)
    check_maps(graph, data, random_image(np.random.default_rng(0), graph))
    assert _native.package_tape(data, "x") == package.tape
    assert package_file.from_bytes(data, "x").graph == graph


def test_an_inner_map_is_not_stored() -> None:
    graph = Graph((Input("image", 2, 5, 6, 1.0, 0), MaxPool("pool", "image", 1, 3), Output("out", "pool")))
    data = package_file.to_bytes(compile_graph(graph, load_config("nano"), cycles=False))

    def damaged(values: dict[str, Any]) -> dict[str, Any]:
        return values | {"plan": values["plan"] | {"stored": ["pool", "pool#1"]}}

    forged = containers.reported(data, "schedule", damaged)
    assert "stored = its layers" in refused(lambda: _native.package_tape(forged, "x"))
    assert refused(lambda: restore(package_file.from_bytes(forged, "x"), "x"))


def test_optional_sections_are_skipped() -> None:
    data = containers.joined([containers.Raw.of("later", b"x", 0), *containers.parted(SMALL)])
    check_maps(small_graph(), data, random_image(np.random.default_rng(0), small_graph()))


def test_older_formats_are_named() -> None:
    said = refused(lambda: _native.package_graph(OLDER.read_bytes(), "x"))
    assert said == (
        "x: is a package of an earlier format; allowed: format 4; remedy: write it anew: "
        "sterna compile FILE --config NAME -o NEW"
    )


def altered(seed: int) -> tuple[str, bytes]:
    """The small package with some bytes of a section changed, and checksums that fit; which section."""
    rng = random.Random(seed)
    section = rng.choice(containers.parted(SMALL))
    payload = bytearray(section.payload)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(payload) + 1)
        payload[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
    return section.name, containers.changed(SMALL, {section.name: bytes(payload)})


@pytest.mark.parametrize("seed", range(0, 4000, 200))
def test_both_readers_refuse_the_same_graphs(seed: int) -> None:
    for number in range(seed, seed + 200):
        section, data = altered(number)
        ours, native = (
            refused(lambda read=read, data=data: read(data, "x"))
            for read in (package_file.from_bytes, _native.package_graph)
        )
        assert bool(ours) == bool(native) or (section in UNREAD and not native), (number, section, ours, native)


def test_bombs_are_refused() -> None:
    for name, bomb in bombs.packages().items():
        data = bomb()
        native = refused(lambda data=data: _native.package_graph(data, "x"))
        assert native or any(word in name for word in OF_ENGINES), name
        assert not native or refused(lambda data=data: package_file.from_bytes(data, "x")), name


@pytest.mark.slow
def test_nothing_is_read_outside(tmp_path: Path) -> None:
    reader = package_reader(tmp_path / "build")
    files: dict[str, bytes] = {"whole": SMALL, "empty": b""}
    files |= {f"cut {length}": SMALL[:length] for length in range(0, len(SMALL), 5)}
    files |= {f"altered {seed}": altered(seed)[1] for seed in range(2000)}
    files |= {f"bomb {name}": bomb() for name, bomb in bombs.packages().items()}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [reader, *(tmp_path / name for name in files)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = dict(zip(files, (line.partition(" ")[2] for line in done.stdout.splitlines()), strict=True))
    assert said["whole"] == "read" and said["empty"].endswith("is truncated; remedy: copy or compile it again")
    assert not any(said[name] == "read" for name in files if name.startswith("cut "))
