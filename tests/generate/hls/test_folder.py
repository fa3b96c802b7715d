"""Projects as folders, and what is refused."""

from __future__ import annotations

import uuid
from pathlib import Path
from uuid import UUID

import pytest

import sterna
from sterna.errors import SternaError
from sterna.generate.hls.cycles import cycles
from sterna.generate.hls.folder import generate_hls
from sterna.generate.hls.layers import nodes_of
from sterna.generate.hls.tools import TOOLS
from sterna.graph import Graph
from support.hls_cases import random_case


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_same_graph_gives_the_same_files(tmp_path: Path, tool: str) -> None:
    graph, _ = random_case(1)
    for name in ("one", "two"):
        generate_hls(graph, tmp_path / name, tool, "parallel")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert not any(str(tmp_path).encode() in data for data in files(tmp_path / "one").values())


def test_random_stamps_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps are of random hexadecimal digits; some of them are numbers to YAML."""
    graph, _ = random_case(1)
    for stamp in ("0a1b2c3d", "12345678", "1234567e", "12345e67"):
        monkeypatch.setattr(uuid, "uuid4", lambda stamp=stamp: UUID(int=int(stamp, 16)))
        generate_hls(graph, tmp_path / stamp, "vitis", "parallel")
        assert files(tmp_path / stamp) == files(tmp_path / "0a1b2c3d")


def test_a_project_replaces_that_of_another_tool(tmp_path: Path) -> None:
    graph, _ = random_case(1)
    generate_hls(graph, tmp_path / "one", "catapult", "stream")
    generate_hls(graph, tmp_path / "one", "vitis", "stream")
    generate_hls(graph, tmp_path / "other", "vitis", "stream")
    assert files(tmp_path / "one").keys() == files(tmp_path / "other").keys()


def test_a_project_that_was_never_compiled_says_so(tmp_path: Path) -> None:
    graph, _ = random_case(1)
    generate_hls(graph, tmp_path / "one", "oneapi", "parallel")
    assert "never compiled" in (tmp_path / "one" / "README.txt").read_text()


@pytest.mark.parametrize(
    ("tool", "io", "said"),
    [("verilator", "parallel", "oneapi"), ("vitis", "wires", "parallel, stream"), ("oneapi", "stream", "parallel")],
)
def test_other_tools_and_forms_are_refused(tmp_path: Path, tool: str, io: str, said: str) -> None:
    graph, _ = random_case(1)
    with pytest.raises(SternaError, match=said):
        generate_hls(graph, tmp_path / "out", tool, io)
    assert not (tmp_path / "out").exists()


def test_zeros_cost_no_cycles() -> None:
    """The convolutions of a sparse graph take about as many cycles as they have nonzeros."""
    graph = sterna.load("demo-nano")
    assert isinstance(graph, Graph)
    nodes = {node.name: node for node in nodes_of(graph).nodes}
    found = cycles(list(nodes.values()), "parallel")
    conv = nodes["layer8"]
    rounds = conv.shape[0] * -(-conv.shape[1] // conv.constants["lanes"])
    assert found.nodes["layer8"] >= rounds * conv.constants["terms"]
    dense = conv.shape[2] * conv.constants["channels"] * conv.constants["kernel"] ** 2
    assert conv.constants["terms"] < dense / 2


def test_streams_take_no_longer_than_their_slowest_layer() -> None:
    graph, _ = random_case(2)
    nodes = nodes_of(graph).nodes
    streams, arrays = cycles(nodes, "stream"), cycles(nodes, "parallel")
    assert streams.queued == max(streams.nodes.values()) < streams.alone
    assert arrays.queued == arrays.alone < streams.alone
