"""A random first layer: the numbers that the engine gets, and the map that the integer reference computes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sim.support.words import pack

from sterna.graph import Graph
from sterna.graph.layers import MAX_SHIFT, Conv, Input, Layer, MaxPool, Output, Requant
from sterna.graph.reference import execute
from sterna.spec.activations import ACTIVATIONS, Activation
from sterna.spec.tape import REQUANT_WORD

#: Channels, rows and columns of a filter.
SHAPE = (3, 3, 3)
#: Words of weights of a filter, and weights in a word.
WEIGHT_WORDS, WORD_WEIGHTS = 4, 8


@dataclass(frozen=True)
class FirstLayer:
    """A convolution of an image, and the maximum of each 2x2 pixels if it is pooled."""

    graph: Graph

    @property
    def conv(self) -> Conv:
        """The convolution."""
        conv = self.graph.layers[1]
        assert isinstance(conv, Conv)
        return conv

    @property
    def pooled(self) -> bool:
        """Whether a pool follows."""
        return isinstance(self.graph.layers[2], MaxPool)

    @property
    def step(self) -> dict[str, int]:
        """The fields of the step that carries the numbers."""
        requant = self.conv.requant
        low, high = requant.limits(self.graph.act_min, self.graph.act_max)
        return {
            "shift": requant.shift, "activation": int(Activation[requant.activation.upper()]),
            "half_even": requant.half_even, "clamp_low": low, "clamp_high": high,
            "pad_value": self.graph.info["image"].zero_point,
        }  # fmt: skip

    def numbers(self, filters: int) -> Iterator[int]:
        """The words of `filters` filters; those that the layer does not have hold anything."""
        requant = self.conv.requant
        for f in range(filters):
            if f < len(self.conv.weights):
                yield REQUANT_WORD.pack(bias=int(requant.bias[f]), multiplier=int(requant.multiplier[f]))
                weights = [*self.conv.weights[f].flatten().tolist()]
            else:
                yield random.getrandbits(64)
                weights = [random.randint(-128, 127) for _ in range(np.prod(SHAPE))]
            weights += [0] * (WEIGHT_WORDS * WORD_WEIGHTS - len(weights))
            for at in range(0, len(weights), WORD_WEIGHTS):
                yield pack(weights[at : at + WORD_WEIGHTS], 8)

    def map_of(self, image: NDArray[np.int8]) -> NDArray[np.int8]:
        """The map [F, H, W] of activations [3, H, W]."""
        levels = image.astype(np.int8) << (8 - self.graph.act_bits)
        return execute(self.graph, levels)[self.graph.layers[-2].name][0]


def random_layer(height: int, width: int, filters: int, pooled: bool, act_bits: int, mul_bits: int, general: bool) -> (
    FirstLayer
):  # fmt: skip
    """Numbers with which results fill the range of activations and go beyond it."""
    rng = np.random.default_rng(random.getrandbits(32))
    most = 1 << act_bits - 1
    weights = rng.integers(-128, 128, (filters, *SHAPE)).astype(np.int8)
    if random.random() < 0.2:
        weights[:] = random.choice([-128, 127])
    multiplier = rng.integers(0, 1 << mul_bits, filters)
    # Of a sum of random products, times a multiplier: its usual size.
    usual = most / 2 * 64 * 27**0.5 * (1 << mul_bits - 1)
    shift = min(MAX_SHIFT, max(0, int(np.log2(usual / most)) + random.randint(-1, 2)))
    bias = rng.integers(-most << shift, most << shift, filters)
    requant = Requant(
        multiplier, bias, shift, random.choice([*ACTIVATIONS]),
        clamp=tuple(sorted(random.sample(range(-most, most), 2))) if general and random.random() < 0.5 else None,
        half_even=general and random.random() < 0.5,
    )  # fmt: skip
    layers: list[Layer] = [
        Input("image", 3, height, width, 1.0, random.randint(-most, most - 1)),
        Conv("conv", "image", weights, 1, (1, 1, 1, 1), requant, 1.0),
    ]
    if pooled:
        layers.append(MaxPool("pool", "conv", 2))
    layers.append(Output("output", layers[-1].name))
    return FirstLayer(Graph(tuple(layers), act_bits, 32))
