"""The named networks.

`yolov2` follows Redmon and Farhadi, "YOLO9000" (2017), and its published Darknet configuration (yolov2-voc.cfg).
"""

from __future__ import annotations

from collections.abc import Callable

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph.layers import Concat, Layer, MaxPool, Reorg, pool_padding
from sterna.graph.network import FIRST_BITS, IMAGE, Conv, Head, NetworkDescription
from sterna.registry import Registry


class Trunk:
    """Collects layers that follow each other, and numbers their names: conv1, pool1, conv2, ...

    last: the name of the last layer. Its first convolution has weights of FIRST_BITS bits, the others ternary ones.

    >>> @sterna.networks.register("pyramid")
    ... def pyramid():
    ...     trunk = sterna.Trunk()
    ...     for filters in (8, 16, 24, 32):
    ...         trunk.conv(filters, 3)
    ...         trunk.pool()
    ...     return trunk.head()
    >>> pyramid().ternary
    ('conv2', 'conv3', 'conv4')
    """

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.last = IMAGE
        self._convs = self._pools = 0

    @checked
    def conv(self, filters: int, kernel: int, *, source: str | None = None, shares: str | None = None) -> str:
        """A convolution after the last layer or `source`, as `Conv` has it; returns its name."""
        self._convs += 1
        bits = FIRST_BITS if self._convs == 1 else None
        name = f"conv{self._convs}"
        return self._add(Conv(name, source or self.last, filters, kernel, bits, shares))

    @checked
    def pool(self, stride: int = 2, kernel: int = 2) -> str:
        """Maxima that keep the size at stride 1, and halve it at stride 2; returns the name."""
        self._pools += 1
        padding = pool_padding(kernel, stride)
        return self._add(MaxPool(f"pool{self._pools}", self.last, stride, kernel, padding))

    @checked
    def passthrough(self, route: str, filters: int) -> str:
        """1x1 of `route`, space-to-depth, in front of the last layer, whose scale it shares."""
        deep = self.last
        self.conv(filters, 1, source=route, shares="concat")
        self._add(Reorg("reorg", self.last))
        return self._add(Concat("concat", (self.last, deep)))

    def head(self) -> NetworkDescription:
        """The network, with its head after the last layer. Raises SternaError if it is none."""
        self._add(Head("head", self.last))
        return NetworkDescription(tuple(self.layers))

    def _add(self, layer: Layer) -> str:
        self.layers.append(layer)
        self.last = layer.name
        return layer.name


def yolov2() -> NetworkDescription:
    """YOLOv2: 23 convolutions, cells of 32 pixels."""
    trunk = Trunk()
    for filters in (32, 64):
        trunk.conv(filters, 3)
        trunk.pool()
    for filters in (128, 256):
        trunk.conv(filters, 3)
        trunk.conv(filters // 2, 1)
        trunk.conv(filters, 3)
        trunk.pool()
    for filters, kernel in ((512, 3), (256, 1), (512, 3), (256, 1)):
        trunk.conv(filters, kernel)
    route = trunk.conv(512, 3)
    trunk.pool()
    for filters, kernel in ((1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3), (1024, 3)):
        trunk.conv(filters, kernel)
    trunk.conv(1024, 3, shares="concat")
    trunk.passthrough(route, 64)
    trunk.conv(1024, 3)
    return trunk.head()


def yolov2_tiny() -> NetworkDescription:
    """Tiny YOLOv2: 9 convolutions, cells of 32 pixels."""
    trunk = Trunk()
    for filters in (16, 32, 64, 128, 256):
        trunk.conv(filters, 3)
        trunk.pool()
    trunk.conv(512, 3)
    trunk.pool(stride=1)
    trunk.conv(1024, 3)
    trunk.conv(1024, 3)
    return trunk.head()


def yolov2_nano() -> NetworkDescription:
    """A YOLOv2 with all its features in under 200,000 weights, with cells of 16 pixels."""
    trunk = Trunk()
    for filters in (12, 24, 48):
        trunk.conv(filters, 3)
        trunk.pool()
    trunk.conv(64, 3)
    trunk.conv(32, 1)
    route = trunk.conv(64, 3)
    trunk.pool()
    trunk.conv(96, 3)
    trunk.conv(48, 1, shares="concat")
    trunk.passthrough(route, 16)
    trunk.conv(64, 3)
    return trunk.head()


networks: Registry[Callable[[], NetworkDescription]] = Registry(
    "network",
    "sterna.networks",
    {name: f"{__name__}:{name.replace('-', '_')}" for name in ("yolov2", "yolov2-tiny", "yolov2-nano")},
    "a function without arguments that returns a NetworkDescription",
    callable,
)
"""What describes each named network."""


def describe(name: str) -> NetworkDescription:
    """The network `name`, one of networks; raises SternaError for another name, or if it is no network."""
    described = networks[name]()
    if not isinstance(described, NetworkDescription):
        raise SternaError(
            "is no network", where=f"network '{name}'", attribute="returned", value=type(described).__name__,
            allowed="a NetworkDescription", remedy="let its function return one, as Trunk.head does",
        )  # fmt: skip
    return described
