"""The generated folder: complete, the same for the same input, and refused where it would be wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.package.package import Package
from sterna.spec import tape
from sterna.spec.config import load_config
from sterna.spec.paths import RTL
from support.packages import NANO, small_package


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_holds_all_it_names(tmp_path: Path) -> None:
    generate(NANO, tmp_path)
    names = (tmp_path / "files.f").read_text().split()
    assert names[0] == "rtl/sterna_pkg.sv"
    assert names[-1] == "sterna_top.sv"
    assert set(names[:-1]) == {f"rtl/{path.relative_to(RTL)}" for path in RTL.rglob("*.sv")}
    for name in names[:-1]:
        assert (tmp_path / name).read_bytes() == (RTL / Path(name).relative_to("rtl")).read_bytes()


def test_top_has_the_ports_and_parameters_of_the_engine(tmp_path: Path) -> None:
    """Names, directions and order of the ports; every parameter has its value."""
    generate(NANO, tmp_path)
    top, engine = (tmp_path / "sterna_top.sv").read_text(), (RTL / "sterna_engine.sv").read_text()
    port = re.compile(r"^\s*(input|output)\s+logic\s*(?:\[.*?\])?\s*(\w+)", re.MULTILINE)
    assert set(port.findall(top)) == set(port.findall(engine))
    parameter = re.compile(r"^\s*parameter\s.*?(\w+)\s*=", re.MULTILINE)
    assert re.findall(r"\.([A-Z]\w+)\((.+?)\)", top) == list(
        json.loads((tmp_path / "parameters.json").read_text())["parameters"].items()
    )
    assert set(parameter.findall(engine)) == {name for name, _ in re.findall(r"\.([A-Z]\w+)\((.+?)\)", top)}
    assert f".ConfigHash(32'h{NANO.hash:08x})" in top


@pytest.mark.parametrize("name", ["nano", "arria10"])
def test_parameters_are_those_of_the_config(tmp_path: Path, name: str) -> None:
    config = load_config(name)
    generate(config, tmp_path)
    about = json.loads((tmp_path / "parameters.json").read_text())
    assert about["config"] == config.model_dump()
    assert about["config_hash"] == config.hash
    assert about["parameters"]["TileW"] == str(config.tile_w)
    assert f"logic [{config.axi_data_w - 1}:0] m_axi_rdata" in (tmp_path / "sterna_top.sv").read_text()


def test_same_input_same_bytes(tmp_path: Path, package: Package) -> None:
    generate(NANO, tmp_path / "a", package)
    generate(NANO, tmp_path / "deep" / "b", package)
    assert contents(tmp_path / "a") == contents(tmp_path / "deep" / "b")


def test_memory_images(tmp_path: Path, package: Package) -> None:
    generate(NANO, tmp_path, package)
    assert (tmp_path / "memory" / "tape.bin").read_bytes() == package.tape
    words = (tmp_path / "memory" / "tape.hex").read_text().split()
    assert {len(word) for word in words} == {2 * NANO.beat_bytes}
    assert b"".join(int(word, 16).to_bytes(NANO.beat_bytes, "little") for word in words) == package.tape
    layout = json.loads((tmp_path / "memory" / "layout.json").read_text())
    assert layout["frame_bytes"] == package.schedule.frame_bytes
    assert [store["layer"] for store in layout["stores"]] == [s.layer for s in package.schedule.stores]
    assert layout["outputs"] == {"out": "second"}
    assert "memory/tape.hex" in (tmp_path / "README.txt").read_text()


def test_replaces_what_it_made_before(tmp_path: Path, package: Package) -> None:
    generate(NANO, tmp_path, package)
    generate(NANO, tmp_path)
    assert not (tmp_path / "memory").exists()
    assert "memory/" not in (tmp_path / "README.txt").read_text()


def test_touches_nothing_else(tmp_path: Path) -> None:
    generate(NANO, tmp_path)
    (tmp_path / "rtl" / "compute" / "sterna_pe.sv").write_text("my own PE")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SternaError, match=r"changed since: rtl/compute/sterna_pe\.sv; not generated: thesis\.tex;"):
        generate(NANO, tmp_path)
    assert generate(NANO, tmp_path, force=True).overwritten == ("rtl/compute/sterna_pe.sv",)
    mine, kept = (folder / "compute" / "sterna_pe.sv" for folder in (tmp_path / "rtl", RTL))
    assert mine.read_bytes() == kept.read_bytes()
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_package_of_another_config(tmp_path: Path, package: Package) -> None:
    with pytest.raises(SternaError, match=r"another engine config; config = nano .*allowed: arria10"):
        generate(load_config("arria10"), tmp_path / "out", package)
    assert not (tmp_path / "out").exists()


def test_tape_of_another_config(tmp_path: Path, package: Package) -> None:
    other = replace(package, tape=tape.write(1234, tape.read(package.tape).segments))
    with pytest.raises(SternaError, match="the tape is for another engine config"):
        generate(NANO, tmp_path / "out", other)


def test_damaged_tape(tmp_path: Path, package: Package) -> None:
    with pytest.raises(SternaError, match="truncated"):
        generate(NANO, tmp_path / "out", replace(package, tape=package.tape[:-64]))
