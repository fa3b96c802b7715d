"""Building a simulator: once for each content, and a clear word when it cannot be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.generate import generate
from sterna.run import simulator
from sterna.spec.paths import ROOT
from support.packages import NANO


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generate(NANO, tmp_path / "engine")
    return tmp_path / "engine"


def test_not_a_generated_folder(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="is not a generated engine"):
        simulator.build(tmp_path, tmp_path / "build")
    with pytest.raises(SternaError, match="is not a generated engine"):
        simulator.build(tmp_path / "none", tmp_path / "build")


def test_incomplete_folder(folder: Path) -> None:
    (folder / "rtl" / "sterna_fifo.sv").unlink()
    with pytest.raises(SternaError, match=r"not complete; missing = rtl/sterna_fifo.sv"):
        simulator.build(folder, folder.parent / "build")


@pytest.mark.parametrize("tool", ["g++", "make", "perl"])
def test_missing_tool(folder: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    tools = folder.parent / "bin"
    tools.mkdir()
    for name in {"g++", "make", "perl"} - {tool}:
        (tools / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SternaError, match=rf"{re.escape(tool)} is missing; remedy: .*apt install"):
        simulator.build(folder, folder.parent / "build")


def test_sources_that_do_not_compile(folder: Path) -> None:
    top = folder / "sterna_top.sv"
    top.write_text(top.read_text().replace(".clk_i(clk_i)", ".clock(clk_i)"))
    with pytest.raises(SternaError, match=r"the build failed: .*clock.*; remedy: see \S*build.log"):
        simulator.build(folder, folder.parent / "build")


def test_build_folder_that_cannot_be_made(folder: Path) -> None:
    (folder.parent / "file").write_text("")
    with pytest.raises(SternaError, match="cannot build the simulator"):
        simulator.build(folder, folder.parent / "file" / "build")


def test_path_with_a_space(folder: Path) -> None:
    with pytest.raises(SternaError, match="my builds: make cannot use a path with a space"):
        simulator.build(folder, folder.parent / "my builds")


def test_default_build_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STERNA_BUILD_DIR", raising=False)
    assert simulator.default_build_dir() == ROOT / "build" / "simulators"
    monkeypatch.setattr(simulator, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert simulator.default_build_dir() == tmp_path / "sterna"
    monkeypatch.setenv("STERNA_BUILD_DIR", str(tmp_path / "b"))
    assert simulator.default_build_dir() == tmp_path / "b"
