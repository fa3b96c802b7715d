"""Cycles of a frame as high-level synthesis should schedule them: an estimate by formula, as nothing was synthesised.

A pipelined loop takes a cycle per round and `FILL` more to start and end. A convolution makes each row of its map in
groups of `lanes` pixels: a round per term, then a round per pixel. A pool, a reorg or the image takes a round per
value, a join one per pixel. A stream is read first, a round per pixel, while its layer computes nothing.

It errs on the bright side in one point: all lanes of a convolution are taken to read their map in one cycle, for which
a tool has to spread it over as many memories. sterna.h does not ask for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from sterna.generate.hls.layers import Node

FILL = 32
"""Cycles to fill and drain a pipeline, set high: a tool's own pipelines are seldom deeper."""


@dataclass(frozen=True)
class Cycles:
    """By the name of each node. streams: whether maps pass from layer to layer as streams.

    Whole arrays pass from layer to layer, so that layers do not overlap. Streams let all layers work at once.
    """

    nodes: dict[str, int]
    streams: bool

    @property
    def alone(self) -> int:
        """Of a frame: the sum over its layers."""
        return sum(self.nodes.values())

    @property
    def queued(self) -> int:
        """From one frame to the next."""
        return max(self.nodes.values()) if self.streams else self.alone


def cycles(nodes: list[Node], io: str) -> Cycles:
    """The estimate for the nodes of a graph, with maps as `io` says (sterna.generate.hls.tools.IO)."""
    streams = io == "stream"
    return Cycles({node.name: _read(node) * streams + _compute(node) for node in nodes}, streams)


def _read(node: Node) -> int:
    """Of filling a line buffer, row by row."""
    sizes = node.constants
    return sizes["in_height"] * (sizes["in_width"] + FILL) if sizes else 0


def _compute(node: Node) -> int:
    height, width, channels = node.shape
    if node.kind == "Join":
        return prod(node.shape[:2]) + FILL
    if node.kind != "Conv":
        return height * width * (channels + FILL)
    lanes = node.constants["lanes"]
    return height * -(-width // lanes) * (node.constants["terms"] + lanes + 2 * FILL)
