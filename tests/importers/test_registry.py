from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.graph import networks
from sterna.importers import darknet, registry


@pytest.mark.parametrize("name", list(networks.networks))
def test_own_networks_need_no_importer(name: str) -> None:
    assert registry.importer_of(name) is None
    assert registry.describe(name) == networks.describe(name)


def test_a_file_is_read_by_the_importer_of_its_suffix() -> None:
    assert registry.importer_of("folder/own.cfg") is darknet.IMPORTER
    with pytest.raises(SternaError, match=r"own\.cfg.*cannot be read"):
        registry.describe("folder/own.cfg")


def test_nothing_of_onnx_is_needed_for_other_networks() -> None:
    code = "import sys, sterna.importers.registry; sys.exit('onnx' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


def test_another_name_is_refused() -> None:
    with pytest.raises(SternaError, match=r"network = yolov9; allowed: yolov2, yolov2-tiny, yolov2-nano, alexnet, "):
        registry.describe("yolov9")
    assert registry.known() == ", ".join([*networks.networks, "darknet's .cfg files", "and ONNX models (.onnx)"])


def test_no_two_importers_read_the_same_files() -> None:
    suffixes = [each.suffix for each in registry.IMPORTERS]
    assert len(set(suffixes)) == len(suffixes) and all(suffix == suffix.lower() for suffix in suffixes)


@pytest.mark.parametrize("module", ["sterna.importers.registry", "sterna.exporters.darknet", "sterna.graph.networks"])
def test_no_pytorch_is_needed(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
