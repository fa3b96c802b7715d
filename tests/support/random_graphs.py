"""Random legal graphs and images, for tests in which two executors must agree.

Every layer kind and attribute of the integer graph turns up; sizes are small enough for the simulated engine.
Equal generator states give equal graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sterna.graph import (
    Add,
    Concat,
    Conv,
    Graph,
    Input,
    Layer,
    MaxPool,
    Output,
    Reorg,
    Requant,
    TensorInfo,
    csd,
    reference,
)
from sterna.graph.layers import (
    BIAS_BITS,
    LEAST_POOL,
    LEVELS,
    MAX_KERNEL,
    MAX_PADDING,
    MAX_SHIFT,
    MULTIPLIER_BITS,
    STRIDES,
    pool_padding,
)
from sterna.spec.activations import ACTIVATIONS
from sterna.spec.tape import FIRST_CHANNELS, FIRST_FILTERS, FIRST_KERNEL, INPUT_TABLES

Option = TypeVar("Option")
SHARED_SCALE = 1 / 16
OTHER_SCALE = 0.1
MAX_LINE_PIXELS = 120_000
"""Kernel taps x input channels x output pixels of one convolution: what the engine's line loading costs."""


def random_graph(
    rng: np.random.Generator,
    *,
    max_layers: int = 7,
    max_size: int = 20,
    act_bits: int = 8,
    acc_bits: int = 20,
    max_channels: int = 24,
    multiplier_bits: int = MULTIPLIER_BITS,
    input_table: bool = False,
    general_requant: bool = False,
    first_layer: bool = False,
) -> Graph:
    """A legal graph of 1 .. `max_layers` computing layers.

    No tensor is higher or wider than `max_size` or has more than `max_channels` channels; multipliers fit
    `multiplier_bits`; with `input_table` the Input most often has a table; with `general_requant` some layers have a
    clamp of their own or let ties go to the even result; with `first_layer` the first layers are most often such that
    an engine can compute them while it loads the image.
    """
    build = _Build(rng, max_size, max_channels, act_bits, acc_bits, multiplier_bits, general_requant)
    starts_in_load = first_layer and rng.random() < 0.8
    build.add_input(table=input_table, channels=FIRST_CHANNELS if starts_in_load else None)
    if starts_in_load:
        build.add_first_layer()
    for _ in range(max(rng.integers(1, max_layers + 1, 2))):
        build.add_layer()
    return build.graph(extra_outputs=True)


def random_image(rng: np.random.Generator, graph: Graph) -> NDArray[np.int8]:
    """An int8 image [C, H, W] for `graph`: noise, extremes, a constant, sparse points or a smooth image."""
    shape = graph.info[graph.input.name].shape
    low, high = -128, 127
    match rng.integers(6):
        case 0 | 1:
            image = rng.integers(low, high + 1, shape)
        case 2:
            image = rng.choice([low, high], shape)
        case 3:
            image = np.full(shape, rng.choice([low, -1, 0, 1, high]))
        case 4:
            image = np.where(rng.random(shape) < 0.1, rng.integers(low, high + 1, shape), 0)
        case _:
            slopes = rng.uniform(-20, 20, (3, 1, 1, 1))
            image = sum(slope * axis for slope, axis in zip(slopes, np.indices(shape), strict=True)) % 256 + low
    return image.astype(np.int8)


def _silent(filters: int) -> Requant:
    """A requantisation until the sums are known."""
    return Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), 0, "linear")


@dataclass
class _Build:
    """A graph under construction."""

    rng: np.random.Generator
    max_size: int
    max_channels: int
    act_bits: int
    acc_bits: int
    multiplier_bits: int
    general_requant: bool
    #: No further layer reads the image.
    hides_image: bool = False
    layers: list[Layer] = field(default_factory=list)

    def graph(self, *, extra_outputs: bool) -> Graph:
        """What is built so far; tensors that nobody reads become outputs, and at times others too."""
        read = {name for layer in self.layers for name in layer.sources}
        extra = {layer.name for layer in self.layers if extra_outputs and self._chance(0.1)}
        outputs = (Output(f"out_{name}", name) for name in self._names() if name in extra or name not in read)
        return Graph((*self.layers, *outputs), self.act_bits, self.acc_bits)

    def add_input(self, *, table: bool, channels: int | None = None) -> None:
        """The Input layer, of any number of channels or so many; with `table` most often of a few and with a table."""
        height, width = (self._size() for _ in range(2))
        zero_point = self._pick([0, -(1 << (self.act_bits - 1))])
        scale = self._scale()
        count = channels or int(self.rng.integers(1, min(8, self.max_channels) + 1))
        image = Input("image", count, height, width, scale, zero_point)
        if table and self._chance(0.8):
            count = channels or int(self.rng.integers(1, min(INPUT_TABLES, self.max_channels) + 1))
            low = -(1 << (self.act_bits - 1))
            values = self.rng.integers(low, -low, (count, LEVELS)).astype(np.int8)
            image = replace(image, channels=count, table=values)
        self.layers.append(image)

    def add_first_layer(self) -> None:
        """A convolution of the image as `sterna_first_layer` computes it, and most often the pool after it."""
        graph = self.graph(extra_outputs=False)
        image = graph.info["image"]
        filters = int(self.rng.integers(1, min(FIRST_FILTERS, self.max_channels) + 1))
        padding = (FIRST_KERNEL // 2,) * 4
        weights = self._weights((filters, image.channels, FIRST_KERNEL, FIRST_KERNEL))
        self.hides_image = self._chance(0.8)
        self.layers.append(self._scaled(graph, Conv("first", "image", weights, 1, padding, _silent(filters), 1.0)))
        if min(image.height, image.width) >= 2 and self._chance(0.7):
            self.layers.append(MaxPool("first_pool", "first", 2))

    def add_layer(self) -> None:
        """One computing layer, of a kind that what is built allows."""
        graph = self.graph(extra_outputs=False)
        makers = {
            "conv": (0.38, self._conv),
            "pool": (0.14, self._max_pool),
            "reorg": (0.1, self._reorg),
            "concat": (0.2, self._concat),
            "add": (0.18, self._add),
        }
        shares = [share for share, _ in makers.values()]
        for kind in self.rng.choice(list(makers), len(makers), replace=False, p=shares):
            layer = makers[kind][1](graph, f"{kind}{len(self.layers)}")
            if layer is not None:
                self.layers.append(layer)
                return

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _pick(self, options: Sequence[Option]) -> Option:
        return options[int(self.rng.integers(len(options)))]

    def _size(self) -> int:
        """A height or width, even more often than odd so that reorg finds work."""
        size = int(self.rng.integers(1, self.max_size + 1))
        return size + size % 2 if size < self.max_size and self._chance(0.5) else size

    def _names(self) -> list[str]:
        """The tensors that layers can read."""
        return [layer.name for layer in self.layers if not (self.hides_image and isinstance(layer, Input))]

    def _source(self, names: Sequence[str]) -> str:
        """One of `names`, most often the latest."""
        return names[-1] if self._chance(0.6) else self._pick(names)

    def _scale(self) -> float:
        """Most often the one that lets tensors meet in a concat or add."""
        return SHARED_SCALE if self._chance(0.85) else OTHER_SCALE

    def _zero_point(self) -> int:
        """Of a result: most often 0, at times the least activation, or any."""
        least = -(1 << (self.act_bits - 1))
        return self._pick([0, 0, 0, 0, 0, least, int(self.rng.integers(least, -least))])

    def _conv(self, graph: Graph, name: str) -> Conv:
        source = self._source(self._names())
        info = graph.info[source]
        kernel = int(self.rng.choice(range(1, MAX_KERNEL + 1), p=[0.3, 0.1, 0.35, 0.05, 0.1, 0.05, 0.05]))
        while info.channels * kernel**2 * info.height * info.width > MAX_LINE_PIXELS:
            kernel -= 1
        stride = 2 if self._chance(0.25) else 1
        padding = self._padding(info, kernel, stride)
        channel_counts = [graph.info[name].channels for name in self._names()]
        most = int(self.rng.choice([min(4, self.max_channels), self.max_channels]))
        filters = self._pick(channel_counts) if self._chance(0.4) else int(self.rng.integers(1, most + 1))
        groups = self._groups(info.channels, filters)
        weights = self._weights((filters, info.channels // groups, kernel, kernel))
        return self._scaled(graph, Conv(name, source, weights, stride, padding, _silent(filters), 1.0, groups=groups))

    def _scaled(self, graph: Graph, conv: Conv) -> Conv:
        """The convolution with a scale, a zero point, and a requantisation that fits its sums."""
        conv = replace(conv, scale=self._scale(), zero_point=self._zero_point())
        sums = reference.convolve(self._tensors(graph)[conv.input], conv, graph.info[conv.input].zero_point)
        return replace(conv, requant=self._requant(sums))

    def _groups(self, channels: int, filters: int) -> int:
        """At times the groups of a convolution, often as many as possible."""
        fitting = [groups for groups in range(2, channels + 1) if not (channels % groups or filters % groups)]
        if not fitting or not self._chance(0.4):
            return 1
        return fitting[-1] if self._chance(0.5) else self._pick(fitting)

    def _padding(self, info: TensorInfo, kernel: int, stride: int) -> tuple[int, int, int, int]:
        """Any padding whose result is within `max_size`, or the one that keeps the size at stride 1."""
        before, after = (kernel - 1) // 2, kernel // 2
        if self._chance(0.6):
            return before, before, after, after
        most = MAX_PADDING if self._chance(0.2) else min(kernel, MAX_PADDING)
        top, left, bottom, right = (int(side) for side in self.rng.integers(0, most + 1, 4))
        height = (info.height + top + bottom - kernel) // stride + 1
        width = (info.width + left + right - kernel) // stride + 1
        if 1 <= height <= self.max_size and 1 <= width <= self.max_size:
            return top, left, bottom, right
        return before, before, after, after

    def _weights(self, shape: tuple[int, int, int, int]) -> NDArray[np.int8]:
        """Weights of random width, density and sign within the accumulator bound, some filters all zero."""
        largest = int(self.rng.choice([1, 3, 7, 31, 128], p=[0.6, 0.1, 0.1, 0.1, 0.1]))
        magnitudes = self.rng.integers(1, largest + 1, shape)
        signs = self.rng.choice([-1, 1], shape, p=[0.5, 0.5] if self._chance(0.8) else [0, 1])
        density = self.rng.choice([0.0, 0.1, 0.2, 0.5, 1.0, self.rng.random()], p=[0.05, 0.1, 0.25, 0.2, 0.15, 0.25])
        kept = self.rng.random(shape) < density
        if self._chance(0.3):
            kept &= self.rng.random((shape[0], 1, 1, 1)) < 0.7
        weights = np.clip(signs * magnitudes, -128, 127).astype(np.int8) * kept
        return self._within_bound(weights)

    def _within_bound(self, weights: NDArray[np.int8]) -> NDArray[np.int8]:
        """The weights, in random order set to zero where a filter would exceed the accumulator bound."""
        flat = weights.reshape(len(weights), -1)
        order = self.rng.permuted(np.broadcast_to(np.arange(flat.shape[1]), flat.shape), axis=1)
        reaches = np.take_along_axis(csd.reach(flat, self.act_bits), order, axis=1)
        shuffled = np.take_along_axis(flat, order, axis=1) * (reaches.cumsum(axis=1) < 1 << (self.acc_bits - 1))
        within = np.zeros_like(flat)
        np.put_along_axis(within, order, shuffled, axis=1)
        return within.reshape(weights.shape)

    def _tensors(self, graph: Graph) -> dict[str, NDArray[np.int8]]:
        """What is built so far computes on two images, noise and any."""
        noise = self.rng.integers(-128, 128, graph.info[graph.input.name].shape).astype(np.int8)
        return reference.execute(graph, np.stack([noise, random_image(self.rng, graph)]))

    def _requant(self, sums: NDArray[np.int64]) -> Requant:
        """Requantisation that spreads the sums [N, F, H, W] over the activations, with some extremes."""
        filters = sums.shape[1]
        activation = self._pick(list(ACTIVATIONS))
        largest = (1 << self.multiplier_bits) - 1
        top = (1 << (self.act_bits - 1)) - 1
        centre = sums.mean(axis=(0, 2, 3))
        spread = np.maximum(np.abs(sums - centre[:, None, None]).max(axis=(0, 2, 3)), 1)
        gain = top * self.rng.uniform(0.3, 1.5, filters) / spread
        most_shift = int(np.clip(np.floor(np.log2(largest / gain.max())), 0, MAX_SHIFT))
        shift = int(self.rng.integers(max(0, most_shift - 10), most_shift + 1))
        multiplier = np.clip(np.round(gain * 2.0**shift), 1, largest).astype(np.int64)
        offset = self.rng.uniform(-0.5, 0.5, filters) * top * 2.0**shift
        bias = np.round(offset - centre * multiplier).astype(np.int64)
        most_bias = (1 << BIAS_BITS) - 1
        any_bias = self.rng.integers(-most_bias, most_bias + 1, filters)
        if self._chance(0.15):
            extreme = self.rng.random(filters) < 0.3
            multiplier = np.where(extreme, self.rng.choice([0, 1, largest], filters), multiplier)
            bias = np.where(extreme, any_bias, bias)
        if self._chance(0.05):
            shift, bias = MAX_SHIFT, any_bias
        made = Requant(multiplier, np.clip(bias, -most_bias, most_bias), shift, activation)
        return self._general(made) if self.general_requant else made

    def _general(self, requant: Requant) -> Requant:
        """The same with a clamp, or with ties that go to the even result, and then often with many of them."""
        if self._chance(0.4):
            least = -(1 << (self.act_bits - 1))
            low, high = sorted(self.rng.choice(range(least, -least), 2, replace=False).tolist())
            clamp = self._pick([(low, high), (-1, 1), (0, 7), (least, high)])
            requant = replace(requant, clamp=clamp)
        if self._chance(0.4):
            requant = replace(requant, half_even=True)
            if self._chance(0.5) and requant.shift:
                # Multiples of a half, from as few bits as the sums need.
                step = max(requant.shift - int(self.rng.integers(1, 4)), 0)
                multiplier, bias = ((each >> step) << step for each in (requant.multiplier, requant.bias))
                requant = replace(requant, multiplier=multiplier, bias=bias)
        return requant

    def _max_pool(self, graph: Graph, name: str) -> MaxPool | None:
        """Most often of 2x2 pixels, half of these without padding; or of any window within `max_size`."""
        source = self._source(self._names())
        info = graph.info[source]
        if self._chance(0.5):
            stride = 2 if min(info.height, info.width) >= 2 and self._chance(0.6) else 1
            return MaxPool(name, source, stride, padding=pool_padding(2, stride))
        stride, kernel = self._pick(STRIDES), self._pick([2, 3, 3, *range(LEAST_POOL, MAX_KERNEL + 1)])
        padding = self._pick([pool_padding(kernel, 1), tuple(self.rng.integers(0, kernel, 4).tolist())])
        top, left, bottom, right = padding
        height = (info.height + top + bottom - kernel) // stride + 1
        width = (info.width + left + right - kernel) // stride + 1
        fits = 1 <= height <= self.max_size and 1 <= width <= self.max_size
        return MaxPool(name, source, stride, kernel, padding) if fits else None

    def _reorg(self, graph: Graph, name: str) -> Reorg | None:
        fitting = [
            name for name in self._names()
            if not any(size % 2 for size in graph.info[name].shape[1:])
            and 4 * graph.info[name].channels <= self.max_channels
        ]  # fmt: skip
        return Reorg(name, self._source(fitting)) if fitting else None

    def _concat(self, graph: Graph, name: str) -> Concat | None:
        inputs: list[str] = []
        channels = 0
        first = graph.info[self._source(self._names())]
        for candidate in self.rng.permutation(self._names()):
            info = graph.info[candidate]
            alike = replace(info, channels=first.channels) == first
            if alike and channels + info.channels <= self.max_channels and len(inputs) < 4:
                inputs.append(str(candidate))
                channels += info.channels
        return Concat(name, tuple(inputs)) if len(inputs) > 1 else None

    def _add(self, graph: Graph, name: str) -> Add | None:
        a = self._source(self._names())
        weights = (1, 1) if self._chance(0.6) else self._add_weights()
        is_alike = weights[0] == weights[1]
        known = {name: info if is_alike else info.shape for name, info in graph.info.items()}
        peers = [name for name in self._names() if known[name] == known[a] and name != a]
        if not peers and not self._chance(0.1):
            return None
        b = self._pick(peers or [a])
        tensors = self._tensors(graph)
        sums = weights[0] * tensors[a].astype(np.int64) + weights[1] * tensors[b].astype(np.int64)
        return Add(name, (a, b), self._requant(sums), self._scale(), self._zero_point(), weights)

    def _add_weights(self) -> tuple[int, int]:
        """Any two, or nearly equal ones as scales give them, within the accumulator bound."""
        while True:
            first = int(self.rng.integers(-128, 128))
            step = int(self.rng.integers(-1, 2)) if self._chance(0.5) else int(self.rng.integers(-255, 256))
            weights = (first, int(np.clip(first + step, -128, 127)))
            reach = int(csd.reach(np.array(weights, np.int8), self.act_bits).sum())
            if 0 not in weights and reach < 1 << (self.acc_bits - 1):
                return weights
