"""Padding and kernels of ONNX as those of the graph's layers: square kernels, padding by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.graph.layers import STRIDES
from sterna.importers.onnx.model import Node

Sides = tuple[int, int, int, int]
"""Top, left, bottom, right."""


@dataclass(frozen=True)
class Pool:
    """A maximum of windows; source, size: height and width of what it reads and makes."""

    kernel: int
    stride: int
    padding: Sides
    source: tuple[int, int]
    size: tuple[int, int]


def conv_padding(node: Node, shape: tuple[int, ...], kernel: tuple[int, ...], stride: int) -> Sides:
    """What a node puts around a map of `shape` [C, H, W]."""
    automatic = node.text("auto_pad", "NOTSET")
    if automatic in ("NOTSET", ""):
        pads = node.attributes.get("pads", [0] * 4)
        if len(pads) != 4 or min(pads) < 0:
            node.refuse("has a padding that no layer has", attribute="pads", value=pads)
        top, left, bottom, right = (int(each) for each in pads)
        return top, left, bottom, right
    if automatic == "VALID":
        return 0, 0, 0, 0
    totals = [
        max(0, (-(-side // stride) - 1) * stride + each - side) for side, each in zip(shape[1:], kernel, strict=True)
    ]
    small, large = [each // 2 for each in totals], [each - each // 2 for each in totals]
    before, after = (small, large) if automatic == "SAME_UPPER" else (large, small)
    return before[0], before[1], after[0], after[1]


def squared(weights: NDArray[np.int64], padding: Sides) -> tuple[NDArray[np.int64], Sides]:
    """Weights [F, C, H, W] with zeros below and to the right that make them square, and padding for the same result."""
    height, width = weights.shape[2:]
    below, right = max(height, width) - height, max(height, width) - width
    top, left, bottom, edge = padding
    return np.pad(weights, ((0, 0), (0, 0), (0, below), (0, right))), (top, left, bottom + below, edge + right)


def pool_padding(node: Node, shape: tuple[int, int, int]) -> Pool:
    """The pool that a MaxPool node is, on a map of `shape` [C, H, W]."""
    kernel, strides = list(node.attributes["kernel_shape"]), list(node.attributes.get("strides", [1, 1]))
    dilations: Any = node.attributes.get("dilations", [1])
    if (
        len(kernel) != 2
        or kernel[0] != kernel[1]
        or strides[0] != strides[1]
        or strides[0] not in (1, 2)
        or set(dilations) != {1}
    ):
        node.refuse(
            "is a pool that no layer is", value=f"kernel {kernel}, strides {strides}, dilations {dilations}",
            allowed="square kernels of 2 .. 7, strides of 1 or 2, no dilation",
        )  # fmt: skip
    side, stride = int(kernel[0]), int(strides[0])
    padding = conv_padding(node, shape, (side, side), stride)
    up = node.attributes.get("ceil_mode", 0)
    spans = [shape[1] + padding[0] + padding[2] - side, shape[2] + padding[1] + padding[3] - side]
    sizes = [(-(-span // stride) if up else span // stride) + 1 for span in spans]
    more = [max(0, (size - 1) * stride - span) for size, span in zip(sizes, spans, strict=True)]
    padding = padding[0], padding[1], padding[2] + more[0], padding[3] + more[1]
    return Pool(side, stride, padding, (shape[1], shape[2]), (sizes[0], sizes[1]))


def stride_of(node: Node) -> int:
    """The stride of a convolution or mean, which has to be one that layers have."""
    strides, dilations = node.attributes.get("strides", [1, 1]), node.attributes.get("dilations", [1])
    if len(set(strides)) > 1 or strides[0] not in STRIDES or set(dilations) != {1}:
        node.refuse(
            "has strides or dilations that no layer has", value=f"{strides}, {dilations}",
            allowed="strides of 1 or 2, alike for rows and columns, without dilation",
            remedy="use such a stride, or pool after it",
        )  # fmt: skip
    return int(strides[0])


def convolved_size(shape: tuple[int, ...], kernel: int, stride: int, padding: Sides) -> tuple[int, int]:
    """Height and width of a convolution of a map of `shape` [C, H, W]."""
    top, left, bottom, right = padding
    return (shape[1] + top + bottom - kernel) // stride + 1, (shape[2] + left + right - kernel) // stride + 1
