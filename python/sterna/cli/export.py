"""`sterna export`: an integer graph as a model for other programs."""

from __future__ import annotations

from pathlib import Path

from sterna import recognise
from sterna.cli.progress import bar
from sterna.exporters.onnx.files import check_form, save
from sterna.files import check_file
from sterna.package.graphs import read_graph


def export(path: Path, output: Path, form: str, trace: bool) -> None:
    """Write the graph in `path` as an ONNX model."""
    check_form(form)
    graph = read_graph(path)
    check_file(output, inputs=[path])
    recognise.check_replaces(output, recognise.ONNX)
    with bar("export") as show:
        size = save(graph, output, form, trace=trace, progress=show)
    print(f"{output}: {size:,} bytes, form {form}, {len(graph.layers)} layers")
