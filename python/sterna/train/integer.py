"""The engine's integer arithmetic as differentiable tensors, so that a network can be trained through exactly it.

Batch normalisation, weight scale, input and output scale fold into one multiplier and one bias per filter, as in
Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
section 3.2; a filter with a negative multiplier has its weights' signs flipped, so that requantisation stays monotone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import brevitas.nn as qnn
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sterna.errors import SternaError
from sterna.graph.layers import BIAS_BITS, LEAKY_SHIFT, MAX_SHIFT, MULTIPLIER_BITS, Activation, Requant
from sterna.train import quantisers


def need_all_bits() -> None:
    """Have a GPU multiply floats with all their bits: the sums of `convolve` need them."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


class Part(NamedTuple):
    """What is folded into one: `convolution`, then `norm` and leaky ReLU (norm None: then its own bias, no activation).

    input_scale, output_scale: the real value of a step of what goes in and comes out. name: the layer's.
    """

    convolution: qnn.QuantConv2d
    norm: nn.BatchNorm2d | None
    input_scale: float
    output_scale: float
    name: str


class _Real(NamedTuple):
    """A `Part` in the real numbers that `Folded` explains."""

    weights: Tensor
    factor: Tensor
    offset: Tensor


@dataclass(frozen=True)
class Folded:
    """A convolution and all that follows it up to its activations, in integers.

    weights: [F, C, K, K], integers as floats, the signs of filters with a negative factor flipped. factor, offset: [F],
    factor >= 0, the real values in output steps that `requant` stands for. Gradients reach the parameters through
    `weights`, `factor` and `offset`. multiplier, bias: those of `requant`, float64 [F] where the weights are.
    """

    weights: Tensor
    factor: Tensor
    offset: Tensor
    requant: Requant
    multiplier: Tensor
    bias: Tensor


def fold(parts: Sequence[Part]) -> dict[str, Folded]:
    """All `parts` of a network in integers, by name.

    Raises SternaError that names a layer if a factor is out of the range of requantisation.
    """
    real = [_real(part) for part in parts]
    # One transfer for all there and back: on a GPU each waits for the work before it.
    both = torch.cat([torch.stack([each.factor.detach(), each.offset.detach()]) for each in real], 1).cpu().numpy()
    ends = np.cumsum([each.factor.numel() for each in real])[:-1]
    fixed = [
        requant(factor, offset, "linear" if part.norm is None else "leaky", part.name)
        for part, (factor, offset) in zip(parts, np.split(both, ends, axis=1), strict=True)
    ]
    values = np.concatenate([np.stack([each.multiplier, each.bias]) for each in fixed], 1).astype(np.float64)
    tensors = torch.from_numpy(values).to(real[0].factor.device).tensor_split(ends.tolist(), 1)
    return {
        part.name: Folded(*each, exact, multiplier, bias)
        for part, each, exact, (multiplier, bias) in zip(parts, real, fixed, tensors, strict=True)
    }


def _real(part: Part) -> _Real:
    convolution, norm, input_scale, output_scale, _ = part
    quantiser = quantisers.weight_quantiser(convolution)
    with torch.no_grad():
        integers, weight_scale = quantiser.integers(convolution.weight)
    if norm is None:
        offset = convolution.bias.double()
        gain = torch.ones_like(offset)
    else:
        gain = norm.weight.double() / torch.sqrt(norm.get_buffer("running_var").double() + norm.eps)
        offset = norm.bias.double() - gain * norm.get_buffer("running_mean").double()
    factor = gain * weight_scale.double().flatten() * (input_scale / output_scale)
    signs = torch.where(factor.detach() < 0, -1.0, 1.0).to(integers.dtype).view(-1, 1, 1, 1)
    weights = quantisers.straight_through(integers * signs, convolution.weight / weight_scale * signs)
    return _Real(weights, factor.abs(), offset / output_scale)


def requant(factor: NDArray[np.float64], offset: NDArray[np.float64], activation: Activation, where: str) -> Requant:
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


def convolve(x: Tensor, folded: Folded) -> Tensor:
    """Accumulators [N, F, H, W] of integers `x` [N, C, H, W] (as floats), the size kept by zero padding.

    Sums stay below 2^20, which floats hold; rounding undoes what a fast convolution (Winograd) may lose.
    """
    sums = functional.conv2d(x, folded.weights, padding=folded.weights.shape[-1] // 2)
    return quantisers.straight_through(sums.detach().round(), sums)


def requantise(sums: Tensor, folded: Folded) -> Tensor:
    """Activations (integers as floats) of accumulators [N, F, H, W]: `Requant`, with its real form's gradient."""
    real = sums * _column(folded.factor.float()) + _column(folded.offset.float())
    if folded.requant.activation == "leaky":
        real = functional.leaky_relu(real, 2.0**-LEAKY_SHIFT)
    return quantisers.straight_through(
        _exact(sums.detach(), folded), real.clamp(quantisers.ACT_MIN - 0.5, quantisers.ACT_MAX + 0.5)
    )


def _exact(sums: Tensor, folded: Folded) -> Tensor:
    """In double precision: products stay below 2^48, doubles hold integers up to 2^53."""
    t = torch.addcmul(_column(folded.bias), sums.double(), _column(folded.multiplier))
    if folded.requant.activation == "leaky":
        t = torch.where(t < 0, (t * 2.0**-LEAKY_SHIFT).floor_(), t)
    shift = folded.requant.shift
    steps = t.add_((1 << shift) >> 1).mul_(2.0**-shift).floor_()
    return steps.clamp_(quantisers.ACT_MIN, quantisers.ACT_MAX).to(sums.dtype)


def _column(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1)
