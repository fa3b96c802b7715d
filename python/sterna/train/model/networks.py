"""Network descriptions and the PyTorch module that is built from one, float or ternary.

A description is a tuple of layers that names its inputs, as the integer graph does: the same names reach from
training through the graph to the report of the hardware. `yolov2` follows Redmon and Farhadi, "YOLO9000"
(2017), and its published Darknet configuration (yolov2-voc.cfg).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

import brevitas.nn as qnn
import torch
from torch import Tensor, nn
from torch.nn import functional

from sterna.errors import SternaError
from sterna.train import distributed
from sterna.train.data.frames import BACKGROUND
from sterna.train.model import integer, quantisers
from sterna.train.model.integer import Folded
from sterna.train.model.quantisers import Pattern
from sterna.vision.boxes import BOX_FIELDS

ANCHORS = 5
IMAGE = "image"
CFG_SUFFIX = ".cfg"
LEAK = 0.125
# Raw head outputs are kept to +-8 in steps of 1/16: box positions to 1/64 cell, sizes to 6 %.
HEAD_SCALE = 1.0 / 16.0
BACKGROUND_LOGIT = -4.0
FIRST_BITS = 8
HEAD_BITS = 8


class Form(StrEnum):
    """How the weights and activations of a network are held, from training's first form to the hardware's."""

    FLOAT = "float"
    #: Ternary weights (integers in first layer and head), activations not quantised; their ranges are learnt.
    TERNARY = "ternary"
    #: Activations of 8 bits as well; float arithmetic.
    QUANTISED = "quantised"
    #: The integers of the engine, to the bit; batch normalisation and activation scales no longer move.
    INTEGER = "integer"


@dataclass(frozen=True)
class Conv:
    """Convolution with batch normalisation and leaky ReLU, stride 1, zero padding that keeps the size.

    `bits` None: ternary weights; a number: integer weights of so many bits. Layers with the same `shares`
    name use one activation quantiser, as the inputs of a concat must. `leak` is the slope of the leaky ReLU in
    float form; the quantised forms have LEAK, which the engine computes.
    """

    name: str
    input: str
    filters: int
    kernel: int
    bits: int | None = None
    shares: str | None = None
    leak: float = LEAK


@dataclass(frozen=True)
class Head:
    """1x1 convolution with bias and no activation: the raw boxes of `anchors` anchors."""

    name: str
    input: str
    bits: int = HEAD_BITS
    anchors: int = ANCHORS


@dataclass(frozen=True)
class Pool:
    """2x2 maximum; stride 2 halves the map, stride 1 keeps its size (the outside is ignored)."""

    name: str
    input: str
    stride: int = 2


@dataclass(frozen=True)
class Reorg:
    """Space-to-depth by 2: out[p*C+c, y, x] = in[c, 2y+p//2, 2x+p%2]."""

    name: str
    input: str


@dataclass(frozen=True)
class Concat:
    """Channels of the inputs one after the other."""

    name: str
    inputs: tuple[str, ...]


LayerSpec = Conv | Head | Pool | Reorg | Concat


class _Trunk:
    """Collects layers that follow each other; numbers their names."""

    def __init__(self) -> None:
        self.layers: list[LayerSpec] = []
        self.last = IMAGE
        self._convs = self._pools = 0

    def conv(self, filters: int, kernel: int, *, source: str | None = None, shares: str | None = None) -> str:
        self._convs += 1
        bits = FIRST_BITS if self._convs == 1 else None
        name = f"conv{self._convs}"
        return self._add(Conv(name, source or self.last, filters, kernel, bits, shares))

    def pool(self, stride: int = 2) -> str:
        self._pools += 1
        return self._add(Pool(f"pool{self._pools}", self.last, stride))

    def passthrough(self, route: str, filters: int) -> str:
        """1x1 of `route`, space-to-depth, in front of the last layer, whose scale it shares."""
        deep = self.last
        self.conv(filters, 1, source=route, shares="concat")
        self._add(Reorg("reorg", self.last))
        return self._add(Concat("concat", (self.last, deep)))

    def head(self) -> tuple[LayerSpec, ...]:
        self._add(Head("head", self.last))
        return tuple(self.layers)

    def _add(self, layer: LayerSpec) -> str:
        self.layers.append(layer)
        self.last = layer.name
        return layer.name


def _yolov2() -> tuple[LayerSpec, ...]:
    trunk = _Trunk()
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


def _yolov2_tiny() -> tuple[LayerSpec, ...]:
    trunk = _Trunk()
    for filters in (16, 32, 64, 128, 256):
        trunk.conv(filters, 3)
        trunk.pool()
    trunk.conv(512, 3)
    trunk.pool(stride=1)
    trunk.conv(1024, 3)
    trunk.conv(1024, 3)
    return trunk.head()


def _yolov2_nano() -> tuple[LayerSpec, ...]:
    """Everything that makes a YOLOv2, in under 200,000 weights and with cells of 16 pixels."""
    trunk = _Trunk()
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


NETWORKS: dict[str, Callable[[], tuple[LayerSpec, ...]]] = {
    "yolov2": _yolov2,
    "yolov2-tiny": _yolov2_tiny,
    "yolov2-nano": _yolov2_nano,
}


def describe(name: str, first_bits: int = FIRST_BITS, head_bits: int = HEAD_BITS) -> tuple[LayerSpec, ...]:
    """The layers of the network `name`, with weights of so many bits in the first layer and the head.

    `name` is one of NETWORKS, or the path of a darknet cfg file, which ends in .cfg. Raises SternaError for another
    name, and for a cfg file that does not describe a YOLOv2.
    """
    return with_bits(_layers(name), first_bits, head_bits)


def with_bits(layers: tuple[LayerSpec, ...], first_bits: int, head_bits: int) -> tuple[LayerSpec, ...]:
    """The same layers, with weights of so many bits in the first layer and the head."""
    return tuple(_with_bits(layer, first_bits, head_bits) for layer in layers)


def _layers(name: str) -> tuple[LayerSpec, ...]:
    if name.endswith(CFG_SUFFIX):
        from sterna.train.darknet.cfg import read_cfg  # it builds the layers of this module, so it imports it

        return read_cfg(Path(name)).layers
    if name not in NETWORKS:
        raise SternaError(
            "unknown network",
            where="train",
            attribute="network",
            value=name,
            allowed=f"{', '.join(NETWORKS)}, or the path of a darknet {CFG_SUFFIX} file",
            remedy="name one of these",
        )
    return NETWORKS[name]()


def _with_bits(layer: LayerSpec, first: int, head: int) -> LayerSpec:
    match layer:
        case Head():
            return replace(layer, bits=head)
        case Conv() if layer.bits is not None:
            return replace(layer, bits=first)
    return layer


class ConvBlock(nn.Module):
    """Convolution, batch normalisation and leaky ReLU; the activation quantiser is kept beside it."""

    def __init__(self, spec: Conv, channels: int, form: Form, pattern: Pattern) -> None:
        super().__init__()
        self.conv = _new_convolution(channels, spec.filters, spec.kernel, spec.bits, form, pattern, bias=False)
        self.norm = distributed.BatchNorm(spec.filters)
        self.leak = spec.leak if form is Form.FLOAT else LEAK

    def forward(self, x: Tensor) -> Tensor:
        """Not yet quantised output [N, filters, H, W] of x [N, channels, H, W]."""
        return functional.leaky_relu(self.norm(self.conv(x)), self.leak, inplace=True)


def _new_convolution(
    channels: int, filters: int, kernel: int, bits: int | None, form: Form, pattern: Pattern, *, bias: bool
) -> nn.Conv2d:
    if form is Form.FLOAT:
        return nn.Conv2d(channels, filters, kernel, padding=kernel // 2, bias=bias)
    weight_quant = (
        quantisers.ternary_weights(pattern, filters, channels * kernel**2)
        if bits is None
        else quantisers.digit_weights(bits)
    )
    return quantisers.QuantConv(
        channels,
        filters,
        kernel,
        padding=kernel // 2,
        bias=bias,
        weight_quant=weight_quant,
    )


@dataclass
class _Pass:
    """What one forward pass has computed: the values by layer, and in integer form what layers are folded to."""

    values: dict[str, Tensor]
    record: dict[str, Tensor] | None
    folded: dict[str, Folded] = field(default_factory=dict)


class Network(nn.Module):
    """A description as a module.

    Input: float [N, 3, H, W], real = (rgb - 128) / 128. Output: float [N, anchors * (5 + classes), h, w], raw,
    for each anchor x, y, w, h, objectness and class scores. Parameters carry the same names in all forms, so that a
    ternary network can start from a float one. `form` may be set to another one, but float stays float.
    """

    def __init__(
        self,
        layers: tuple[LayerSpec, ...],
        classes: int,
        form: Form,
        pattern: Pattern = Pattern.UNSTRUCTURED,
    ) -> None:
        super().__init__()
        self.layers, self.classes, self.form, self.pattern = layers, classes, form, pattern
        self.blocks = nn.ModuleDict()
        self.activations = nn.ModuleDict()
        channels = {IMAGE: 3}
        for layer in layers:
            match layer:
                case Conv():
                    channels[layer.name] = layer.filters
                    self.blocks[layer.name] = ConvBlock(layer, channels[layer.input], form, pattern)
                    self._activation(layer.shares or layer.name, None)
                case Head():
                    channels[layer.name] = layer.anchors * (BOX_FIELDS + classes)
                    self.blocks[layer.name] = _new_convolution(
                        channels[layer.input], channels[layer.name], 1, layer.bits, form, pattern, bias=True
                    )
                    self._expect_background(layer)
                    self._activation(layer.name, HEAD_SCALE)
                case Pool():
                    channels[layer.name] = channels[layer.input]
                case Reorg():
                    channels[layer.name] = 4 * channels[layer.input]
                case Concat():
                    channels[layer.name] = sum(channels[source] for source in layer.inputs)
        self._late = _pooled_convs(layers)
        self._frozen: frozenset[str] = frozenset()

    def freeze(self, names: Collection[str]) -> None:
        """Let the layers `names` keep their parameters and the statistics of their batch normalisation."""
        self._frozen = frozenset(names)
        for name in names:
            self.blocks[name].requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As in PyTorch, but frozen layers normalise by the statistics that they have."""
        super().train(mode)
        for name in self._frozen:
            self.blocks[name].eval()
        return self

    def _expect_background(self, head: Head) -> None:
        """Start with the belief that a box holds nothing, which nearly all of them do."""
        with torch.no_grad():
            bias: Tensor = self.blocks[head.name].get_parameter("bias")
            bias.view(head.anchors, -1)[:, BOX_FIELDS - 1] = BACKGROUND_LOGIT

    def _activation(self, name: str, fixed_scale: float | None) -> None:
        if self.form is not Form.FLOAT and name not in self.activations:
            self.activations[name] = quantisers.activation(fixed_scale)

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Load a state dict. Brevitas makes tensors anew meanwhile, in main memory: they follow the network."""
        self.load_state_dict(weights)
        self.to(next(self.parameters()).device)

    def forward(self, image: Tensor, record: dict[str, Tensor] | None = None) -> Tensor:
        """`record`, if given, is filled with the output of every layer by name; in integer form with integers."""
        if self.form is not Form.INTEGER:
            return self._run(_Pass({IMAGE: image}, record))
        # Integers need all 24 bits of a float's mantissa.
        with torch.autocast(image.device.type, enabled=False):
            return HEAD_SCALE * self._run(_Pass({IMAGE: image.float() * BACKGROUND}, record, self.fold()))

    def _run(self, state: _Pass) -> Tensor:
        for layer in self.layers:
            value = self._output(layer, state)
            state.values[layer.name] = value
            if state.record is not None and layer.name not in state.record:
                state.record[layer.name] = value
        return state.values[self.layers[-1].name]

    def _output(self, layer: LayerSpec, state: _Pass) -> Tensor:
        values = state.values
        match layer:
            case Conv():
                x = self._convolve(layer, state)
                if layer.name not in self._late:
                    return self._quantise(layer, x, state)
                if state.record is not None:
                    state.record[layer.name] = self._quantise(layer, x, state)
                return x
            case Head():
                return self._quantise(layer, self._convolve(layer, state), state)
            case Pool():
                x = _pool(values[layer.input], layer.stride)
                conv = self._late.get(layer.input)
                return x if conv is None else self._quantise(conv, x, state)
            case Reorg():
                return space_to_depth(values[layer.input])
            case Concat():
                return torch.cat([values[source] for source in layer.inputs], 1)

    def _convolve(self, layer: Conv | Head, state: _Pass) -> Tensor:
        """What the activations of `layer` are quantised from: real values, in integer form the accumulators."""
        x = state.values[layer.input]
        if self.form is Form.INTEGER:
            return integer.convolve(x, state.folded[layer.name])
        result: Tensor = self.blocks[layer.name](x)
        return result

    def _quantise(self, layer: Conv | Head, x: Tensor, state: _Pass) -> Tensor:
        """The activations of `layer` in the network's form."""
        match self.form:
            case Form.FLOAT:
                return x
            case Form.TERNARY:
                self._activation_quantiser(layer).follow(x)
                return x
            case Form.QUANTISED:
                return self._activation_quantiser(layer)(x)[0]
            case Form.INTEGER:
                return integer.requantise(x, state.folded[layer.name])

    def fold(self) -> dict[str, Folded]:
        """Not in float form: every layer that has weights, as the integers of the engine."""
        scales = self.scales()
        return integer.fold(
            [
                integer.Part(
                    self.convolution(layer),
                    self.normalisation(layer),
                    scales[layer.input],
                    scales[layer.name],
                    layer.name,
                )
                for layer, _ in self.convolutions()
            ]
        )

    def scales(self) -> Mapping[str, float]:
        """Not in float form: the real value of one step of the integers of each layer, and of the image."""
        learnt = {layer.name: self._activation_quantiser(layer).scale for layer, _ in self.convolutions()}
        known = dict(zip(learnt, torch.stack([*learnt.values()]).tolist(), strict=True))  # all in one transfer
        scales = {IMAGE: 1.0 / BACKGROUND}
        for layer in self.layers:
            match layer:
                case Conv() | Head():
                    scales[layer.name] = known[layer.name]
                case Pool() | Reorg():
                    scales[layer.name] = scales[layer.input]
                case Concat():
                    scales[layer.name] = scales[layer.inputs[0]]
        return scales

    def _activation_quantiser(self, layer: Conv | Head) -> quantisers.ActivationQuant:
        quantiser = self.activations[activation_name(layer)]
        assert isinstance(quantiser, qnn.QuantIdentity)
        return quantisers.activation_quantiser(quantiser)

    def convolutions(self) -> Iterator[tuple[Conv | Head, nn.Conv2d]]:
        """Every layer that has weights, with its convolution."""
        for layer in self.layers:
            if isinstance(layer, Conv | Head):
                yield layer, self.convolution(layer)

    def convolution(self, layer: Conv | Head) -> nn.Conv2d:
        """The convolution of `layer`."""
        block = self.blocks[layer.name]
        convolution = block.conv if isinstance(block, ConvBlock) else block
        assert isinstance(convolution, nn.Conv2d)
        return convolution

    def normalisation(self, layer: Conv | Head) -> nn.BatchNorm2d | None:
        """The batch normalisation behind `layer`; the head has none."""
        block = self.blocks[layer.name]
        return block.norm if isinstance(block, ConvBlock) else None

    @torch.no_grad()
    def integer_weights(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Not in float form: the integer weights [F, C, K, K] and scales [F, 1, 1, 1] of each layer by name."""
        return {
            layer.name: quantisers.weight_quantiser(conv).integers(conv.weight) for layer, conv in self.convolutions()
        }

    def ternary_layers(self) -> Iterator[tuple[str, nn.Conv2d]]:
        """The layers whose weights are ternary in all forms but float, with their convolutions."""
        names = ternary(self.layers)
        for layer, conv in self.convolutions():
            if layer.name in names:
                yield layer.name, conv

    def aim(self, density: Mapping[str, float] | float) -> None:
        """Not in float form: move the thresholds of the ternary layers towards `density`, one for all or by layer."""
        for name, conv in self.ternary_layers():
            quantiser = quantisers.weight_quantiser(conv)
            assert isinstance(quantiser, quantisers.TernaryWeightQuant)
            quantiser.aim(conv.weight, density if isinstance(density, float) else density[name])


def ternary(layers: Sequence[LayerSpec]) -> list[str]:
    """Names of the layers of a description whose weights are ternary."""
    return [layer.name for layer in layers if isinstance(layer, Conv) and layer.bits is None]


def activation_name(layer: Conv | Head) -> str:
    """The name of the activation quantiser of `layer`."""
    return layer.shares or layer.name if isinstance(layer, Conv) else layer.name


def _pooled_convs(layers: tuple[LayerSpec, ...]) -> dict[str, Conv]:
    """Convs that only a pool reads: quantising after it is the same, both being monotone, and four times less."""
    convs = {layer.name: layer for layer in layers if isinstance(layer, Conv)}
    readers: dict[str, list[LayerSpec]] = {}
    for layer in layers:
        for source in layer.inputs if isinstance(layer, Concat) else (layer.input,):
            readers.setdefault(source, []).append(layer)
    return {
        name: conv for name, conv in convs.items() if len(readers[name]) == 1 and isinstance(readers[name][0], Pool)
    }


def _pool(x: Tensor, stride: int) -> Tensor:
    if stride == 1:
        x = functional.pad(x, (0, 1, 0, 1), value=float("-inf"))
    return functional.max_pool2d(x, 2, stride)


def space_to_depth(x: Tensor) -> Tensor:
    """What Reorg does: [N, 4 * C, H / 2, W / 2] of x [N, C, H, W] with even H and W."""
    n, c, h, w = x.shape
    phases = x.reshape(n, c, h // 2, 2, w // 2, 2)
    return phases.permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def stride(layers: tuple[LayerSpec, ...]) -> int:
    """Image pixels per cell of the head."""
    halvings = {IMAGE: 0}
    for layer in layers:
        source = layer.inputs[0] if isinstance(layer, Concat) else layer.input
        halves = isinstance(layer, Reorg) or (isinstance(layer, Pool) and layer.stride == 2)
        halvings[layer.name] = halvings[source] + halves
    return 1 << halvings[layers[-1].name]


def build(
    name: str,
    classes: int,
    form: Form,
    pattern: Pattern = Pattern.UNSTRUCTURED,
    first_bits: int = FIRST_BITS,
    head_bits: int = HEAD_BITS,
) -> Network:
    """The network `name` with fresh weights for `classes` classes."""
    return Network(describe(name, first_bits, head_bits), classes, form, pattern)
