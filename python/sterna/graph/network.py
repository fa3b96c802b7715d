"""A network before it has weights: named layers in order, checked when they are put together.

Pools, reorgs and concats are the very layers of the integer graph. A `Conv` here has filters and an activation where
that of the graph has integers. Training builds a module from a description, importers read one from the files of other
programs; the names of its layers reach through the graph to the report of the hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph.checks import (
    CHECKS,
    NAME,
    Check,
    check_activation,
    check_groups,
    check_integer,
    check_layer,
    check_reached,
    check_sources,
    where,
)
from sterna.graph.infer import TensorInfo, check_tensor, infer
from sterna.graph.layers import MAX_KERNEL, MAX_SIZE, STRUCTURE, Concat, Layer, OneInput
from sterna.spec.activations import Activation

IMAGE = "image"
"""The name by which layers read the image."""
RGB = 3
"""Channels of the image."""
GREY = 128
"""The value of a pixel that is real 0, and how many values make 1: real = (rgb - GREY) / GREY."""
BOX_FIELDS = 5
"""What a head outputs for a box before its class scores: x, y, w, h and objectness."""
ANCHORS = 5
FIRST_BITS = 8
HEAD_BITS = 8
BITS = (2, 8)
"""Fewest and most bits of the weights of a layer that is not ternary."""
KERNELS = tuple(range(1, MAX_KERNEL + 1, 2))
NORM_EPSILON = 1e-5
"""Batch normalisation divides by sqrt(variance + NORM_EPSILON)."""
_SIDE = 1 << 15
"""Of an image that all strides divide."""


@dataclass(frozen=True, eq=False)
class Conv(OneInput):
    """Convolution with batch normalisation and activation, stride 1, zero padding that keeps the size."""

    filters: int
    kernel: int
    """1, 3, 5 or 7."""
    bits: int | None = None
    """None: ternary weights; a number: integer weights of that many bits, 2 .. 8."""
    shares: str | None = None
    """Layers with one such name use one activation quantiser, as the inputs of a concat must."""
    activation: str = "leaky"
    """A name in `sterna.spec.activations`."""
    leak: float = Activation.LEAKY.slope
    """The slope of `leaky` in float form; the other forms have the engine's."""
    groups: int = 1
    """Divides the filters and the input's channels; a filter reads the channels of its own group."""

    @property
    def quantiser(self) -> str:
        """The name of the activation quantiser."""
        return self.shares or self.name


@dataclass(frozen=True, eq=False)
class Head(OneInput):
    """1x1 convolution with bias and no activation: the raw boxes of `anchors` anchors."""

    bits: int = HEAD_BITS
    anchors: int = ANCHORS

    @property
    def activation(self) -> str:
        """None is applied."""
        return "linear"

    @property
    def quantiser(self) -> str:
        """The name of the activation quantiser."""
        return self.name

    def channels(self, classes: int) -> int:
        """How many channels boxes with `classes` classes take."""
        return self.anchors * (BOX_FIELDS + classes)


@checked
@dataclass(frozen=True)
class NetworkDescription:
    """The layers of a detector, in the order in which they are computed, its head the last one.

    Raises SternaError if no graph could be made from them: missing or repeated names, attributes out of range, maps
    that do not match, inputs of a concat without a shared scale, layers that do not lead to the head.

    >>> from sterna.graph.network import Conv, Head
    >>> network = sterna.NetworkDescription((Conv("conv1", "image", 16, 3, bits=8), Head("head", "conv1", anchors=2)))
    >>> network.channels(classes=3)
    {'image': 3, 'conv1': 16, 'head': 16}
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        names = [IMAGE]
        for layer in self.layers:
            check_layer(layer, KINDS.values(), _CHECKS, "network")
            check_sources(layer, names, names)
            names.append(layer.name)
        if sum(isinstance(layer, Head) for layer in self.layers) != 1 or not isinstance(self.layers[-1], Head):
            raise SternaError(
                "does not end in its head", where="network", attribute="last layer", value=names[-1],
                allowed="one Head, as the last layer", remedy="end the network in its head",
            )  # fmt: skip
        check_reached(self.layers, Head)
        _check_scales(self.layers)
        self.infer(1, _SIDE, _SIDE)

    @property
    def head(self) -> Head:
        """The last layer."""
        head = self.layers[-1]
        assert isinstance(head, Head)
        return head

    @property
    def convolutions(self) -> tuple[Conv | Head, ...]:
        """The layers that have weights."""
        return tuple(layer for layer in self.layers if isinstance(layer, Conv | Head))

    @property
    def ternary(self) -> tuple[str, ...]:
        """Names of the layers whose weights are ternary."""
        return tuple(layer.name for layer in self.convolutions if layer.bits is None)

    @cached_property
    def stride(self) -> int:
        """Image pixels per cell of the head."""
        return _SIDE // self.infer(1, _SIDE, _SIDE)[self.head.name].height

    @checked
    def channels(self, classes: int) -> dict[str, int]:
        """How many channels the image and the map of each layer have, by name."""
        return {name: info.channels for name, info in self.infer(classes, _SIDE, _SIDE).items()}

    @checked
    def infer(self, classes: int, height: int, width: int) -> dict[str, TensorInfo]:
        """The maps of the image and of each layer, by name, with unit scales; raises SternaError for an empty one."""
        maps = {IMAGE: TensorInfo(RGB, height, width, 1.0, 0)}
        for layer in self.layers:
            sources = [maps[name] for name in layer.sources]
            match layer:
                case Conv():
                    _check_channels(layer, sources[0].channels)
                    maps[layer.name] = replace(sources[0], channels=layer.filters)
                case Head():
                    maps[layer.name] = replace(sources[0], channels=layer.channels(classes))
                case _:
                    maps[layer.name] = infer(layer, sources)
            check_tensor(layer, maps[layer.name])
        return maps

    @checked
    def with_bits(self, first: int, head: int) -> Self:
        """The same network with weights of `head` bits in the head, and of `first` in others that are not ternary."""
        return replace(self, layers=tuple(_with_bits(layer, first, head) for layer in self.layers))


def _with_bits(layer: Layer, first: int, head: int) -> Layer:
    match layer:
        case Head():
            return replace(layer, bits=head)
        case Conv() if layer.bits is not None:
            return replace(layer, bits=first)
    return layer


def share_quantisers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The same layers, with one activation quantiser for all convolutions whose values meet in a concat."""
    makers: dict[str, set[str]] = {IMAGE: set()}  # which convolutions a layer's values come from
    shared: dict[str, str] = {}
    for layer in layers:
        made = isinstance(layer, Conv | Head)
        makers[layer.name] = {layer.name} if made else set().union(*(makers[source] for source in layer.sources))
        if isinstance(layer, Concat):
            met = makers[layer.name]
            older = {shared[name] for name in met if name in shared}
            met |= {name for name, group in shared.items() if group in older}
            shared |= dict.fromkeys(met, layer.name)
    return tuple(
        replace(layer, shares=shared[layer.name]) if isinstance(layer, Conv) and layer.name in shared else layer
        for layer in layers
    )


def _check_scales(layers: Sequence[Layer]) -> None:
    """Refuse a layer whose inputs come from different activation quantisers."""
    quantisers = {IMAGE: IMAGE}
    for layer in layers:
        if isinstance(layer, Conv | Head):
            quantisers[layer.name] = layer.quantiser
            continue
        found = list(dict.fromkeys(quantisers[source] for source in layer.sources))
        if len(found) > 1:
            raise SternaError(
                "joins maps of different scales", where=where(layer), attribute="activation quantisers",
                value=", ".join(found), allowed="one for all its inputs",
                remedy="give the convolutions that feed it the same name in `shares`",
            )  # fmt: skip
        quantisers[layer.name] = found[0]


def _check_channels(layer: Conv, channels: int) -> None:
    if channels % layer.groups:
        raise SternaError(
            "cannot divide its input's channels into groups of equal size", where=where(layer), attribute="groups",
            value=layer.groups, allowed=f"divisors of {channels}", remedy="choose one of these",
        )  # fmt: skip


def _check_conv(layer: Conv) -> None:
    check_integer(where(layer), "filters", layer.filters, 1, MAX_SIZE, "use fewer filters")
    check_groups(layer, layer.filters)
    if type(layer.kernel) is not int or layer.kernel not in KERNELS:
        raise SternaError(
            "has an invalid kernel", where=where(layer), attribute="kernel", value=layer.kernel,
            allowed=", ".join(map(str, KERNELS)), remedy="use one of these",
        )  # fmt: skip
    if layer.bits is not None:
        check_integer(where(layer), "bits", layer.bits, *BITS, "use weights of fewer bits")
    if layer.shares is not None and not (isinstance(layer.shares, str) and NAME.fullmatch(layer.shares)):
        raise SternaError(
            "has an invalid name for its activation quantiser", where=where(layer), attribute="shares",
            value=repr(layer.shares), allowed="1 .. 128 of A-Z a-z 0-9 _ . / -, or None", remedy="give another name",
        )  # fmt: skip
    check_activation(layer, "activation", layer.activation)
    if type(layer.leak) not in (int, float) or not 0 <= layer.leak <= 1:
        raise SternaError(
            "has an invalid slope", where=where(layer), attribute="leak", value=layer.leak, allowed="0 .. 1",
            remedy="use a slope in this range",
        )  # fmt: skip


def _check_head(layer: Head) -> None:
    check_integer(where(layer), "bits", layer.bits, *BITS, "use weights of fewer bits")
    check_integer(where(layer), "anchors", layer.anchors, 1, MAX_SIZE, "use fewer anchors")


KINDS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Conv, Head, *STRUCTURE)}
"""Every kind of layer of a description by its name in checkpoints."""
_CHECKS: dict[type[Layer], Check] = {**CHECKS, Conv: _check_conv, Head: _check_head}
