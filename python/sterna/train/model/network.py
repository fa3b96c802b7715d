"""A network description as a PyTorch module, float or ternary."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import brevitas.nn as qnn
import torch
from torch import Tensor, nn
from torch.nn import functional

from sterna.graph.layers import Concat, Layer, MaxPool, Reorg
from sterna.graph.network import (
    BOX_FIELDS,
    GREY,
    IMAGE,
    NORM_EPSILON,
    Add,
    AveragePool,
    Conv,
    Head,
    LastLayer,
    NetworkDescription,
    Padding,
    Rescaled,
    Weighted,
)
from sterna.spec.activations import ACTIVATIONS, Activation
from sterna.train import distributed
from sterna.train.model import integer, parts, quantisers
from sterna.train.model.form import Form
from sterna.train.model.integer import Folded
from sterna.train.model.patterns import DEFAULT, patterns

# Raw head outputs are kept to +-8 in steps of 1/16: box positions to 1/64 cell, sizes to 6 %.
HEAD_SCALE = 1.0 / 16.0
# Scores of classes, logits, are kept to +-16.
SCORE_SCALE = 1.0 / 8.0
BACKGROUND_LOGIT = -4.0


class ConvBlock(nn.Module):
    """Convolution, batch normalisation and activation; the activation quantiser is kept beside it."""

    def __init__(self, spec: Conv, channels: int, form: Form, pattern: str) -> None:
        super().__init__()
        self.conv = _new_convolution(spec, channels, spec.filters, form, pattern, bias=False)
        self.outside = _outside(spec.sides)
        self.norm = distributed.BatchNorm(spec.filters, eps=NORM_EPSILON)
        activation = ACTIVATIONS[spec.activation]
        self.slope = spec.leak if form is Form.FLOAT and activation is Activation.LEAKY else activation.slope

    def forward(self, x: Tensor) -> Tensor:
        """Not yet quantised output [N, filters, H, W] of x [N, channels, H, W]."""
        y: Tensor = self.norm(self.conv(integer.pad(x, self.outside)))
        return self._activate(y)

    def _activate(self, y: Tensor) -> Tensor:
        return y if self.slope == 1 else functional.leaky_relu(y, self.slope, inplace=True)

    def in_parts(self, x: Tensor, part: int, finish: Callable[[Tensor], Tensor]) -> Tensor:
        """`finish` of the output of x, `part` images at a time; see `parts`."""
        conv, norm = self.conv, self.norm

        def convolve(piece: Tensor, weight: Tensor) -> Tensor:
            return conv._conv_forward(integer.pad(piece, self.outside), weight, None)

        def activate(y: Tensor) -> Tensor:
            return finish(self._activate(y))

        weight = (
            quantisers.weight_quantiser(conv)(conv.weight)[0] if isinstance(conv, quantisers.QuantConv) else conv.weight
        )
        if norm.training:
            return parts.normalised(convolve, activate, norm, part, x, weight)
        known = norm.get_buffer("running_mean"), norm.get_buffer("running_var"), norm.weight, norm.bias

        def compute(piece: Tensor, weight: Tensor, *numbers: Tensor) -> Tensor:
            return activate(parts.scaled(convolve(piece, weight), numbers, norm.eps))

        return parts.recomputed(compute, part, x, weight, *known)


def _outside(sides: Padding) -> Padding:
    """What of a padding PyTorch's convolutions do not have: all of it, if two sides that face each other differ."""
    top, left, bottom, right = sides
    return (0, 0, 0, 0) if (top, left) == (bottom, right) else sides


def _new_convolution(
    layer: Weighted, channels: int, filters: int, form: Form, pattern: str, *, bias: bool
) -> nn.Conv2d:
    of_pytorch: dict[str, Any] = {
        "stride": layer.stride,
        "padding": (0, 0) if any(_outside(layer.sides)) else layer.sides[:2],
        "groups": layer.groups,
        "bias": bias,
    }
    if form is Form.FLOAT:
        return nn.Conv2d(channels, filters, layer.kernel, **of_pytorch)
    weight_quant = (
        quantisers.ternary_weights(patterns[pattern], filters, channels // layer.groups * layer.kernel**2)
        if layer.bits is None
        else quantisers.digit_weights(layer.bits)
    )
    return quantisers.QuantConv(channels, filters, layer.kernel, **of_pytorch, weight_quant=weight_quant)


@dataclass
class _Pass:
    """What one forward pass has computed: the values by layer, and in integer form what layers are folded to."""

    values: dict[str, Tensor]
    record: dict[str, Tensor] | None
    folded: dict[str, Folded] = field(default_factory=dict)


class Network(nn.Module):
    """A description as a module.

    Input: float [N, 3, H, W], real = (rgb - 128) / 128. Output of a detector: float [N, anchors * (5 + classes), h, w],
    raw, for each anchor x, y, w, h, objectness and class scores; of a classifier: [N, classes, h, w]. Parameters carry
    the same names in all forms, so that a ternary network can start from a float one. `form` may be set to another
    one, but float stays float.
    """

    def __init__(
        self,
        description: NetworkDescription,
        classes: int,
        form: Form,
        pattern: str = DEFAULT,
    ) -> None:
        super().__init__()
        self.description, self.classes, self.form, self.pattern = description, classes, form, pattern
        self.blocks = nn.ModuleDict()
        self.activations = nn.ModuleDict()
        self._channels = channels = description.channels(classes)
        for layer in description.convolutions:
            inputs, outputs = channels[layer.input], channels[layer.name]
            if isinstance(layer, Conv):
                self.blocks[layer.name] = ConvBlock(layer, inputs, form, pattern)
                self._activation(layer.quantiser, None)
            else:
                self.blocks[layer.name] = _new_convolution(layer, inputs, outputs, form, pattern, bias=True)
                self._activation(layer.quantiser, self.last_scale)
        if isinstance(description.last, Head):
            self._expect_background(description.last)
        for rescaled in description.rescaled:
            self._activation(rescaled.quantiser, None)
        pooled = pooled_convs(description.layers)
        self._pools = {conv.name: pool for conv, pool in pooled}
        self._late = {conv.name: conv for conv, _ in pooled}
        self._last_readers = _last_readers(description.layers)
        #: Images at a time in training, by name of the layers that are computed in parts of a batch.
        self.parts: Mapping[str, int] = {}
        self._frozen: frozenset[str] = frozenset()

    @property
    def last_scale(self) -> float:
        """The real value of one step of the result."""
        return HEAD_SCALE if isinstance(self.description.last, Head) else SCORE_SCALE

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
            return self.last_scale * self._run(_Pass({IMAGE: image.float() * GREY}, record, self.fold()))

    def _run(self, state: _Pass) -> Tensor:
        for layer in self.description.layers:
            value = self._output(layer, state)
            state.values[layer.name] = value
            if state.record is not None and layer.name not in state.record:
                state.record[layer.name] = value
            for read in self._last_readers.get(layer.name, ()):
                del state.values[read]
        return state.values[self.description.last.name]

    def _output(self, layer: Layer, state: _Pass) -> Tensor:
        match layer:
            case Conv():
                if self._is_in_parts(layer.name, state):
                    return self._in_parts(layer, state)
                x = self._convolve(layer, state)
                if layer.name not in self._late:
                    return self._quantise(layer, x, state)
                if state.record is not None:
                    state.record[layer.name] = self._quantise(layer, x, state)
                return x
            case LastLayer():
                return self._quantise(layer, self._convolve(layer, state), state)
            case Add() | AveragePool():
                return self._quantise(layer, self._combine(layer, state), state)
        conv = self._late.get(layer.sources[0])
        if conv is not None and self._is_in_parts(conv.name, state):
            return state.values[conv.name]
        x = _COMPUTE[type(layer)](layer, *(state.values[source] for source in layer.sources))
        return x if conv is None else self._quantise(conv, x, state)

    def _is_in_parts(self, name: str, state: _Pass) -> bool:
        """Whether the layer, with the pool that alone reads it, is computed in parts: in training, if nobody looks."""
        return name in self.parts and self.training and state.record is None

    def _in_parts(self, layer: Conv, state: _Pass) -> Tensor:
        """The output of `layer`, or of the pool that alone reads it."""
        x, part, pool = state.values[layer.input], self.parts[layer.name], self._pools.get(layer.name)

        def pooled(y: Tensor) -> Tensor:
            return y if pool is None else max_pool(pool, y)

        if self.form is not Form.INTEGER:
            block = self.blocks[layer.name]
            assert isinstance(block, ConvBlock)
            return self._quantise(layer, block.in_parts(x, part, pooled), state)
        folded = state.folded[layer.name]

        def compute(piece: Tensor, *tensors: Tensor) -> Tensor:
            same = folded.with_tensors(tensors)
            return integer.requantise(pooled(integer.convolve(piece, same, layer.stride, layer.sides)), same)

        return parts.recomputed(compute, part, x, *folded.tensors)

    def _convolve(self, layer: Weighted, state: _Pass) -> Tensor:
        """What the activations of `layer` are quantised from: real values, in integer form the accumulators."""
        x = state.values[layer.input]
        if self.form is Form.INTEGER:
            return integer.convolve(x, state.folded[layer.name], layer.stride, layer.sides)
        result: Tensor = self.blocks[layer.name](x)
        return result

    def _combine(self, layer: Rescaled, state: _Pass) -> Tensor:
        """As `_convolve`, of a layer without weights."""
        values = [state.values[source] for source in layer.sources]
        exact = self.form is Form.INTEGER
        if isinstance(layer, AveragePool):
            return functional.avg_pool2d(
                values[0], layer.kernel, layer.stride, divisor_override=1 if exact else layer.kernel**2
            )
        slope = ACTIVATIONS[layer.activation].slope
        total = values[0] + values[1]
        return total if exact or slope == 1 else functional.leaky_relu(total, slope)

    def _quantise(self, layer: Weighted | Rescaled, x: Tensor, state: _Pass) -> Tensor:
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
        folded = integer.fold(
            [
                integer.Part(
                    self.convolution(layer),
                    self.normalisation(layer),
                    scales[layer.input],
                    scales[layer.name],
                    layer.activation,
                    layer.name,
                )
                for layer, _ in self.convolutions()
            ]
        )
        for layer in self.description.rescaled:
            factor = scales[layer.sources[0]] / scales[layer.name]
            if isinstance(layer, AveragePool):
                folded[layer.name] = self._rescaled(layer, factor / layer.kernel**2, "linear")
            else:
                folded[layer.name] = self._rescaled(layer, factor, layer.activation)
        return folded

    def _rescaled(self, layer: Rescaled, factor: float, activation: str) -> Folded:
        channels = self._channels[layer.name]
        return integer.rescaled(factor, channels, activation, layer.name, next(self.parameters()).device)

    def scales(self) -> Mapping[str, float]:
        """Not in float form: the real value of one step of the integers of each layer, and of the image."""
        quantised = [*self.description.convolutions, *self.description.rescaled]
        learnt = {layer.name: self._activation_quantiser(layer).scale for layer in quantised}
        known = dict(zip(learnt, torch.stack([*learnt.values()]).tolist(), strict=True))  # all in one transfer
        scales = {IMAGE: 1.0 / GREY}
        for layer in self.description.layers:
            scales[layer.name] = known[layer.name] if layer.name in known else scales[layer.sources[0]]
        return scales

    def _activation_quantiser(self, layer: Weighted | Rescaled) -> quantisers.ActivationQuant:
        quantiser = self.activations[layer.quantiser]
        assert isinstance(quantiser, qnn.QuantIdentity)
        return quantisers.activation_quantiser(quantiser)

    def convolutions(self) -> Iterator[tuple[Weighted, nn.Conv2d]]:
        """Every layer that has weights, with its convolution."""
        for layer in self.description.convolutions:
            yield layer, self.convolution(layer)

    def convolution(self, layer: Weighted) -> nn.Conv2d:
        """The convolution of `layer`."""
        block = self.blocks[layer.name]
        convolution = block.conv if isinstance(block, ConvBlock) else block
        assert isinstance(convolution, nn.Conv2d)
        return convolution

    def normalisation(self, layer: Weighted) -> nn.BatchNorm2d | None:
        """The batch normalisation after `layer`; the last layer has none."""
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
        names = self.description.ternary
        for layer, conv in self.convolutions():
            if layer.name in names:
                yield layer.name, conv

    def aim(self, density: Mapping[str, float] | float) -> None:
        """Not in float form: move the thresholds of the ternary layers towards `density`, one for all or by layer."""
        for name, conv in self.ternary_layers():
            quantiser = quantisers.weight_quantiser(conv)
            assert isinstance(quantiser, quantisers.TernaryWeightQuant)
            quantiser.aim(conv.weight, density if isinstance(density, float) else density[name])


def pooled_convs(layers: Sequence[Layer]) -> list[tuple[Conv, MaxPool]]:
    """Convs that only a pool reads, and it. Quantising after it is the same, as both are monotone, and a fourth."""
    readers: dict[str, list[Layer]] = {}
    for layer in layers:
        for source in layer.sources:
            readers.setdefault(source, []).append(layer)
    return [
        (layer, first)
        for layer in layers
        if isinstance(layer, Conv) and isinstance(first := readers[layer.name][0], MaxPool)
        and len(readers[layer.name]) == 1
    ]  # fmt: skip


def _last_readers(layers: Sequence[Layer]) -> dict[str, list[str]]:
    """By the name of a layer the maps that it is the last to read."""
    last = {source: layer.name for layer in layers for source in layer.sources}
    found: dict[str, list[str]] = {}
    for source, reader in last.items():
        found.setdefault(reader, []).append(source)
    return found


def max_pool(layer: MaxPool, x: Tensor) -> Tensor:
    """What `layer` does with x [N, C, H, W]."""
    return functional.max_pool2d(integer.pad(x, layer.padding, float("-inf")), layer.kernel, layer.stride)


def space_to_depth(x: Tensor) -> Tensor:
    """What Reorg does: [N, 4 * C, H / 2, W / 2] of x [N, C, H, W] with even H and W."""
    n, c, h, w = x.shape
    phases = x.reshape(n, c, h // 2, 2, w // 2, 2)
    return phases.permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def _reorg(layer: Reorg, x: Tensor) -> Tensor:
    return space_to_depth(x)


def _concat(layer: Concat, *maps: Tensor) -> Tensor:
    return torch.cat(maps, 1)


#: What layers without weights make of maps [N, C, H, W].
_COMPUTE: dict[type[Layer], Callable[..., Tensor]] = {
    MaxPool: max_pool,
    Reorg: _reorg,
    Concat: _concat,
}
