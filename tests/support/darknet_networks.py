"""Random networks of the YOLOv2 family, and random numbers for a weights file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from sterna.exporters.darknet import for_darknet
from sterna.graph.layers import Concat, Layer, MaxPool, Reorg
from sterna.graph.network import FIRST_BITS, IMAGE, Add, Conv, Head, NetworkDescription, share_quantisers
from sterna.importers.darknet import Weights, Yolo2
from sterna.importers.darknet.convert import shapes
from sterna.importers.darknet.weights import Header, Shape
from sterna.importers.importer import Convolution, Norm

VOC_ANCHORS = ((1.3221, 1.73145), (3.19275, 4.00944), (5.05587, 8.09892), (9.47112, 4.84053), (11.2364, 10.0071))


@dataclass
class _Trunk:
    """Layers that follow each other. `maps`: channels and halvings of each layer by name."""

    layers: list[Layer] = field(default_factory=list)
    maps: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def last(self) -> str:
        return self.layers[-1].name if self.layers else IMAGE

    def name(self, kind: type[Layer], word: str) -> str:
        number = 1 + sum(isinstance(layer, kind) for layer in self.layers)
        return f"{word}{number}" if word in ("conv", "pool", "add") or number > 1 else word

    def add(self, layer: Layer, channels: int, halvings: int) -> None:
        self.layers.append(layer)
        self.maps[layer.name] = channels, halvings

    def conv(self, filters: int, kernel: int, source: str | None = None, *, stride: int = 1, groups: int = 1) -> None:
        source = source or self.last
        halvings = 0 if source == IMAGE else self.maps[source][1]
        bits = FIRST_BITS if source == IMAGE else None
        layer = Conv(self.name(Conv, "conv"), source, filters, kernel, bits, groups=groups, stride=stride)
        self.add(layer, filters, halvings + stride - 1)

    def pool(self, stride: int, size: int = 2) -> None:
        channels, halvings = self.maps[self.last]
        before = (size - 1) // 2
        padding = before, before, size - stride - before, size - stride - before
        pool = MaxPool(self.name(MaxPool, "pool"), self.last, stride, size, padding)
        self.add(pool, channels, halvings + stride - 1)

    def shortcut(self, source: str, activation: str) -> None:
        self.add(Add(self.name(Add, "add"), (self.last, source), activation), *self.maps[self.last])

    def concat(self, *sources: str) -> None:
        channels = sum(self.maps[source][0] for source in sources)
        self.add(Concat(self.name(Concat, "concat"), sources), channels, self.maps[sources[0]][1])

    def passthrough(self, source: str, filters: int | None) -> None:
        """Reorg of `source`, after a 1x1 convolution if `filters` are given, in front of the last layer."""
        deep = self.last
        if filters:
            self.conv(filters, 1, source)
            source = self.last
        channels, halvings = self.maps[source]
        self.add(Reorg(self.name(Reorg, "reorg"), source), 4 * channels, halvings + 1)
        self.concat(self.last, deep)

    def alike(self, other: str) -> bool:
        """Whether a map has as many channels as the last one."""
        return self.maps[other] == self.maps[self.last]

    def like_last(self, halvings: int) -> list[str]:
        """Earlier layers that are `halvings` larger than the last one."""
        wanted = self.maps[self.last][1] - halvings
        return [layer.name for layer in self.layers[:-1] if self.maps[layer.name][1] == wanted]


@st.composite
def yolo2_networks(draw: st.DrawFn) -> Yolo2:
    """A small network of every kind of layer, as `read_cfg` gives it."""
    trunk = _Trunk()
    filters, kernels, groups = st.sampled_from((4, 8, 12)), st.sampled_from((1, 3, 5)), st.sampled_from((1, 1, 2, 4))
    trunk.conv(draw(filters), 3, stride=draw(st.sampled_from((1, 1, 2))))
    steps = ("conv", "strided", "half", "whole", "concat", "shortcut", "passthrough")
    for step in draw(st.lists(st.sampled_from(steps), max_size=9)):
        small = trunk.maps[trunk.last][1] >= 3
        match step:
            case "conv":
                trunk.conv(draw(filters), draw(kernels), groups=draw(groups))
            case "strided" if not small:
                trunk.conv(draw(filters), draw(kernels), stride=2, groups=draw(groups))
            case "half" if not small:
                trunk.pool(2, draw(st.sampled_from((2, 2, 3, 4))))
            case "whole":
                trunk.pool(1, draw(st.sampled_from((2, 3, 4, 5, 7))))
            case "shortcut" if others := [each for each in trunk.like_last(0) if trunk.alike(each)]:
                trunk.shortcut(draw(st.sampled_from(others)), draw(st.sampled_from(("linear", "relu"))))
            case "concat" if others := trunk.like_last(0):
                trunk.concat(trunk.last, draw(st.sampled_from(others)))
            case "passthrough" if others := trunk.like_last(1):
                trunk.passthrough(draw(st.sampled_from(others)), draw(st.none() | filters))
    trunk.add(Head("head", trunk.last), 0, 0)
    classes, side = draw(st.integers(1, 4)), st.sampled_from((16, 24, 40))
    height, width, cell = draw(side), draw(side), 1 << trunk.maps[trunk.layers[-2].name][1]
    # No larger than the map, as k-means finds them.
    sides = st.tuples(st.floats(0.1, width / cell), st.floats(0.1, height / cell))
    anchors = draw(st.lists(sides, min_size=1, max_size=3))
    return for_darknet(NetworkDescription(share_quantisers(trunk.layers)), anchors, classes, height, width)


def random_weights(network: Yolo2, seed: int = 0, header: Header | None = None) -> Weights:
    """Numbers that keep activations near the size 1 from layer to layer."""
    rng = np.random.default_rng(seed)
    return Weights(header or Header(seen=1_234_567), tuple(_convolution(shape, rng) for shape in shapes(network)))


def _convolution(shape: Shape, rng: np.random.Generator) -> Convolution:
    def normal(*size: int, spread: float) -> np.ndarray:
        return rng.standard_normal(size, np.float32) * np.float32(spread)

    def uniform(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, shape.filters).astype(np.float32)

    size = (shape.filters, shape.channels, shape.kernel, shape.kernel)
    weights = normal(*size, spread=(2 / np.prod(size[1:])) ** 0.5)
    norm = Norm(uniform(0.5, 1.5), normal(shape.filters, spread=0.3), uniform(0.3, 2.0)) if shape.normalised else None
    return Convolution(shape.name, normal(shape.filters, spread=0.3), norm, weights)
