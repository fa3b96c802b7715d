"""A graph as a model of hls4ml, which writes the project. Imported only where hls4ml is installed."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import hls4ml
from hls4ml.model.graph import ModelGraph

from sterna.generate.hls.layers import IMAGE, Node, Nodes, node_name
from sterna.generate.hls.nodes import HEADERS, register
from sterna.generate.hls.tools import Tool
from sterna.graph import Graph
from sterna.spec.paths import HLS

NAME = "sterna_network"
"""Of the project and its top function."""


def write(graph: Graph, nodes: Nodes, given: list[str], folder: Path, tool: Tool, io_type: str) -> ModelGraph:
    """Write the project of `graph`, which `nodes` are, to the new `folder`; hls4ml's model of it.

    given: layers whose maps the top function gives. io_type: parallel or stream.
    """
    backend = hls4ml.backends.get_backend(tool.hls4ml)
    sources = folder.parent / f"{folder.name}.sources"
    sources.mkdir()
    shutil.copy(HLS / HEADERS[0], sources)
    (sources / HEADERS[1]).write_text(nodes.tables)
    register(backend, [(sources / name).resolve() for name in HEADERS])
    config = backend.create_initial_config(io_type=f"io_{io_type}") | {
        "OutputDir": str(folder), "ProjectName": NAME, "Backend": backend.name,
        "HLSConfig": {"Model": {"Precision": "fixed<8,8>", "ReuseFactor": 1, "Strategy": "latency"}},
    }  # fmt: skip
    with redirect_stdout(io.StringIO()):
        model = ModelGraph.from_layer_list(
            config, [_image(graph), *(_layer(node, tool) for node in nodes.nodes)],
            outputs=[node_name(graph, name) for name in given],
        )  # fmt: skip
        model.write()
    return model


def _image(graph: Graph) -> dict[str, Any]:
    info = graph.info[graph.input.name]
    return {"class_name": "InputLayer", "name": IMAGE, "input_shape": [info.height, info.width, info.channels]}


def _layer(node: Node, tool: Tool) -> dict[str, Any]:
    """A node as hls4ml's layer lists have it."""
    return {
        "class_name": "SternaConv" if node.kind == "Conv" else "SternaMove",
        "name": node.name, "inputs": node.inputs, "kind": node.kind, "shape": node.shape, "bits": node.bits,
        "members": node.members(tool.integer),
    }  # fmt: skip
