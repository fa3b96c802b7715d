"""Writes a graph as a project of high-level synthesis."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sterna.extras import INTEROP, needed_for
from sterna.generate.hls.cycles import Cycles, cycles
from sterna.generate.hls.layers import Nodes, node_name, nodes_of
from sterna.generate.hls.tools import TOOLS, check_tool
from sterna.generate.rtl.output import Replaced, write_folder
from sterna.generate.templates import Templates
from sterna.graph import Graph, Output

if TYPE_CHECKING:
    from hls4ml.model.graph import ModelGraph

README = "README.txt"
_render = Templates("sterna.generate.hls").render


def generate_hls(graph: Graph, out_dir: Path, tool: str, io: str, *, force: bool = False) -> tuple[Replaced, Cycles]:
    """Write the project of `graph` to `out_dir`; what it replaced there, and the estimate of its cycles.

    tool: of sterna.generate.hls.tools.TOOLS. io: of IO there. Raises SternaError for others, if hls4ml is missing, and
    if the folder holds what this did not write and `force` does not say to overwrite it (see `write_folder`).
    """
    nodes = nodes_of(graph)
    estimate = cycles(nodes.nodes, io)
    outputs = [layer.name for layer in graph.layers if isinstance(layer, Output)]
    with TemporaryDirectory(prefix="sterna-") as scratch:
        project = Path(scratch) / "project"
        model = write_project(graph, nodes, outputs, project, tool, io)
        files = {str(path.relative_to(project)): path for path in sorted(project.rglob("*")) if path.is_file()}
        contents = {name: _settled(path.read_bytes(), project, model) for name, path in files.items()}
    layers = {node_name(graph, name): name for name in graph.info}
    rows = [(node.name, layers.get(node.name, ""), node.kind, estimate.nodes[node.name]) for node in nodes.nodes]
    contents[README] = _render(README, tool=TOOLS[tool], io=io, rows=rows, cycles=estimate)
    about = {"tool": tool, "io": io}
    return write_folder(out_dir, contents, about, force=force), estimate


def _settled(data: bytes, project: Path, model: ModelGraph) -> bytes:
    """A file of hls4ml without the folder where it was written, and without the random stamp of that time."""
    stamp = model.config.get_config_value("Stamp").encode()
    data = data.replace(str(project).encode(), b".")
    # YAML puts quotes round a stamp that could be read as a number.
    return data.replace(b"Stamp: '%b'" % stamp, b"Stamp: csim").replace(stamp, b"csim")


def write_project(graph: Graph, nodes: Nodes, given: list[str], folder: Path, tool: str, io: str) -> ModelGraph:
    """Write the files of hls4ml alone to the new `folder`; its model.

    given: layers whose maps the top function gives.
    """
    check_tool(tool, io)
    with needed_for("a project of high-level synthesis", INTEROP):
        from sterna.generate.hls.project import write
    return write(graph, nodes, given, folder, TOOLS[tool], io)
