from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.cli.guard import guarded
from sterna.cli.main import app
from sterna.compile import compile_graph
from sterna.errors import FaultsError, SternaError
from sterna.graph import Graph
from sterna.graph.networks import Trunk
from sterna.package import file as package_file
from sterna.spec.config import load_config
from sterna.vision import inputs
from support.network_graphs import random_graph_of

SHAPE = (4, 6, 5)


def graph_of(channels: int) -> Graph:
    trunk = Trunk("relu", channels)
    trunk.conv(4, 3)
    return random_graph_of(np.random.default_rng(0), trunk.classifier(), *SHAPE[:2], density=0.5, outputs=2)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of(SHAPE[2])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two maps, one of them in a folder in it, and an image."""
    (tmp_path / "inner").mkdir()
    for number, name in enumerate(("a", "inner/b")):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(number).integers(0, 256, SHAPE).astype(np.uint8))
    Image.new("RGB", (6, 4)).save(tmp_path / "image.png")
    return tmp_path


def test_maps_are_the_inputs_of_a_graph_of_other_channels(graph: Graph, folder: Path) -> None:
    said: list[str] = []
    (file,) = inputs.find(graph, [folder], False, said.append)
    assert file.name == "a.npy" and "1 file of other kinds" in said[0]
    found = inputs.read(graph, file)
    assert found.shape == (5, 4, 6) and found.dtype == np.int8
    np.testing.assert_array_equal(found.transpose(1, 2, 0).astype(int) + 128, np.load(file))
    assert [each.name for each in inputs.find(graph, [folder], True, said.append)] == ["a.npy", "b.npy"]


def test_images_are_those_of_a_graph_of_three(folder: Path) -> None:
    (file,) = inputs.find(graph_of(3), [folder], True, lambda text: None)
    assert file.name == "image.png" and inputs.read(graph_of(3), file).shape == (3, 4, 6)


def test_what_is_no_input_is_refused(graph: Graph, folder: Path) -> None:
    with pytest.raises(SternaError, match=r"'image': the graph does not take images; channels = 5; .*maps \(\.npy\)"):
        inputs.find(graph, [folder / "image.png"], False, print)
    np.save(folder / "c.npy", np.zeros((4, 6, 4), np.uint8))
    np.savez(folder / "d.npy", np.zeros(SHAPE, np.uint8))
    (folder / "d.npy.npz").rename(folder / "d.npy")
    with pytest.raises(FaultsError) as faults:
        inputs.find(graph, [folder], False, print)
    assert [Path(fault.where).name for fault in faults.value.faults] == ["c.npy", "d.npy"]
    (folder / "none").mkdir()
    with pytest.raises(SternaError, match=r"holds no images; allowed: \.npy"):
        inputs.find(graph, [folder / "none"], False, print)


def test_the_command_compares_backends_on_maps(
    graph: Graph, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package_file.save(compile_graph(graph, load_config("nano"), trace=True, cycles=False), folder / "maps.sterna")
    words = ["compare", str(folder / "maps.sterna"), str(folder / "a.npy"), "--backends", "reference,emulator"]
    assert guarded(lambda: app(words, standalone_mode=False)) == 0
    assert "layers are equal on reference and emulator" in capsys.readouterr().out
