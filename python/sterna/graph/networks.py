"""The named networks.

`yolov2` follows Redmon and Farhadi, "YOLO9000" (2017), and its published Darknet configuration (yolov2-voc.cfg).

The classifiers have batch normalisation where their papers have biases, and take images of 224x224, but `resnet8` of
28x28: `alexnet` follows Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks" (2012), and `googlenet` Szegedy et al., "Going Deeper with Convolutions" (2015), both without local response
normalisation, for which batch normalisation stands, and without the classifiers that only training needs. `resnet50`
and `resnet8` follow He et al., "Deep Residual Learning for Image Recognition" (2016), with the strides of a bottleneck
in its 3x3 convolution, as frameworks have it. `skeleton` follows the idea of Le, Inoue and Shinoda, "A Fine-to-Coarse
Convolutional Neural Network for 3D Human Action Recognition" (2018), with layers of our own, and takes maps of 8x8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph.layers import Concat, Layer, MaxPool, Reorg, pool_padding
from sterna.graph.network import (
    FIRST_BITS,
    IMAGE,
    NO_PADDING,
    RGB,
    Add,
    AveragePool,
    Classifier,
    Conv,
    Head,
    NetworkDescription,
    Padding,
    share_quantisers,
)
from sterna.registry import Registry

#: Of the image of `skeleton`: groups of joints, and the channels of each, three coordinates of four joints.
PARTS, PART_CHANNELS = 8, 12


class Trunk:
    """Collects layers that follow each other, and numbers their names: conv1, pool1, conv2, ...

    last: the name of the last layer. activation: of convolutions and sums. image_channels: of the image. The first
    convolution has weights of FIRST_BITS bits, the others ternary ones.

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

    @checked
    def __init__(self, activation: str = "leaky", image_channels: int = RGB) -> None:
        self.layers: list[Layer] = []
        self.last = IMAGE
        self.activation = activation
        self.image_channels = image_channels
        self._counts: dict[str, int] = {}

    @checked
    def conv(
        self,
        filters: int,
        kernel: int,
        *,
        source: str | None = None,
        shares: str | None = None,
        activation: str | None = None,
        groups: int = 1,
        stride: int = 1,
        padding: Padding | None = None,
    ) -> str:
        """A convolution after the last layer or `source`, as `Conv` has it; returns its name."""
        name = self._number("conv")
        return self._add(
            Conv(
                name, source or self.last, filters, kernel, FIRST_BITS if name == "conv1" else None, shares,
                activation or self.activation, groups=groups, stride=stride, padding=padding,
            )
        )  # fmt: skip

    @checked
    def pool(
        self, stride: int = 2, kernel: int = 2, *, source: str | None = None, padding: Padding | None = None
    ) -> str:
        """Maxima that keep the size at stride 1, and halve it at stride 2, but with `padding`; returns the name."""
        sides = pool_padding(kernel, stride) if padding is None else padding
        return self._add(MaxPool(self._number("pool"), source or self.last, stride, kernel, sides))

    @checked
    def add(self, other: str) -> str:
        """The sum of the last layer and `other`, and the activation; returns the name."""
        return self._add(Add(self._number("add"), (self.last, other), self.activation))

    @checked
    def concat(self, sources: tuple[str, ...]) -> str:
        """The channels of the layers `sources`; returns the name."""
        return self._add(Concat(self._number("concat"), sources))

    @checked
    def average(self, kernel: int) -> str:
        """Means of kernel x kernel pixels; returns the name."""
        return self._add(AveragePool(self._number("average"), self.last, kernel))

    @checked
    def passthrough(self, route: str, filters: int) -> str:
        """1x1 of `route`, space-to-depth, in front of the last layer, whose scale it shares."""
        deep = self.last
        self.conv(filters, 1, source=route, shares="concat")
        self._add(Reorg("reorg", self.last))
        return self._add(Concat("concat", (self.last, deep)))

    def head(self) -> NetworkDescription:
        """The network, with its head after the last layer. Raises SternaError if it is none."""
        return self._end(Head("head", self.last))

    def classifier(self) -> NetworkDescription:
        """The network, with the scores of classes after the last layer. Raises SternaError if it is none."""
        return self._end(Classifier("head", self.last))

    def _end(self, last: Layer) -> NetworkDescription:
        self._add(last)
        return NetworkDescription(share_quantisers(self.layers), self.image_channels)

    def _number(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}{self._counts[kind]}"

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


def alexnet() -> NetworkDescription:
    """AlexNet: five convolutions, the first of 11x11 pixels and stride 4, and three layers that see the whole map."""
    trunk = Trunk("relu")
    trunk.conv(96, 11, stride=4)
    trunk.pool(2, 3, padding=NO_PADDING)
    trunk.conv(256, 5, groups=2)
    trunk.pool(2, 3, padding=NO_PADDING)
    trunk.conv(384, 3)
    trunk.conv(384, 3, groups=2)
    trunk.conv(256, 3, groups=2)
    trunk.pool(2, 3, padding=NO_PADDING)
    trunk.conv(4096, 6, padding=NO_PADDING)
    trunk.conv(4096, 1)
    return trunk.classifier()


#: Filters of each module of GoogLeNet: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 after the pool. Modules between pools.
_INCEPTION = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)  # fmt: skip
#: Of pools of 3x3 pixels and stride 2 that halve an even size: the last window ends in a row outside.
_ENDS_OUTSIDE: Padding = (0, 0, 1, 1)


def googlenet() -> NetworkDescription:
    """GoogLeNet: 57 convolutions, in nine modules of four branches that are concatenated."""
    trunk = Trunk("relu")
    trunk.conv(64, 7, stride=2)
    trunk.pool(2, 3, padding=_ENDS_OUTSIDE)
    trunk.conv(64, 1)
    trunk.conv(192, 3)
    for modules in _INCEPTION:
        trunk.pool(2, 3, padding=_ENDS_OUTSIDE)
        for filters in modules:
            _inception(trunk, *filters)
    trunk.average(7)
    return trunk.classifier()


def _inception(trunk: Trunk, one: int, before3: int, three: int, before5: int, five: int, pooled: int) -> None:
    source = trunk.last
    branches = [trunk.conv(one, 1, source=source)]
    for before, filters, kernel in ((before3, three, 3), (before5, five, 5)):
        trunk.conv(before, 1, source=source)
        branches.append(trunk.conv(filters, kernel))
    trunk.pool(1, 3, source=source)
    trunk.concat((*branches, trunk.conv(pooled, 1)))


def resnet50() -> NetworkDescription:
    """ResNet-50: 53 convolutions, in 16 bottlenecks whose results are added to their inputs."""
    trunk = Trunk("relu")
    trunk.conv(64, 7, stride=2)
    trunk.pool(2, 3, padding=(1, 1, 1, 1))
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            filters, stride = 64 << stage, 2 if stage and not block else 1
            _residual(trunk, ((filters, 1, 1), (filters, 3, stride), (4 * filters, 1, 1)), project=not block)
    trunk.average(7)
    return trunk.classifier()


def resnet8() -> NetworkDescription:
    """A residual network of 10 convolutions for images of 28x28, with under 80,000 weights."""
    trunk = Trunk("relu")
    trunk.conv(16, 3)
    for stage in range(3):
        filters = 16 << stage
        _residual(trunk, ((filters, 3, 2 if stage else 1), (filters, 3, 1)), project=stage > 0)
    trunk.average(7)
    return trunk.classifier()


def _residual(trunk: Trunk, convs: Sequence[tuple[int, int, int]], *, project: bool) -> None:
    """Convolutions (filters, kernel, stride) added to their input, or to a 1x1 convolution of it, as large as they."""
    source = trunk.last
    for filters, kernel, stride in convs[:-1]:
        trunk.conv(filters, kernel, stride=stride)
    filters, kernel, _ = convs[-1]
    result = trunk.conv(filters, kernel, activation="linear")
    if project:
        halvings = max(stride for _, _, stride in convs)
        source = trunk.conv(filters, 1, source=source, stride=halvings, activation="linear")
        trunk.last = result
    trunk.add(source)


def skeleton() -> NetworkDescription:
    """Movements of a body, fine to coarse: each of eight groups of joints, a limb and the trunk, halves, the whole.

    Its image is that of `sterna.train.data.skeletons`: eight times eight frames, whose channels are coordinates of
    joints. Pools join what is near in time, as groups that become fewer join what is near in the body.
    """
    trunk = Trunk("relu", PARTS * PART_CHANNELS)
    trunk.conv(64, 3, groups=PARTS)
    trunk.conv(96, 3, groups=PARTS // 2)
    trunk.pool()
    trunk.conv(128, 3, groups=PARTS // 4)
    trunk.pool()
    trunk.conv(128, 2, padding=NO_PADDING)
    return trunk.classifier()


_NAMES = ("yolov2", "yolov2-tiny", "yolov2-nano", "alexnet", "googlenet", "resnet50", "resnet8", "skeleton")
networks: Registry[Callable[[], NetworkDescription]] = Registry(
    "network",
    "sterna.networks",
    {name: f"{__name__}:{name.replace('-', '_')}" for name in _NAMES},
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
