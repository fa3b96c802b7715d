"""The engine's folder: written with a testbench, simulated as it is, and refused where it does not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from sterna.compile import compile_graph
from sterna.compile.packages import load as load_package
from sterna.generate.rtl import generate
from sterna.graph import Conv, Graph, Input, Output, Requant
from sterna.package import file as package_file
from sterna.package import layout
from sterna.spec.config import EngineConfig, load_config
from sterna.vision.image_files import read as read_image
from sterna.vision.prepare import prepare
from support.random_configs import random_config

from .conftest import CLASSES, Sterna, make_graph
from .test_refusals import assert_refused

Got = Callable[[object], None]

#: This config and the planted error are those of tests/sim/test_planted.py, whose simulators serve here too.
CONFIG = random_config(np.random.default_rng(2))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "small.sterna"
    package_file.save(compile_graph(make_graph(CLASSES), CONFIG, trace=True), path)
    return path


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    generate(CONFIG, tmp_path / "my engine")
    return tmp_path / "my engine"


def edit(folder: Path, name: str, text: str, replacement: str) -> None:
    before = (folder / name).read_text()
    assert before.count(text) == 1
    (folder / name).write_text(before.replace(text, replacement))


@pytest.mark.case(
    "compare-an-edited-engine", kind="folder", expected="the edited RTL runs; its first wrong value is named"
)
def test_compare_finds_an_error_in_the_folder(
    sterna: Sterna, package: Path, images: Path, engine: Path, got: Got
) -> None:
    """Bit 1 of the sum of lane 3 comes out inverted."""
    edit(
        engine,
        "rtl/compute/sterna_lane_group.sv",
        "mem_q[address_q3][i] <= total(",
        "mem_q[address_q3][i] <= AccW'(i == 3 ? 2 : 0) ^ total(",
    )
    ended = sterna("compare", package, images, "--engine", engine)
    assert ended.code == 1, ended.err
    *_, first, last = ended.out.splitlines()
    differ = r"a\.png: reference and sim differ: layer 'pool', image 0, channel 0, row (\d), column (\d): "
    place = re.search(differ, first)
    assert place is not None
    assert int(place[1]) % CONFIG.tile_h * CONFIG.tile_w + int(place[2]) % CONFIG.tile_w == 3
    assert last == f"Simulated: the engine in {engine} with rtl/compute/sterna_lane_group.sv edited."
    got(first.partition("a.png: ")[2])


@pytest.mark.case(
    "simulate-a-generated-folder", kind="folder", expected="the summary names the folder that was simulated"
)
def test_every_command_says_which_engine_it_simulated(
    sterna: Sterna, package: Path, images: Path, engine: Path, tmp_path: Path, got: Got
) -> None:
    image = images / "a.png"
    commands = (
        ("simulate", package, image),
        ("compare", package, image),
        ("detect", package, image, "--backend", "sim", "-o", tmp_path / "out"),
    )
    for command in commands:
        ended = sterna(*command, "--engine", engine)
        assert ended.code == 0, ended.err
        assert f"Simulated: the engine in {engine}.\n" in ended.out
    got(f"{', '.join(str(command[0]) for command in commands)}: Simulated: the engine in FOLDER")
    assert "Simulated: the engine generated for 'random'.\n" in sterna("simulate", package, image).out


@pytest.mark.case("engine-folder-of-another-config", kind="folder", expected="refused with both configs named")
def test_folder_of_another_config(sterna: Sterna, package: Path, images: Path, tmp_path: Path, got: Got) -> None:
    generate(load_config("nano"), tmp_path / "engine")
    for command in ("simulate", "compare"):
        ended = sterna(command, package, images, "--engine", tmp_path / "engine")
        named = f"config = nano ({load_config('nano').hash:08x})"
        assert_refused(ended, "has another config", named, f"allowed: random ({CONFIG.hash:08x})")
    got(ended.err.partition("engine: ")[2])


@pytest.mark.case("engine-folder-with-another-parameter", kind="folder", expected="refused with both values named")
def test_folder_with_another_parameter(sterna: Sterna, package: Path, images: Path, engine: Path, got: Got) -> None:
    """What the top says counts, a commented line or a default included."""
    line = f".BurstBeats({CONFIG.burst_beats}),"
    edit(engine, "sterna_top.sv", line, f"// {line}")
    ended = sterna("simulate", package, images, "--engine", engine)
    assert_refused(ended, "differs from the package", "BurstBeats = 64", f"allowed: {CONFIG.burst_beats}, of 'random'")
    got(ended.err.partition("engine: ")[2])


def test_folder_that_is_no_engine(sterna: Sterna, package: Path, images: Path, engine: Path) -> None:
    assert_refused(sterna("simulate", package, images, "--engine", images), "is not a generated engine")
    about = engine / "parameters.json"
    for text in ("{}", "[]", '{"config": 3, "config_hash": "x"}'):
        about.write_text(text)
        assert_refused(sterna("simulate", package, images, "--engine", engine), "config = unknown")
    about.write_text("edited {")
    assert_refused(sterna("simulate", package, images, "--engine", engine), "is not a generated engine")


def test_folder_that_is_not_whole(sterna: Sterna, package: Path, images: Path, engine: Path) -> None:
    manifest = json.loads((engine / "manifest.json").read_text())
    (engine / "manifest.json").write_text(json.dumps(manifest | {"complete": False}))
    assert_refused(sterna("simulate", package, images, "--engine", engine), "was not written completely")


@pytest.mark.parametrize("command", [("compare", "--backends", "reference,sim:other"), ("detect", "-o", "out")])
def test_folder_that_no_backend_would_use(
    sterna: Sterna, package: Path, images: Path, engine: Path, command: tuple[str, ...]
) -> None:
    name, *options = command
    ended = sterna(name, package, images, *options, "--engine", engine)
    assert_refused(ended, "--engine: no backend would use the engine's folder", "remedy: add the backend sim")


@pytest.mark.case("generate-over-edited-rtl", kind="folder", expected="refused; --force overwrites and names the file")
def test_generate_over_an_edited_folder(sterna: Sterna, engine: Path, tmp_path: Path, got: Got) -> None:
    parameters = CONFIG.model_dump(exclude={"name"})
    (tmp_path / "configs.yaml").write_text(yaml.safe_dump({"random": parameters}))
    command = ("generate", "--config", tmp_path / "configs.yaml", "-o", engine)
    assert EngineConfig(name="random", **parameters) == CONFIG
    assert sterna(*command).err == ""
    edit(engine, "sterna_top.sv", "endmodule", "// mine\nendmodule")
    refused = sterna(*command)
    assert_refused(refused, str(engine), "changed since: sterna_top.sv", "--force")
    ended = sterna(*command, "--force")
    assert ended.code == 0
    assert ended.err == f"overwrote {engine / 'sterna_top.sv'}, which sterna generate did not write\n"
    got(refused.err.partition("my engine: ")[2])


@pytest.mark.case(
    "generate-with-an-image", kind="folder", expected="the folder holds the frame, what is expected of it, a testbench"
)
def test_generate_with_an_image(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path, got: Got) -> None:
    path = images / "grey.png"
    ended = sterna("generate", "--package", package_path, "--image", path, "-o", tmp_path / "engine")
    assert ended.code == 0, ended.err
    assert f"testbench by the command in {tmp_path / 'engine' / 'README.txt'}" in ended.out
    names = (tmp_path / "engine" / "testbench.f").read_text().split()
    assert names[-3:] == ["tb/sterna_tb_pkg.sv", "tb/sterna_tb.sv", "tb/sterna_tb_memory.sv"]
    assert all((tmp_path / "engine" / name).is_file() for name in names)
    package = load_package(package_path)
    frame = (tmp_path / "engine" / "memory" / "frame.bin").read_bytes()
    image = prepare(package.graph, np.asarray(read_image(path)))
    assert frame == layout.frame(image).ljust(package.config.in_beats(image.size), b"\0")
    got(", ".join(sorted(path.name for path in (tmp_path / "engine" / "memory").iterdir())))


def test_generate_with_an_image_that_cannot_be(
    sterna: Sterna, package_path: Path, images: Path, tmp_path: Path
) -> None:
    output = tmp_path / "engine"
    command = ("generate", "-o", output, "--image")
    assert_refused(sterna(*command, images / "a.png"), "--image", "needs a package", "remedy: name the package")
    with_package = ("generate", "-o", output, "--package", package_path, "--image")
    assert_refused(sterna(*with_package, images / "notes.txt"), "notes.txt", "not a readable image")
    assert_refused(sterna(*with_package, tmp_path / "none.png"), "none.png")
    assert_refused(sterna(*with_package, images), str(images))
    assert not output.exists()


@pytest.mark.case("image-for-a-graph-without-images", kind="folder", expected="refused with the channels of its input")
def test_image_for_a_graph_that_takes_none(sterna: Sterna, images: Path, tmp_path: Path, got: Got) -> None:
    requant = Requant(np.full(2, 5), np.zeros(2, np.int64), 5, "linear")
    conv = Conv("only", "sound", np.ones((2, 4, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 1.0)
    graph = Graph((Input("sound", 4, 4, 4, 1.0, 0), conv, Output("out", "only")))
    package_file.save(compile_graph(graph, load_config("nano")), tmp_path / "sound.sterna")
    command = ("generate", "-o", tmp_path / "engine", "--package", tmp_path / "sound.sterna", "--image")
    ended = sterna(*command, images / "a.png")
    assert_refused(ended, "layer 'sound'", "does not take images", "channels = 4", "allowed: 3")
    got(ended.err)
