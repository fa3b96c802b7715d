"""Sterna's layers in hls4ml: what a node is, and the C++ that it becomes. Imported only where hls4ml is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hls4ml.backends.backend import Backend
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer, layer_map, register_layer
from hls4ml.model.optimizer.optimizer import optimizer_map
from hls4ml.model.types import FixedPrecisionType

HEADERS = ("sterna.h", "sterna_tables.h")
"""What a project takes along: functions, and tables for them."""


class SternaLayer(Layer):
    """A layer of a graph: `shape` (height, width, channels) and `bits` of its map, `kind` and `members` of its config.

    kind: of hw/hls/sterna.h, or Join for the channels of several maps.
    """

    def initialize(self) -> None:
        """Declare the map that it makes."""
        bits = self.attributes["bits"]
        self.add_output_variable(list(self.attributes["shape"]), precision=FixedPrecisionType(bits, bits, True))


class SternaConv(SternaLayer):
    """A sparse convolution with requantisation."""


class SternaMove(SternaLayer):
    """A layer that moves or compares values."""


class _Config(LayerConfigTemplate):
    """The members of a layer's config as a struct."""

    def __init__(self) -> None:
        super().__init__([SternaConv, SternaMove])

    def format(self, node: SternaLayer) -> str:
        """The text of the struct; empty for a layer that needs none."""
        members = "\n".join(f"    {member}" for member in node.attributes["members"])
        return f"struct config{node.index} {{\n{members}\n}};\n" if members else ""


class _Call(FunctionCallTemplate):
    """The call of a layer's function."""

    def __init__(self) -> None:
        super().__init__([SternaConv, SternaMove], include_header=[f"nnet_utils/{name}" for name in HEADERS])

    def format(self, node: SternaLayer) -> str:
        """The text of the call."""
        streams = node.model.config.get_config_value("IOType") == "io_stream"
        if node.attributes["kind"] == "Join":
            return (_join_streams if streams else _join_arrays)(node)
        from_, to = node.get_input_variable(), node.get_output_variable()
        kind, config = f"sterna::{node.attributes['kind']}", f"config{node.index}"
        if streams:
            return f"sterna::streamed<{kind}, {config}, {from_.type.name}, {to.type.name}>({from_.name}, {to.name});"
        return f"sterna::whole<{kind}, {config}>({from_.name}, {to.name});"


def _parts(node: SternaLayer) -> list[tuple[Any, int, int]]:
    """Each input's variable, its channels, and the channel of the result that its first one becomes."""
    variables = [node.get_input_variable(name) for name in node.inputs]
    sizes = [variable.shape[-1] for variable in variables]
    return [(each, size, sum(sizes[:index])) for index, (each, size) in enumerate(zip(variables, sizes, strict=True))]


def _join_arrays(node: SternaLayer) -> str:
    height, width, channels = node.attributes["shape"]
    to = node.get_output_variable().name
    return "\n    ".join(
        f"sterna::whole_part<{height * width}, {size}, {start}, {channels}>({variable.name}, {to});"
        for variable, size, start in _parts(node)
    )


def _join_streams(node: SternaLayer) -> str:
    height, width, _ = node.attributes["shape"]
    to = node.get_output_variable()
    return "\n    ".join(
        [
            f"for (unsigned pixel = 0; pixel < {height * width}; pixel++) {{",
            f"    {to.type.name} joined;",
            *(f"    sterna::streamed_part<{size}, {start}>({v.name}, joined);" for v, size, start in _parts(node)),
            f"    {to.name}.write(joined);",
            "}",
        ]
    )


def register(backend: Backend, sources: list[Path]) -> None:
    """Make the layers known to `backend`, once, and `sources` what its next projects take along."""
    for node in (SternaConv, SternaMove):
        if node.__name__ not in layer_map:
            register_layer(node.__name__, node)
    for template in (_Config, _Call):
        if f"{backend.name.lower()}:{template().get_name()}" not in optimizer_map:
            backend.register_template(template)
    for path in sources:
        backend.register_source(path)
