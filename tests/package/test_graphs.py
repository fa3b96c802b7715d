"""A graph is read from whatever holds one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.package.graphs import read_graph
from support.packages import small_graph, small_package


def test_graph_file_package_and_run(tmp_path: Path) -> None:
    graph = small_graph()
    run = tmp_path / "run"
    run.mkdir()
    (run / "options.json").write_text("{}")
    with pytest.raises(SternaError, match="run"):
        read_graph(run)
    graph_file.save(graph, run / graph_file.IN_RUN)
    graph_file.save(graph, tmp_path / "graph")
    package_file.save(small_package(), tmp_path / "package")
    expected = graph_file.to_bytes(graph)
    for name in ("graph", "package", "run"):
        assert graph_file.to_bytes(read_graph(tmp_path / name)) == expected


def test_what_holds_none(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("none")
    for name in ("notes", "missing", "."):
        with pytest.raises(SternaError):
            read_graph(tmp_path / name)


def test_a_folder_with_a_graph_is_no_run(tmp_path: Path) -> None:
    graph_file.save(small_graph(), tmp_path / graph_file.IN_RUN)
    with pytest.raises(SternaError):
        read_graph(tmp_path)


def test_a_network_of_sterna_is_no_package() -> None:
    with pytest.raises(SternaError, match=r"is an integer graph, .*; remedy: compile it: .* -o demo-nano\.sterna"):
        load_package(Path("demo-nano"))


def test_a_file_goes_before_a_network_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    graph_file.save(small_graph(), Path("demo-nano"))
    assert graph_file.to_bytes(read_graph(Path("demo-nano"))) == graph_file.to_bytes(small_graph())
