"""Graphs whose first layer LOAD can compute, and engines that have what it takes."""

from __future__ import annotations

import numpy as np

from sterna.graph import Conv, Graph, Input, MaxPool, Output, Requant
from sterna.graph.layers import Layer
from sterna.spec.config import EngineConfig
from support.random_configs import random_config


def random_requant(rng: np.random.Generator, filters: int, shift: int) -> Requant:
    """Results that fill the range of activations."""
    return Requant(
        rng.integers(0, 1 << 12, filters), rng.integers(-1 << shift + 5, 1 << shift + 5, filters), shift,
        str(rng.choice(["linear", "relu", "leaky"])),
    )  # fmt: skip


def first_graph(
    rng: np.random.Generator, height: int = 13, width: int = 11, filters: int = 10, pool: bool = True,
    kernel: int = 3, channels: int = 3,
) -> Graph:  # fmt: skip
    """A first layer of 8-bit weights, and a ternary layer that reads its map."""
    around = kernel // 2
    weights = rng.integers(-128, 128, (filters, channels, kernel, kernel)).astype(np.int8)
    layers: list[Layer] = [
        Input("image", channels, height, width, 1.0, int(rng.integers(-128, 128))),
        Conv("first", "image", weights, 1, (around,) * 4, random_requant(rng, filters, 17), 1.0),
    ]
    if pool:
        layers.append(MaxPool("pool", "first", 2))
    ternary = rng.integers(-1, 2, (5, filters, 3, 3)).astype(np.int8)
    layers += [
        Conv("second", layers[-1].name, ternary, 1, (1, 1, 1, 1), random_requant(rng, 5, 14), 1.0),
        Output("output", "second"),
    ]
    return Graph(tuple(layers), 8, 24)


def first_config(rng: np.random.Generator) -> EngineConfig:
    """An engine that can compute it in LOAD."""
    return random_config(rng, acc_bits=24).model_copy(update={"first_layer": True})
