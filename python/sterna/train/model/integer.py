"""The engine's integer arithmetic as differentiable tensors, so that a network can be trained through exactly it.

Batch normalisation, weight scale, input and output scale fold into one multiplier and one bias per filter, as in
Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
section 3.2; a filter with a negative multiplier has its weights' signs flipped, so that requantisation stays monotone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import brevitas.nn as qnn
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sterna.errors import SternaError
from sterna.graph.layers import BIAS_BITS, MAX_SHIFT, MULTIPLIER_BITS, Requant
from sterna.spec.activations import ACTIVATIONS
from sterna.train.model import quantisers


def need_all_bits() -> None:
    """Have a GPU multiply floats with all their bits, except where `tensor_cores` are wanted."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


@contextmanager
def tensor_cores(wanted: bool) -> Iterator[None]:
    """Whether convolutions of floats on a GPU use its tensor cores, which take 11 bits of each float."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = wanted
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class Part(NamedTuple):
    """What is folded into one: `convolution`, then `norm` (None: its own bias), then `activation`.

    input_scale, output_scale: the real value of a step of what goes in and comes out. name: the layer's.
    """

    convolution: qnn.QuantConv2d
    norm: nn.BatchNorm2d | None
    input_scale: float
    output_scale: float
    activation: str
    name: str


@dataclass(frozen=True)
class Folded:
    """A convolution and all that follows it up to its activations, in integers.

    weights: [F, C / groups, K, K], integers as floats, the signs of filters with a negative factor flipped. factor,
    offset: [F, 1, 1], factor >= 0, the real values in output steps that `requant` stands for. Gradients reach the
    parameters through `weights`, `factor` and `offset`. multiplier, bias: those of `requant`, float64 [F, 1, 1].
    """

    weights: Tensor
    requant: Requant
    factor: Tensor
    offset: Tensor
    multiplier: Tensor
    bias: Tensor

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, as `with_tensors` takes them."""
        return self.weights, self.factor, self.offset, self.multiplier, self.bias

    def with_tensors(self, tensors: Sequence[Tensor]) -> Folded:
        """The same of other tensors."""
        weights, factor, offset, multiplier, bias = tensors
        return Folded(weights, self.requant, factor, offset, multiplier, bias)


def fold(parts: Sequence[Part]) -> dict[str, Folded]:
    """All `parts` of a network in integers, by name.

    Numbers per filter are computed for all parts at once: a GPU launches fewer kernels, and only one transfer back
    waits for the work before it. Raises SternaError that names a layer if a factor is out of the range of
    requantisation.
    """
    with torch.no_grad():
        quantised = [quantisers.weight_quantiser(part.convolution).integers(part.convolution.weight) for part in parts]
    filters = [part.convolution.out_channels for part in parts]
    gain, offset = _normalisation(parts, filters)
    steps = _by_filter([part.input_scale / part.output_scale for part in parts], filters, gain.device)
    factor = gain * torch.cat([scale.flatten() for _, scale in quantised]).double() * steps
    offset = offset / _by_filter([part.output_scale for part in parts], filters, gain.device)
    signs = torch.split(torch.where(factor.detach() < 0, -1.0, 1.0).view(-1, 1, 1, 1), filters)
    factor = factor.abs()
    exact = _requants(parts, filters, torch.stack([factor, offset]).detach().cpu().numpy())
    fixed = np.concatenate([np.stack([each.multiplier, each.bias]) for each in exact], 1).astype(np.float64)
    multiplier, bias = torch.from_numpy(fixed).to(gain.device)
    columns = [torch.split(each.view(-1, 1, 1), filters) for each in (factor.float(), offset.float(), multiplier, bias)]
    return {
        part.name: Folded(_signed(part, weights, sign), *rest)
        for part, weights, sign, *rest in zip(parts, quantised, signs, exact, *columns, strict=True)
    }


def _requants(parts: Sequence[Part], filters: Sequence[int], real: NDArray[np.float64]) -> list[Requant]:
    """The fixed-point form of the factors and offsets [2, F of all parts] of each part."""
    by_part = zip(parts, np.split(real, np.cumsum(filters)[:-1], axis=1), strict=True)
    return [requant(factor, offset, part.activation, part.name) for part, (factor, offset) in by_part]


def _normalisation(parts: Sequence[Part], filters: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Gain and offset (float64) of each filter of all `parts`; without a normalisation 1 and the bias."""
    rows = [_statistics(part) for part in parts]
    weight, bias, mean, variance = (torch.cat(column).double() for column in zip(*rows, strict=True))
    epsilon = [0.0 if part.norm is None else part.norm.eps for part in parts]
    gain = weight / torch.sqrt(variance + _by_filter(epsilon, filters, weight.device))
    return gain, bias - gain * mean


def _statistics(part: Part) -> tuple[Tensor, ...]:
    """Weight, bias, mean and variance [F] each."""
    norm = part.norm
    if norm is None:
        bias = part.convolution.bias
        return torch.ones_like(bias), bias, torch.zeros_like(bias), torch.ones_like(bias)
    return norm.weight, norm.bias, norm.get_buffer("running_mean"), norm.get_buffer("running_var")


def _by_filter(values: Sequence[float], filters: Sequence[int], device: torch.device) -> Tensor:
    """The value of each part for each of its filters (float64)."""
    return torch.from_numpy(np.repeat(np.asarray(values, np.float64), filters)).to(device)


def _signed(part: Part, quantised: tuple[Tensor, Tensor], signs: Tensor) -> Tensor:
    """The weights of `Folded` from the integers and scales of the part's weights."""
    integers, scale = quantised
    return quantisers.straight_through(integers * signs, part.convolution.weight / scale * signs)


def requant(factor: NDArray[np.float64], offset: NDArray[np.float64], activation: str, where: str) -> Requant:
    """Fixed-point form of `s * factor + offset` ([F] each, factor >= 0, in output steps) before the activation.

    The shift is the largest at which every multiplier and bias fits, so the largest multiplier keeps 17 to 18 bits.
    """
    for shift in range(MAX_SHIFT, -1, -1):
        multiplier, bias = np.rint(np.ldexp(factor, shift)), np.rint(np.ldexp(offset, shift))
        if multiplier.max() < 1 << MULTIPLIER_BITS and np.abs(bias).max() < 1 << BIAS_BITS:
            return Requant(multiplier.astype(np.int64), bias.astype(np.int64), shift, activation)
    raise SternaError(
        "batch normalisation is out of the range of requantisation",
        where=where,
        attribute="multiplier",
        value=f"{factor.max():.3g}",
        allowed=f"below 2^{MULTIPLIER_BITS}",
        remedy="train again with a lower learning rate",
    )


def rescaled(factor: float, channels: int, activation: str, where: str, device: torch.device) -> Folded:
    """What multiplies sums of `channels` channels by `factor`, in a layer without weights."""
    factors = np.full(channels, factor)
    exact = requant(factors, np.zeros(channels), activation, where)

    def column(values: NDArray[Any], dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device).view(-1, 1, 1)

    multiplier, bias = (column(values, torch.float64) for values in (exact.multiplier, exact.bias))
    return Folded(torch.empty(0), exact, column(factors, torch.float32), bias.float(), multiplier, bias)


def pad(x: Tensor, sides: tuple[int, int, int, int], value: float = 0.0) -> Tensor:
    """`x` [N, C, H, W] with `value` around it; sides: (top, left, bottom, right)."""
    top, left, bottom, right = sides
    return functional.pad(x, (left, right, top, bottom), value=value) if any(sides) else x


def convolve(x: Tensor, folded: Folded, stride: int, sides: tuple[int, int, int, int]) -> Tensor:
    """Accumulators [N, F, H', W'] of integers `x` [N, C, H, W] (as floats), zeros around them.

    Sums stay below 2^20, which floats hold; rounding undoes what a fast convolution (Winograd) may lose. On a GPU the
    tensor cores add: of the 11 bits that they take of a float, integers of 8 bits need no more.
    """
    top, left, bottom, right = sides
    if (top, left) != (bottom, right):
        x, top, left = pad(x, sides), 0, 0
    with tensor_cores(True):
        groups = x.shape[1] // folded.weights.shape[1]
        sums = functional.conv2d(x, folded.weights, stride=stride, padding=(top, left), groups=groups)
    return quantisers.straight_through(sums.detach().round(), sums)


def requantise(sums: Tensor, folded: Folded) -> Tensor:
    """Activations (integers as floats) of accumulators [N, F, H, W]: `Requant`, with its real form's gradient."""
    real = torch.addcmul(folded.offset, sums, folded.factor)
    slope = ACTIVATIONS[folded.requant.activation].slope
    if slope != 1:
        real = functional.leaky_relu(real, slope)
    return quantisers.straight_through(
        _exact(sums.detach(), folded), real.clamp(quantisers.ACT_MIN - 0.5, quantisers.ACT_MAX + 0.5)
    )


def _exact(sums: Tensor, folded: Folded) -> Tensor:
    """In double precision: products stay below 2^48, doubles hold integers up to 2^53."""
    t = torch.addcmul(folded.bias, sums.double(), folded.multiplier)
    slope = ACTIVATIONS[folded.requant.activation].slope
    if slope != 1:
        t = torch.where(t < 0, (t * slope).floor_(), t)
    shift = folded.requant.shift
    steps = t.add_((1 << shift) >> 1).mul_(2.0**-shift).floor_()
    return steps.clamp_(quantisers.ACT_MIN, quantisers.ACT_MAX).to(sums.dtype)
