"""The integer graph: layers, validation, canonical signed digits, file format and reference executor.

`sterna.graph.file` and `sterna.graph.reference` are imported by name where they are needed.
"""

from __future__ import annotations

from sterna.graph.graph import Graph
from sterna.graph.infer import TensorInfo
from sterna.graph.layers import (
    KINDS,
    Add,
    Concat,
    Conv,
    Input,
    Layer,
    MaxPool,
    Output,
    Reorg,
    Requant,
)

__all__ = [
    "KINDS",
    "Add",
    "Concat",
    "Conv",
    "Graph",
    "Input",
    "Layer",
    "MaxPool",
    "Output",
    "Reorg",
    "Requant",
    "TensorInfo",
]
