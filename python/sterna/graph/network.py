"""A network before it has weights: named layers in order, checked when they are put together.

Max pools, reorgs and concats are the very layers of the integer graph. `Conv` and `Add` here have what training needs
where those of the graph have integers; `sterna.graph.assemble` makes the layers of a graph of them. Training builds a
module from a description, importers read one from the files of other programs; the names of its layers reach through
the graph to the report of the hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph.checks import (
    CHECKS,
    NAME,
    SIDES,
    Check,
    check_activation,
    check_groups,
    check_inputs,
    check_integer,
    check_integers,
    check_layer,
    check_reached,
    check_sources,
    where,
)
from sterna.graph.infer import TensorInfo, check_alike, check_tensor, infer, windows
from sterna.graph.layers import (
    LEAST_POOL,
    MAX_KERNEL,
    MAX_PADDING,
    MAX_SIZE,
    STRIDES,
    STRUCTURE,
    Concat,
    Layer,
    ManyInputs,
    OneInput,
)
from sterna.spec.activations import Activation

IMAGE = "image"
"""The name by which layers read the image."""
RGB = 3
"""Channels of a colour image."""
GREY = 128
"""The value of a pixel that is real 0, and how many values make 1: real = (rgb - GREY) / GREY."""
BOX_FIELDS = 5
"""What a head outputs for a box before its class scores: x, y, w, h and objectness."""
ANCHORS = 5
FIRST_BITS = 8
HEAD_BITS = 8
BITS = (2, 8)
"""Fewest and most bits of the weights of a layer that is not ternary."""
CONV_STRIDES = (1, 2, 4)
LARGEST_KERNEL = 11
"""Of a convolution that reorgs make smaller: one of stride 4, or of stride 2 and a kernel that the engine has not."""
Padding = tuple[int, int, int, int]
"""(top, left, bottom, right)."""
NO_PADDING: Padding = (0, 0, 0, 0)
MAX_SIDE = 1024
"""Pixels of the side of an image, at most."""
NORM_EPSILON = 1e-5
"""Batch normalisation divides by sqrt(variance + NORM_EPSILON)."""
_SIDE = 1 << 15
"""Of an image that all strides divide."""


class Quantised:
    """A layer whose activations are quantised."""

    name: str
    shares: str | None

    @property
    def quantiser(self) -> str:
        """The name of the activation quantiser."""
        return self.shares or self.name


@dataclass(frozen=True, eq=False)
class Conv(Quantised, OneInput):
    """Convolution with batch normalisation and activation."""

    filters: int
    kernel: int
    """1 .. 7; with `reorgs` up to 11."""
    bits: int | None = None
    """None: ternary weights; a number: integer weights of that many bits, 2 .. 8."""
    shares: str | None = None
    """Layers with one such name use one activation quantiser, as the inputs of a concat or a sum must."""
    activation: str = "leaky"
    """A name in `sterna.spec.activations`."""
    leak: float = Activation.LEAKY.slope
    """The slope of `leaky` in float form; the other forms have the engine's."""
    groups: int = 1
    """Divides the filters and the input's channels; a filter reads the channels of its own group."""
    stride: int = 1
    """1, 2 or 4."""
    padding: Padding | None = None
    """Zeros around the input; None: half of an odd kernel on each side, which keeps the size at stride 1."""

    @property
    def sides(self) -> Padding:
        """The padding."""
        return (self.kernel // 2,) * 4 if self.padding is None else self.padding

    @property
    def reorgs(self) -> int:
        """How often the graph cuts the input into phases, by reorgs, so that the engine can compute it.

        Each halves the stride and the kernel, rounded up, and makes four channels of one. Weights that the kernel does
        not have are zeros, which cost nothing.
        """
        return 0 if self.stride in STRIDES and self.kernel <= MAX_KERNEL else self.stride // 2


@dataclass(frozen=True, eq=False)
class Add(Quantised, ManyInputs):
    """Sum of two maps, which share an activation quantiser, and activation."""

    activation: str = "relu"
    """A name in `sterna.spec.activations`."""
    shares: str | None = None
    """As that of a convolution."""


@dataclass(frozen=True, eq=False)
class AveragePool(Quantised, OneInput):
    """Mean of kernel x kernel pixels: of the whole map if it has no more."""

    kernel: int
    """2 .. 7."""
    stride: int = 1
    """1 or 2."""
    shares: str | None = None
    """As that of a convolution."""


@dataclass(frozen=True, eq=False)
class LastLayer(OneInput):
    """1x1 convolution with bias and no activation, which ends a network."""

    bits: int = HEAD_BITS

    kernel: ClassVar[int] = 1
    stride: ClassVar[int] = 1
    groups: ClassVar[int] = 1
    sides: ClassVar[Padding] = NO_PADDING
    reorgs: ClassVar[int] = 0
    activation: ClassVar[str] = "linear"
    """None is applied."""

    @property
    def quantiser(self) -> str:
        """The name of the activation quantiser."""
        return self.name

    def channels(self, classes: int) -> int:
        """How many channels the result has for `classes` classes."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Head(LastLayer):
    """The raw boxes of `anchors` anchors."""

    anchors: int = ANCHORS

    def channels(self, classes: int) -> int:
        """How many channels boxes with `classes` classes take."""
        return self.anchors * (BOX_FIELDS + classes)


@dataclass(frozen=True, eq=False)
class Classifier(LastLayer):
    """The score of each class, of the image if the map has one pixel."""

    def channels(self, classes: int) -> int:
        """A score for each class."""
        return classes


Weighted = Conv | LastLayer
"""Layers that have weights."""
Rescaled = Add | AveragePool
"""Layers without weights whose values get a scale of their own."""


@checked
@dataclass(frozen=True)
class NetworkDescription:
    """The layers of a detector or classifier, in the order in which they are computed, its head the last one.

    Raises SternaError if no graph could be made from them: missing or repeated names, attributes out of range, maps
    that do not match, inputs of a concat or a sum without a shared scale, layers that do not lead to the head.

    >>> from sterna.graph.network import Conv, Head
    >>> network = sterna.NetworkDescription((Conv("conv1", "image", 16, 3, bits=8), Head("head", "conv1", anchors=2)))
    >>> network.channels(classes=3)
    {'image': 3, 'conv1': 16, 'head': 16}
    """

    layers: tuple[Layer, ...]
    image_channels: int = RGB
    """Channels of the image; a classifier may read any map of bytes as one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        check_integer("network", "image_channels", self.image_channels, 1, MAX_SIZE, "use fewer channels")
        names = [IMAGE]
        for layer in self.layers:
            check_layer(layer, KINDS.values(), _CHECKS, "network")
            check_sources(layer, names, names)
            names.append(layer.name)
        ends = [isinstance(layer, LastLayer) for layer in self.layers]
        if sum(ends) != 1 or not ends[-1]:
            raise SternaError(
                "does not end in its head", where="network", attribute="last layer", value=names[-1],
                allowed="one Head or Classifier, as the last layer", remedy="end the network in its head",
            )  # fmt: skip
        if isinstance(self.last, Head) and self.image_channels != RGB:
            raise SternaError(
                "detects in what is no colour image", where="network", attribute="image_channels",
                value=self.image_channels, allowed=str(RGB), remedy="end it in a Classifier, or give it RGB images",
            )  # fmt: skip
        check_reached(self.layers, type(self.last))
        _check_scales(self.layers)
        self.infer(1, _SIDE, _SIDE)

    @property
    def last(self) -> LastLayer:
        """The last layer."""
        last = self.layers[-1]
        assert isinstance(last, LastLayer)
        return last

    @property
    def head(self) -> Head:
        """The last layer of a detector; raises SternaError if the network is none."""
        if not isinstance(self.last, Head):
            raise SternaError(
                "is no detector", where="network", attribute="last layer", value=type(self.last).__name__,
                allowed="Head", remedy="name a network for detection",
            )  # fmt: skip
        return self.last

    @property
    def convolutions(self) -> tuple[Weighted, ...]:
        """The layers that have weights."""
        return tuple(layer for layer in self.layers if isinstance(layer, Weighted))

    @property
    def rescaled(self) -> tuple[Rescaled, ...]:
        """The layers without weights whose values have a scale of their own."""
        return tuple(layer for layer in self.layers if isinstance(layer, Rescaled))

    @property
    def ternary(self) -> tuple[str, ...]:
        """Names of the layers whose weights are ternary."""
        return tuple(layer.name for layer in self.convolutions if layer.bits is None)

    @cached_property
    def stride(self) -> int:
        """Image pixels per cell of the head."""
        return _SIDE // self.infer(1, _SIDE, _SIDE)[self.last.name].height

    @property
    def side(self) -> int | None:
        """Height and width of the images that a classifier is made for: the least multiple of its stride of which one
        pixel is left; None if there is none up to MAX_SIDE."""
        for side in range(self.stride, MAX_SIDE + 1, self.stride):
            with suppress(SternaError):  # of a map that is empty
                last = self.infer(1, side, side)[self.last.name]
                return side if (last.height, last.width) == (1, 1) else None
        return None

    @checked
    def channels(self, classes: int) -> dict[str, int]:
        """How many channels the image and the map of each layer have, by name."""
        return {name: info.channels for name, info in self.infer(classes, _SIDE, _SIDE).items()}

    @checked
    def infer(self, classes: int, height: int, width: int) -> dict[str, TensorInfo]:
        """The maps of the image and of each layer, by name, with unit scales; raises SternaError for an empty one."""
        maps = {IMAGE: TensorInfo(self.image_channels, height, width, 1.0, 0)}
        for layer in self.layers:
            maps[layer.name] = _map(layer, [maps[name] for name in layer.sources], classes)
            check_tensor(layer, maps[layer.name])
        return maps

    @checked
    def with_bits(self, first: int, head: int) -> Self:
        """The same network with weights of `head` bits in the head, and of `first` in others that are not ternary."""
        return replace(self, layers=tuple(_with_bits(layer, first, head) for layer in self.layers))


def _map(layer: Layer, sources: list[TensorInfo], classes: int) -> TensorInfo:
    """What `layer` makes of `sources`."""
    match layer:
        case Conv():
            _check_channels(layer, sources[0])
            height, width = windows(sources[0], layer.kernel, layer.stride, layer.sides)
            return replace(sources[0], channels=layer.filters, height=height, width=width)
        case LastLayer():
            return replace(sources[0], channels=layer.channels(classes))
        case Add():
            check_alike(layer, tuple(sources), ("channels", "height", "width"))
            return sources[0]
        case AveragePool():
            height, width = windows(sources[0], layer.kernel, layer.stride, NO_PADDING)
            return replace(sources[0], height=height, width=width)
    return infer(layer, sources)


def _with_bits(layer: Layer, first: int, head: int) -> Layer:
    match layer:
        case LastLayer():
            return replace(layer, bits=head)
        case Conv() if layer.bits is not None:
            return replace(layer, bits=first)
    return layer


def share_quantisers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The same layers, with one activation quantiser for all layers whose values meet in a concat or a sum."""
    makers: dict[str, set[str]] = {IMAGE: set()}  # which layers with a quantiser a layer's values come from
    shared: dict[str, str] = {}
    for layer in layers:
        sources: set[str] = set().union(*(makers[source] for source in layer.sources))
        makers[layer.name] = {layer.name} if isinstance(layer, Weighted | Rescaled) else sources
        if isinstance(layer, Concat | Add):
            met = sources
            older = {shared[name] for name in met if name in shared}
            met |= {name for name, group in shared.items() if group in older}
            shared |= dict.fromkeys(met, layer.name)
    return tuple(
        replace(layer, shares=shared[layer.name])
        if isinstance(layer, Conv | Rescaled) and layer.name in shared
        else layer
        for layer in layers
    )


def _check_scales(layers: Sequence[Layer]) -> None:
    """Refuse a layer whose inputs come from different activation quantisers."""
    quantisers = {IMAGE: IMAGE}
    for layer in layers:
        found = list(dict.fromkeys(quantisers[source] for source in layer.sources))
        if len(found) > 1:
            raise SternaError(
                "joins maps of different scales", where=where(layer), attribute="activation quantisers",
                value=", ".join(found), allowed="one for all its inputs",
                remedy="give the layers that feed it the same name in `shares`",
            )  # fmt: skip
        quantisers[layer.name] = layer.quantiser if isinstance(layer, Weighted | Rescaled) else found[0]


def _check_channels(layer: Conv, source: TensorInfo) -> None:
    channels, parts = source.channels, 1 << layer.reorgs
    if source.height % parts or source.width % parts:
        raise SternaError(
            "cannot cut its input into phases of equal size", where=where(layer),
            attribute=f"height, width of '{layer.input}'", value=f"{source.height}, {source.width}",
            allowed=f"multiples of {parts}", remedy="choose another image size",
        )  # fmt: skip
    if channels % layer.groups:
        raise SternaError(
            "cannot divide its input's channels into groups of equal size", where=where(layer), attribute="groups",
            value=layer.groups, allowed=f"divisors of {channels}", remedy="choose one of these",
        )  # fmt: skip


def _check_conv(layer: Conv) -> None:
    check_integer(where(layer), "filters", layer.filters, 1, MAX_SIZE, "use fewer filters")
    check_groups(layer, layer.filters)
    _check_window(layer)
    if layer.bits is not None:
        check_integer(where(layer), "bits", layer.bits, *BITS, "use weights of fewer bits")
    _check_shares(layer)
    check_activation(layer, "activation", layer.activation)
    if type(layer.leak) not in (int, float) or not 0 <= layer.leak <= 1:
        raise SternaError(
            "has an invalid slope", where=where(layer), attribute="leak", value=layer.leak, allowed="0 .. 1",
            remedy="use a slope in this range",
        )  # fmt: skip


def _check_window(layer: Conv) -> None:
    """Refuse a stride, a kernel or a padding that no graph has, or that do not go together."""
    if type(layer.stride) is not int or layer.stride not in CONV_STRIDES:
        raise SternaError(
            "has an invalid stride", where=where(layer), attribute="stride", value=layer.stride,
            allowed=", ".join(map(str, CONV_STRIDES)), remedy="use one of these",
        )  # fmt: skip
    largest = LARGEST_KERNEL if layer.stride > 1 else MAX_KERNEL
    check_integer(where(layer), "kernel", layer.kernel, 1, largest, "use a smaller kernel")
    if layer.padding is None and layer.kernel % 2 == 0:
        raise SternaError(
            "has an even kernel, of which no half is a pixel's", where=where(layer), attribute="padding", value=None,
            allowed=f"({', '.join(SIDES)})", remedy="say how many zeros are on each side",
        )  # fmt: skip
    most = MAX_PADDING if layer.reorgs == 0 else LARGEST_KERNEL - 1
    check_integers(layer, "padding", layer.sides, SIDES, (0, most), "use less padding")
    if layer.reorgs and layer.groups > 1:
        raise SternaError(
            "has groups that a reorg would tear apart", where=where(layer), attribute="groups", value=layer.groups,
            allowed=f"1 with stride {layer.stride} and kernel {layer.kernel}", remedy="use no groups in this layer",
        )  # fmt: skip


def _check_shares(layer: Conv | Rescaled) -> None:
    if layer.shares is not None and not (isinstance(layer.shares, str) and NAME.fullmatch(layer.shares)):
        raise SternaError(
            "has an invalid name for its activation quantiser", where=where(layer), attribute="shares",
            value=repr(layer.shares), allowed="1 .. 128 of A-Z a-z 0-9 _ . / -, or None", remedy="give another name",
        )  # fmt: skip


def _check_add(layer: Add) -> None:
    check_inputs(layer, "inputs", layer.inputs, 2, 2)
    check_activation(layer, "activation", layer.activation)
    _check_shares(layer)


def _check_average_pool(layer: AveragePool) -> None:
    remedy = "take means by several layers, one after the other"
    check_integer(where(layer), "kernel", layer.kernel, LEAST_POOL, MAX_KERNEL, remedy)
    check_integer(where(layer), "stride", layer.stride, STRIDES[0], STRIDES[-1], "use a stride of 1 or 2")
    _check_shares(layer)


def _check_last(layer: LastLayer) -> None:
    check_integer(where(layer), "bits", layer.bits, *BITS, "use weights of fewer bits")


def _check_head(layer: Head) -> None:
    _check_last(layer)
    check_integer(where(layer), "anchors", layer.anchors, 1, MAX_SIZE, "use fewer anchors")


KINDS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Conv, Head, Classifier, Add, AveragePool, *STRUCTURE)}
"""Every kind of layer of a description by its name in checkpoints."""
_CHECKS: dict[type[Layer], Check] = {
    **CHECKS,
    Conv: _check_conv,
    Add: _check_add,
    AveragePool: _check_average_pool,
    Head: _check_head,
    Classifier: _check_last,
}
