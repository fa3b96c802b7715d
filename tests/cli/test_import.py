"""`sterna import`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from sterna.exporters.onnx.files import save
from sterna.graph import Graph, file
from sterna.package.graphs import read_graph
from support.onnx_builder import ModelBuilder

from .conftest import Sterna
from .test_refusals import assert_refused


def model(path: Path) -> Path:
    """A product whose sums are the result, of bytes that stand for 0 .. 1."""
    made = ModelBuilder((3, 4, 4))
    made.add("Flatten")
    made.add("MatMul", np.ones((48, 5), np.float32))
    onnx.save(made.model(), path)
    return path


def test_import(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    """What was exported comes back."""
    save(read_graph(graph_path), tmp_path / "small.onnx", "onnx")
    ended = sterna("import", tmp_path / "small.onnx", "-o", tmp_path / "back.sterna-graph")
    assert ended.code == 0, ended.err
    assert "back.sterna-graph: " in ended.out and "all exact, 20-bit accumulators" in ended.out
    back, graph = file.load(tmp_path / "back.sterna-graph"), read_graph(graph_path)
    assert [back.info[each.name] for each in back.outputs] == [graph.info[each.name] for each in graph.outputs]


def test_options(sterna: Sterna, tmp_path: Path) -> None:
    path, output = model(tmp_path / "a.onnx"), tmp_path / "a.sterna-graph"
    assert_refused(sterna("import", path, "-o", output), "--pixels 0,1")
    assert_refused(sterna("import", path, "-o", output, "--pixels", "0,1"), "gives sums as a result", "--round-results")
    ended = sterna("import", path, "-o", output, "--pixels", "0,1", "--shape", "3,4,4", "--round-results")
    assert ended.code == 0, ended.err
    assert "t2: rounded to 8 bits" in ended.out
    graph = file.load(output)
    assert isinstance(graph, Graph) and graph.input.zero_point == -128
    assert sterna("import", path, "-o", output, "--pixels", "0,1", "--until", "t2", "--round-results").code == 0


def test_refusals(sterna: Sterna, graph_path: Path, images: Path, tmp_path: Path) -> None:
    path, output = model(tmp_path / "a.onnx"), tmp_path / "b.sterna-graph"
    for pixels in ("1", "1,0", "a,b", "0,1,2"):
        assert_refused(sterna("import", path, "-o", output, "--pixels", pixels), f"pixels = {pixels}")
    assert_refused(sterna("import", path, "-o", output, "--shape", "3,x"), "shape = 3,x")
    assert_refused(sterna("import", path, "-o", path), "would overwrite an input")
    assert_refused(sterna("import", path, "-o", images / "a.png"), "is an image, which would be lost")
    assert_refused(sterna("import", graph_path, "-o", output), "is an integer graph, not an ONNX model")
    assert_refused(sterna("compile", path, "-o", tmp_path / "a.sterna"), "sterna import FILE.onnx")
    assert not output.exists()
