"""Darknet's cfg files of the YOLOv2 family, read into a network description of Sterna.

Source: `parser.c` of darknet (github.com/pjreddie/darknet) for keys, defaults and shapes. What changes the
result and that Sterna cannot compute is refused. `keys.py` says what becomes of each key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from sterna.graph.layers import (
    LEAST_POOL,
    MAX_KERNEL,
    MAX_SIZE,
    STRIDES,
    Concat,
    Layer,
    MaxPool,
    Reorg,
    pool_kernels,
)
from sterna.graph.network import (
    BOX_FIELDS,
    CONV_STRIDES,
    FIRST_BITS,
    IMAGE,
    RGB,
    Add,
    Conv,
    Head,
    NetworkDescription,
    Padding,
    share_quantisers,
)
from sterna.importers.darknet import keys
from sterna.importers.darknet.sections import Section, read_sections
from sterna.importers.importer import DetectorDescription
from sterna.spec.activations import ACTIVATIONS
from sterna.vision import anchors

KERNELS = tuple(range(1, MAX_KERNEL + 1, 2))  # odd ones, whose half is padded on every side
LEAK = 0.1  # the slope of darknet's `activation=leaky`
SUM_ACTIVATIONS = ("linear", "relu")  # a sum here has the slope of the engine only


@dataclass(frozen=True)
class Yolo2(DetectorDescription):
    """What a cfg file says about a detector.

    straight: the reorgs that are a true space-to-depth in darknet as well, its [reorg3d].
    """

    straight: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Map:
    """The output of one of darknet's layers: the layer of Sterna that computes it, and its shape."""

    name: str
    channels: int
    height: int
    width: int


def read_cfg(path: Path) -> Yolo2:
    """Read the cfg file `path`; raises SternaError with its line for all that Sterna does not compute.

    Layers are named conv1, conv2, ..., pool1, ..., reorg, concat and head, as those of Sterna's own networks are. The
    inputs of a concat share an activation quantiser.
    """
    return _Reader(path).described


def darknet_padding(size: int, stride: int) -> Padding:
    """What darknet has around a map whose sides `stride` divides, for a pool of size x size pixels."""
    before, after = (size - 1) // 2, size - stride - (size - 1) // 2
    return before, before, after, after


class _Reader:
    """Goes through the sections once. `maps` has an entry for each of darknet's layers, as routes count them."""

    def __init__(self, path: Path) -> None:
        sections = read_sections(path)
        if not sections:
            raise Section(str(path), 1, -1, "").refuse(
                "the cfg file has no section", allowed="[net], then layers", remedy="name a darknet cfg file"
            )
        self.layers: list[Layer] = []
        self.maps: list[_Map] = []
        self.sections: dict[str, Section] = {}
        self.straight: set[str] = set()
        self._image = self._net(sections[0])
        for section, following in zip_longest(sections[1:], sections[2:]):
            self._layer(section, following)
        self.described = self._finish(sections[-1])

    @property
    def _last(self) -> _Map:
        return self.maps[-1] if self.maps else self._image

    def _net(self, section: Section) -> _Map:
        if section.name != "net":
            raise section.refuse("the first section does not describe the network", allowed="[net]", remedy="add it")
        _check_keys(section)
        section.only("channels", RGB, 0, "Sterna reads colour images", "use a network for RGB images")
        return _Map(IMAGE, RGB, section.integer("height"), section.integer("width"))

    def _layer(self, section: Section, following: Section | None) -> None:
        read: dict[str, Callable[[Section], None]] = {
            "convolutional": self._head if following and following.name == "region" else self._convolution,
            "maxpool": self._pool,
            "route": self._route,
            "reorg": self._reorg,
            "reorg3d": self._reorg,
            "shortcut": self._shortcut,
            "dropout": self._dropout,
            "region": self._region,
        }
        if section.name not in read:
            raise section.refuse(
                f"Sterna has no layer [{section.name}]",
                allowed=", ".join(f"[{name}]" for name in read),
                remedy="use a network of the YOLOv2 family",
            )
        _check_keys(section)
        if not self.layers and section.name != "convolutional":
            raise section.refuse(
                "only a convolution can read the image", allowed="[convolutional]", remedy="begin with a convolution"
            )
        if (following is None) != (section.name == "region"):
            raise section.refuse(
                "a YOLOv2 has one [region], at its end",
                allowed="one [region], as the last section",
                remedy="remove the sections after it" if following else "add the [region] of the network",
            )
        read[section.name](section)

    def _add(self, layer: Layer, section: Section, channels: int, height: int, width: int) -> None:
        if channels > MAX_SIZE:
            raise section.refuse(
                "the map has too many channels", value=channels, allowed=f"1 .. {MAX_SIZE}", remedy="use fewer"
            )
        self.layers.append(layer)
        self.maps.append(_Map(layer.name, channels, height, width))
        self.sections[layer.name] = section

    def _count(self, kind: type[Layer]) -> int:
        """The number that the next layer of `kind` gets."""
        return 1 + sum(isinstance(layer, kind) for layer in self.layers)

    def _convolution(self, section: Section) -> None:
        kernel, stride = _plain_convolution(section), section.integer("stride", 1)
        source, filters, groups = self._last, section.integer("filters", 1), section.integer("groups", 1)
        if stride not in CONV_STRIDES:
            raise section.refuse(
                "no layer has such a stride", "stride", allowed=", ".join(map(str, CONV_STRIDES)),
                remedy="use one of these",
            )  # fmt: skip
        for key in ("stride_x", "stride_y"):
            section.only(key, stride, stride, "a convolution of two strides", f"use {key}={stride}")
        if source.channels % groups or filters % groups:
            raise section.refuse(
                "the groups do not divide the channels", "groups",
                allowed=f"divisors of {source.channels} and of {filters}", remedy="use one of these",
            )  # fmt: skip
        self._check_divided(section, source, stride)
        section.only(
            "batch_normalize", 1, 0, "a convolution without batch normalisation", "train a network that has it"
        )
        activation = _activation(section, tuple(ACTIVATIONS))
        number = self._count(Conv)
        bits = FIRST_BITS if source.name == IMAGE else None
        layer = Conv(
            f"conv{number}", source.name, filters, kernel, bits, activation=activation, groups=groups, stride=stride
        )
        layer = replace(layer, leak=LEAK) if activation == "leaky" else layer
        self._add(layer, section, filters, source.height // stride, source.width // stride)

    def _head(self, section: Section) -> None:
        if _plain_convolution(section) != 1:
            raise section.refuse("the head is a 1x1 convolution", "size", allowed="1", remedy="use size=1")
        for key in ("stride", "stride_x", "stride_y", "groups"):
            section.only(key, 1, 1, "the head reads every pixel, in one group", f"use {key}=1")
        section.only("batch_normalize", 0, 0, "the head has no batch normalisation", "remove the line")
        _activation(section, ("linear",))
        source = self._last
        # The next section says how many anchors there are, and corrects this.
        self._add(Head("head", source.name), section, section.integer("filters", 1), source.height, source.width)

    def _pool(self, section: Section) -> None:
        stride = section.integer("stride", 1)
        for key in ("stride_x", "stride_y"):
            section.only(key, stride, stride, "a pool of two strides", f"use {key}={stride}")
        for key in ("maxpool_depth", "antialiasing", "maxpool_zero_nonmax"):
            section.only(key, 0, 0, f"a pool with {key}", "remove the line")
        size, source = section.integer("size", stride), self._last
        if stride not in STRIDES or not (LEAST_POOL <= size <= MAX_KERNEL or (stride == 1 and size % 2 and size > 1)):
            wrong = "stride" if stride not in STRIDES else "size"
            raise section.refuse(
                "no layer is such a pool", wrong, value=stride if wrong == "stride" else size,
                allowed=f"sizes of {LEAST_POOL} .. {MAX_KERNEL} with stride 1 or 2; with stride 1 also larger odd ones",
                remedy="use one of these",
            )  # fmt: skip
        if (size, stride) == (2, 2):
            section.integer("padding", 1, low=0, high=1)  # no pixel of an even map comes to lie elsewhere
        else:
            section.only("padding", size - 1, size - 1, "a pool with another padding", "remove the line")
        self._check_divided(section, source, stride)
        name = source.name
        for part in pool_kernels(size) if size > MAX_KERNEL else (size,):
            layer = MaxPool(f"pool{self._count(MaxPool)}", name, stride, part, darknet_padding(part, stride))
            self.layers.append(layer)
            name = layer.name
            self.sections[name] = section
        self.maps.append(_Map(name, source.channels, source.height // stride, source.width // stride))

    def _reorg(self, section: Section) -> None:
        section.only("stride", 2, 1, "the engine's reorg has blocks of 2x2 pixels", "use stride=2")
        for key in ("reverse", "flatten", "extra"):
            section.only(key, 0, 0, f"a reorg with {key}", "remove the line")
        source = self._last
        self._check_divided(section, source, 2)
        if source.channels % 4:
            raise section.refuse(
                "darknet's reorg needs a multiple of 4 channels",
                value=source.channels,
                allowed="a multiple of 4",
                remedy="give the layer before it such a number of filters",
            )
        layer = Reorg(_numbered("reorg", self._count(Reorg)), source.name)
        if section.name == "reorg3d":
            self.straight.add(layer.name)
        self._add(layer, section, 4 * source.channels, source.height // 2, source.width // 2)

    def _check_divided(self, section: Section, source: _Map, stride: int) -> None:
        if source.height % stride or source.width % stride:
            raise section.refuse(
                f"the layer divides the sides of a map that are no multiples of {stride}",
                value=f"{source.width} x {source.height}",
                allowed=f"multiples of {stride}",
                remedy="choose width and height in [net] that are multiples of the size of a cell (mostly 32)",
            )

    def _route(self, section: Section) -> None:
        section.only("groups", 1, 1, "a route that takes only some of the channels", "use a network without it")
        sources = [self._source(section, index) for index in section.integers("layers")]
        first = sources[0]
        if len(sources) == 1:
            self.maps.append(first)
            return
        for source in sources[1:]:
            if (source.height, source.width) != (first.height, first.width):
                raise section.refuse(
                    "the route joins maps of different size",
                    "layers",
                    allowed=f"maps of {first.width} x {first.height}, as {first.name} has; "
                    f"{source.name} has {source.width} x {source.height}",
                    remedy="correct the numbers of the layers",
                )
        layer = Concat(_numbered("concat", self._count(Concat)), tuple(source.name for source in sources))
        self._add(layer, section, sum(source.channels for source in sources), first.height, first.width)

    def _shortcut(self, section: Section) -> None:
        if section.word("weights_type", "none") != "none":
            raise section.refuse(
                "a sum with weights of its own", "weights_type", allowed="none", remedy="use a network without it"
            )
        indices = section.integers("from")
        if len(indices) != 1:
            raise section.refuse("a sum of more than two maps", "from", allowed="one layer", remedy="add them in turn")
        first, second = self._last, self._source(section, indices[0])
        if (first.channels, first.height, first.width) != (second.channels, second.height, second.width):
            raise section.refuse(
                "the sum has maps of different shape", "from",
                allowed=f"{first.channels} x {first.height} x {first.width}, as {first.name} has; {second.name} has "
                f"{second.channels} x {second.height} x {second.width}",
                remedy="correct the number of the layer",
            )  # fmt: skip
        activation = section.word("activation", "linear")
        if activation not in SUM_ACTIVATIONS:
            raise section.refuse(
                "unsupported activation of a sum", "activation", allowed=", ".join(SUM_ACTIVATIONS),
                remedy="use one of these",
            )  # fmt: skip
        layer = Add(f"add{self._count(Add)}", (first.name, second.name), activation)
        self._add(layer, section, first.channels, first.height, first.width)

    def _source(self, section: Section, index: int) -> _Map:
        """The map that a route means: an earlier layer, counted from 0, or backwards from this one."""
        here = len(self.maps)
        if not -here <= index < here:
            raise section.refuse(
                f"the route to {index} leads to no earlier layer",
                "layers",
                allowed=f"{-here} .. -1, or 0 .. {here - 1}",
                remedy="correct the number of the layer",
            )
        return self.maps[index]

    def _dropout(self, section: Section) -> None:
        """Nothing but a layer that routes count: it passes its input on when it does not train."""
        self.maps.append(self._last)

    def _region(self, section: Section) -> None:
        if not isinstance(self.layers[-1], Head):
            raise section.refuse(
                "there is no convolution before the [region]", allowed="[convolutional]", remedy="add the head"
            )
        for key in ("tree", "map"):
            if key in section.options:
                raise section.refuse(
                    "a tree of classes, as in YOLO9000, is not supported",
                    key,
                    allowed="no such line",
                    remedy="use a network with a flat list of classes",
                )
        section.only("coords", 4, 4, "a box has four coordinates", "use coords=4")
        section.only("softmax", 1, 0, "Sterna decodes classes with a softmax", "train the network with softmax=1")
        section.only("background", 0, 0, "Sterna decodes an objectness, not a background class", "remove the line")
        self.classes = section.integer("classes", 20)
        self.anchors = _anchors(section)
        self._settle_head(section)

    def _settle_head(self, region: Section) -> None:
        head = self.layers[-1]
        assert isinstance(head, Head)
        head = replace(head, anchors=len(self.anchors))
        expected = head.channels(self.classes)
        if self._last.channels != expected:
            raise self.sections[head.name].refuse(
                "the filters of the head do not fit the region",
                "filters",
                allowed=f"{expected} = num * ({BOX_FIELDS} + classes) = "
                f"{head.anchors} * ({BOX_FIELDS} + {self.classes}), of [region] in line {region.line}",
                remedy="correct filters, num or classes",
            )
        self.layers[-1] = head

    def _finish(self, region: Section) -> Yolo2:
        if not self.layers:
            raise region.refuse("the network has no layers", allowed="layers, then [region]", remedy="add them")
        read = {source for layer in self.layers for source in layer.sources}
        for layer in self.layers[:-1]:
            if layer.name not in read:
                raise self.sections[layer.name].refuse(
                    f"no layer reads this one ({layer.name})",
                    allowed="a layer or route that reads it",
                    remedy="correct the routes after it, or remove it",
                )
        network = NetworkDescription(share_quantisers(self.layers))
        head, image = self._last, self._image
        cell = image.width // head.width
        anchors.check_cells(self.anchors, head.height, head.width, cell, region.place("anchors"))
        return Yolo2(network, self.classes, self.anchors, image.height, image.width, frozenset(self.straight))


def _check_keys(section: Section) -> None:
    section.check_keys(keys.network(section.name), {*keys.training(section.name), *keys.unused(section.name)})


def _plain_convolution(section: Section) -> int:
    """The kernel of a convolution that keeps the size of its map, but for its stride; refuses any other."""
    if "share_index" in section.options:
        raise section.refuse(
            "weights shared with another layer", "share_index", allowed="no such line", remedy="use another network"
        )
    for key, value, why in (
        ("dilation", 1, "a dilated convolution"),
        *((key, 0, "a binary convolution") for key in ("binary", "xnor", "bin_output")),
        ("antialiasing", 0, "a convolution followed by a filter"),
        ("coordconv", 0, "a convolution that takes coordinates as input"),
        *((key, 0, "rotated weights") for key in ("sway", "rotate", "stretch", "stretch_sway")),
        ("flipped", 0, "weights in another order"),
        *((key, 0, "weights that are not in the file") for key in ("dontsave", "numload", "dontloadscales")),
    ):
        section.only(key, value, value, why, f"use a network with {key}={value}")
    kernel = section.integer("size", 1)
    if kernel not in KERNELS:
        raise section.refuse(
            "the engine has no such kernel", "size", allowed=", ".join(map(str, KERNELS)), remedy="use one of these"
        )
    padding = kernel // 2 if section.integer("pad", 0, low=0, high=1) else section.integer("padding", 0, low=0)
    if padding != kernel // 2:
        raise section.refuse(
            "the padding does not keep the size of the map",
            "padding" if "padding" in section.options else "pad",
            allowed=f"pad=1, or padding={kernel // 2}",
            remedy="use pad=1",
        )
    return kernel


def _activation(section: Section, allowed: tuple[str, ...]) -> str:
    given = section.word("activation", "logistic")
    if given not in allowed:
        raise section.refuse(
            f"unsupported activation of {'the head' if allowed == ('linear',) else 'a convolution before the head'}",
            "activation",
            value=None if "activation" in section.options else f"{given} (the default)",
            allowed=", ".join(allowed),
            remedy="use a network of the YOLOv2 family",
        )
    return given


def _anchors(section: Section) -> tuple[tuple[float, float], ...]:
    sides, count = section.reals("anchors"), section.integer("num", 1)
    if len(sides) != 2 * count or min(sides) <= 0:
        raise section.refuse(
            "the number of anchors is not num" if len(sides) != 2 * count else "an anchor of size 0 or less",
            "anchors",
            value=f"{len(sides)} numbers, smallest {min(sides):g}",
            allowed=f"{2 * count} positive numbers: width and height of {count} anchors in cells",
            remedy="correct anchors or num",
        )
    return tuple(zip(sides[::2], sides[1::2], strict=True))


def _numbered(name: str, number: int) -> str:
    """`name`, name2, name3, ..."""
    return name if number == 1 else f"{name}{number}"
