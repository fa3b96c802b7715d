"""`sterna export`, and onnxruntime as a backend of other commands."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import onnx
import pytest

from sterna.cli import doctor
from sterna.exporters.onnx.files import FORMS

from .conftest import Sterna
from .test_refusals import assert_refused


@pytest.mark.parametrize("form", FORMS)
def test_export(sterna: Sterna, graph_path: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "small.onnx"
    for trace in ((), ("--trace",)):
        ended = sterna("export", graph_path, "-o", path, "--form", form, *trace)
        assert ended.code == 0, ended.err
        assert f"{path}: {path.stat().st_size:,} bytes, form {form}, " in ended.out
        assert (len(onnx.load(path).graph.output) > 1) == bool(trace)


def test_export_of_a_package_and_of_the_demo(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    for each in (package_path, "demo-nano"):
        assert sterna("export", each, "-o", tmp_path / "a.onnx").code == 0


def test_refusals_of_export(sterna: Sterna, graph_path: Path, images: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    assert_refused(sterna("export", graph_path, "-o", path, "--form", "tflite"), "form = tflite; allowed: onnx, qonnx")
    assert_refused(sterna("export", graph_path, "-o", graph_path), "would overwrite an input")
    assert_refused(sterna("export", graph_path, "-o", images / "a.png"), "is an image, which would be lost")
    assert_refused(sterna("export", images / "a.png", "-o", path), "is an image, not an integer graph")
    assert not list(tmp_path.iterdir())


def test_export_without_its_packages(
    sterna: Sterna, graph_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("sterna.exporters.onnx.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    ended = sterna("export", graph_path, "-o", tmp_path / "a.onnx")
    assert_refused(ended, "needs a package that is not installed; package = onnx", "pip install 'sterna[interop]'")


def test_detect_and_compare_with_onnxruntime(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    found = []
    for backend in ("emulator:", "onnx:?threads=1"):
        folder = tmp_path / backend[:4]
        ended = sterna("detect", package_path, images, "--backend", backend, "-o", folder, "--threshold", 0.05)
        assert ended.code == 0, ended.err
        found.append(json.loads((folder / "detections.json").read_text())["images"])
    assert found[0] == found[1]
    assert "Executed: onnxruntime" in ended.out and "1 thread." in ended.out
    ended = sterna("compare", package_path, images, "--backends", "reference,onnx")
    assert ended.code == 0 and "layers are equal on reference and onnx" in ended.out


def test_eval_on_a_backend(sterna: Sterna, package_path: Path, graph_path: Path, tmp_path: Path) -> None:
    """The precision is the emulator's; a graph has to be compiled first."""
    found = []
    for number, backend in enumerate(((), ("--backend", "onnx:?threads=1"))):
        ended = sterna("eval", package_path, "--scenes", 2, "--json", tmp_path / f"{number}.json", *backend)
        assert ended.code == 0, ended.err
        found.append((tmp_path / f"{number}.json").read_text())
    assert found[0] == found[1] and "Executed: onnxruntime" in ended.out
    assert_refused(sterna("eval", graph_path, "--backend", "onnx:"), "not a package", "sterna compile")
    assert_refused(sterna("eval", package_path, "--backend", "none:"), "no such backend")


def test_doctor_tells_of_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing of them is named with its remedy, and is no fault."""
    monkeypatch.setattr(metadata, "requires", lambda _: ["onnx; extra == 'interop'", "none; extra == 'video'"])
    found = {tool.name: (tool.optional, finding.good, tool.remedy) for tool in doctor.tools()
             if (finding := doctor.examine(tool)) and tool.optional}  # fmt: skip
    assert found == {
        "onnx": (True, True, "pip install 'sterna[interop]'"),
        "none": (True, False, "pip install 'sterna[video]'"),
    }
    monkeypatch.setattr(doctor, "tools", lambda: [each for each in [*_tools()] if each.optional])
    assert doctor.doctor() == 0


_tools = doctor.tools
