"""Small packages for tests of the driver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.compile import compile_graph
from sterna.graph import Conv, Graph, Input, MaxPool, Output, Requant
from sterna.package.package import Package
from sterna.spec.config import EngineConfig, load_config

NANO = load_config("nano")
OLDER_NANO = NANO.model_copy(update={"general_requant": False})
"""As it was for the packages of older formats that are kept."""


def small_graph(act_bits: int = 8) -> Graph:
    """Three channels, odd sizes, a pooled and a plain convolution."""
    rng = np.random.default_rng(11)
    layers = [Input("image", 3, 9, 13, 1.0, 0)]
    for name, source, shape in (("first", "image", (6, 3, 3, 3)), ("second", "pool", (5, 6, 1, 1))):
        requant = Requant(rng.integers(1, 9, shape[0]), rng.integers(-99, 99, shape[0]), 4, "leaky")
        weights = rng.integers(-1, 2, shape).astype(np.int8)
        padding = (shape[2] // 2,) * 4
        layers.append(Conv(name, source, weights, 1, padding, requant, 1.0))
        if name == "first":
            layers.append(MaxPool("pool", "first", 2))
    return Graph((*layers, Output("out", "second")), act_bits=act_bits)


def small_package(config: EngineConfig = NANO, *, trace: bool = True) -> Package:
    """`small_graph` compiled for `config`."""
    return compile_graph(small_graph(config.act_w), config, trace=trace)


def small_images(count: int = 2) -> NDArray[np.int8]:
    """Images for `small_graph`."""
    return np.random.default_rng(5).integers(-128, 128, (count, 3, 9, 13)).astype(np.int8)
