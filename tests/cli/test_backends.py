"""The command line runs whatever backend is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.other_backends import install_backends

from .conftest import Sterna
from .test_refusals import assert_refused


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder beside that in which other backends are installed."""
    (tmp_path / "site").mkdir()
    install_backends(tmp_path / "site", monkeypatch)
    return tmp_path / "out"


def test_detect_with_a_backend_of_another_distribution(
    sterna: Sterna, package_path: Path, images: Path, folder: Path
) -> None:
    found = []
    for backend in ("reference:", "mine:"):
        ended = sterna("detect", package_path, images, "--backend", backend, "-o", folder, "--threshold", 0.05)
        assert ended.code == 0, ended.err
        report = json.loads((folder / "detections.json").read_text())
        assert report["backend"] == backend
        found.append(report["images"])
    assert found[0] == found[1]
    assert ended.out.endswith("\nExecuted: mine, 0 values wrong.\n")


def test_compare_with_a_backend_of_another_distribution(
    sterna: Sterna, package_path: Path, images: Path, folder: Path
) -> None:
    ended = sterna("compare", package_path, images, "--backends", "reference,mine")
    assert ended.code == 0 and ended.out.count("equal on reference and mine") == 3, ended
    ended = sterna("compare", package_path, images, "--backends", "mine:?wrong=1, reference")
    assert ended.code == 1
    assert "mine:?wrong=1 and reference differ: layer 'pool', image 0, channel 0, row 0, column 0: " in ended.out


def test_all_are_listed(sterna: Sterna, folder: Path) -> None:
    ended = sterna("backends")
    assert ended.code == 0 and not folder.exists(), ended.err
    lines = [line.strip() for line in ended.out.splitlines()]
    for usage in ("reference:", "emulator:", "sim:[FOLDER]", "mine:", "least:", "board:FOLDER"):
        assert any(line.split()[:1] == [usage] for line in lines), ended.out
    for parameter, said in (("latency", "FIRST..LAST"), ("watchdog", "gives up a frame"), ("wrong", "values to get")):
        assert any(line.startswith(parameter) and said in line for line in lines), ended.out
    for scheme in ("broken", "gone", "absent"):
        assert any(line.startswith(f"{scheme}:") and "of their-backends" in line for line in lines), ended.out


def test_the_backends_that_exist_are_named(sterna: Sterna, package_path: Path, images: Path, folder: Path) -> None:
    ended = sterna("detect", package_path, images, "--backend", "yours:", "-o", folder)
    listed = "reference, emulator, hls, onnx, sim, soc, pcie, serial, absent, board, broken, gone, least, mine"
    assert_refused(ended, "no such backend", "backend = yours", f"allowed: {listed}; remedy")
    ended = sterna("detect", package_path, images, "--backend", "absent:", "-o", folder)
    assert_refused(ended, "backend 'absent' of their-backends: cannot be imported", "no_such_module")
