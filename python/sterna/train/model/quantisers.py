"""Quantisers of a ternary network, as tensor_quant modules that Brevitas layers carry.

Each module returns Brevitas' tuple (dequantised value, scale, zero point, bit width) and lets gradients pass
straight through its rounding (Bengio et al. 2013). Weights follow Ternary Weight Networks (Li et al. 2016,
section 2.2) with one scale per filter and thresholds that a schedule moves.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import brevitas.nn as qnn
import torch
from brevitas.inject import ExtendedInjector
from brevitas.proxy import ActQuantProxyFromInjector, WeightQuantProxyFromInjector
from torch import Tensor, nn

from sterna.errors import SternaError
from sterna.graph import Graph, csd
from sterna.train import distributed

ACT_BITS, ACC_BITS = Graph.act_bits, Graph.acc_bits
ACT_MIN, ACT_MAX = -(1 << (ACT_BITS - 1)), (1 << (ACT_BITS - 1)) - 1
# The accumulator bound of a filter: sum(reach(w)) <= 2^(ACC_BITS-1) - 1, in units of max|x| = -ACT_MIN.
PEAK_LIMIT = ((1 << (ACC_BITS - 1)) - 1) // -ACT_MIN

#: A filter that keeps fewer weights than this share of PEAK_LIMIT does not reach it before the next `aim`.
FAR = 0.75

QuantResult = tuple[Tensor, Tensor, Tensor, Tensor]


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, real: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, grads[0]


def straight_through(value: Tensor, real: Tensor) -> Tensor:
    """`value`, to the bit, with the gradient of `real` of the same shape (Bengio et al. 2013)."""
    result: Tensor = _StraightThrough.apply(value, real)  # type: ignore[no-untyped-call]
    return result


class TernaryWeightQuant(nn.Module, ABC):
    """{-a, 0, +a} of the hidden weight h: sign(h) where |h| > rho * mean|h|, a = mean |h| above the threshold.

    Means and `a` are per filter. `rho` (a buffer, kept in checkpoints) moves only in `aim`, to the `thresholds` of the
    pattern that a derived class stands for; a forward pass never changes it. A filter never keeps more weights
    than the engine's accumulator can add up; whether one could is looked at in each pass, unless `aim` found all of
    them far from it: to look, the processor waits for the GPU.

    Another quantiser derives from this class, and may override more than `thresholds`: `integers` must give integers
    -127..127 whose sums fit the accumulator, or the graph is refused.

    >>> @sterna.patterns.register("two-of-four")
    ... class TwoOfFour(sterna.TernaryWeightQuant):
    ...     def thresholds(self, relative, density):
    ...         fours = relative.unflatten(1, (-1, 4))
    ...         return fours.kthvalue(2, dim=2).values.repeat_interleave(4, dim=1)
    >>> quantiser, weights = TwoOfFour(filters=1, size=8), torch.tensor([[1.0, -4, 2, 3, 5, 0, 0, 1]]).view(1, 8, 1, 1)
    >>> quantiser.aim(weights, density=0.5)
    >>> quantiser.integers(weights)[0].flatten().tolist()
    [0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    """

    rho: Tensor
    zero_point: Tensor
    bit_width: Tensor

    def __init__(self, filters: int, size: int) -> None:
        """For `filters` filters of `size` weights each."""
        super().__init__()
        self.register_buffer("rho", torch.zeros(self.shape(filters, size)))
        self.register_buffer("zero_point", torch.tensor(0.0), persistent=False)
        self.register_buffer("bit_width", torch.tensor(2.0), persistent=False)
        self._far_from_limit = size <= PEAK_LIMIT

    @abstractmethod
    def thresholds(self, relative: Tensor, density: float) -> Tensor:
        """The rho above which weights stay, finite and at least 0, for about the share `density` (0..1] to stay.

        relative: float32 [F, size], the magnitudes of the weights of each filter, in the order channel, row, column,
        divided by their mean. The result is broadcast to `shape`: [F, size] holds one threshold per weight, [F, 1]
        one per filter.
        """

    @staticmethod
    def shape(filters: int, size: int) -> tuple[int, ...]:
        """The shape in which `rho` is kept; one threshold per weight unless a pattern needs fewer."""
        return filters, size

    def spread(self, rho: Tensor, size: int) -> Tensor:
        """`rho`, of `shape`, in a form that broadcasts to [F, size]."""
        return rho

    @torch.no_grad()
    def aim(self, weight: Tensor, density: float) -> None:
        """Move rho so that about the share `density` (0..1] of `weight` [F, ...] stays nonzero.

        Raises SternaError if the pattern gives thresholds of another shape.
        """
        size = weight.abs()
        relative = (size / _mean(size)).flatten(1)
        found = self.thresholds(relative, density)
        try:
            self.rho.copy_(found)
        except RuntimeError:
            raise SternaError(
                "gives thresholds of another shape", where=f"pattern {type(self).__name__}", attribute="thresholds",
                value=list(found.shape), allowed=f"what broadcasts to {list(self.rho.shape)}",
                remedy="correct thresholds() or shape()",
            ) from None  # fmt: skip
        if relative.shape[1] > PEAK_LIMIT:
            kept = relative > self.spread(self.rho, relative.shape[1])
            self._far_from_limit = bool(kept.sum(1).max() < FAR * PEAK_LIMIT)

    def integers(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Ternary weights (-1, 0, 1 as floats, the shape of `weight`) and their scale [F, 1, 1, 1]."""
        size = weight.abs()
        relative = size / _mean(size)  # compared as `aim` does, so that rounding cannot change a count
        rho = self.spread(self.rho, weight[0].numel())
        if rho.dim():
            rho = rho.expand(len(weight), weight[0].numel()).reshape(weight.shape)
        kept = (relative > rho).to(weight.dtype)
        dims = tuple(range(1, weight.dim()))
        count = kept.sum(dims, keepdim=True)  # floats count exactly, in any order
        if not self._far_from_limit and bool((count > PEAK_LIMIT).any()):
            kept = (relative > rho.maximum(_least_of_largest(relative, PEAK_LIMIT))).to(weight.dtype)
            count = kept.sum(dims, keepdim=True)
        scale = (_sum(size * kept) / count.clamp(min=1.0)).to(weight.dtype)
        return weight.sign() * kept, scale.clamp(min=torch.finfo(weight.dtype).tiny)

    def forward(self, weight: Tensor) -> QuantResult:
        """Quantised `weight` [F, C, K, K]."""
        with torch.no_grad():
            ternary, scale = self.integers(weight)
        return straight_through(ternary * scale, weight), scale, self.zero_point, self.bit_width


def _mean(size: Tensor) -> Tensor:
    """The mean [F, 1, 1, 1] of each filter of `size` [F, ...], positive."""
    mean = _sum(size) / size[0].numel()
    return mean.to(size.dtype).clamp(min=torch.finfo(size.dtype).tiny)


def _sum(values: Tensor) -> Tensor:
    """Sums of each filter [F, 1, 1, 1] in double precision.

    So its order does not matter, which depends on memory format and device: it would carry weights over a threshold.
    """
    return values.sum(tuple(range(1, values.dim())), dtype=torch.float64, keepdim=True)


def largest_dropped(values: Tensor, dropped: int) -> Tensor:
    """The threshold [...] that `dropped` of the values [..., n] (>= 0) do not exceed."""
    return values.kthvalue(dropped, dim=-1).values if dropped else values.new_zeros(values.shape[:-1])


def _least_of_largest(size: Tensor, count: int) -> Tensor:
    """Per filter of size [F, ...] the value [F, 1, 1, 1] that no more than its `count` largest elements exceed."""
    flat = size.flatten(1)
    return largest_dropped(flat, flat.shape[1] - count).view(-1, 1, 1, 1)


class DigitWeightQuant(nn.Module):
    """Symmetric integers of `bits` bits with one scale per filter, for the first layer and the head.

    The scale is the smallest, to FINENESS, that keeps both the integer range and the accumulator bound of the engine
    (canonical signed digits, most significant first), so a trained layer always fits.
    """

    FINENESS = 1.05
    peaks: Tensor
    zero_point: Tensor
    bit_width: Tensor

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.limit = (1 << (bits - 1)) - 1
        peaks = csd.reach(torch.arange(self.limit + 1, dtype=torch.int8).numpy(), ACT_BITS) / -ACT_MIN
        self.register_buffer("peaks", torch.from_numpy(peaks).to(torch.float32), persistent=False)
        self.register_buffer("zero_point", torch.tensor(0.0), persistent=False)
        self.register_buffer("bit_width", torch.tensor(float(bits)), persistent=False)

    def integers(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Integer weights (as floats, the shape of `weight`) and their scale [F, 1, 1, 1]."""
        scales = self._candidates(weight)
        integers = (weight / scales).round()
        peaks = self.peaks[integers.abs().clamp(max=self.limit).long()].flatten(2).sum(2)
        first = (peaks <= PEAK_LIMIT).byte().argmax(0).view(1, -1, 1, 1, 1)
        chosen = first.expand(1, *weight.shape)
        return integers.gather(0, chosen)[0], scales.gather(0, first)[0]

    def _candidates(self, weight: Tensor) -> Tensor:
        """Scales [S, F, 1, 1, 1], rising by FINENESS: no filter fits with less than the first, all do with the last.

        A weight is rounded by half a step at most, so that the sum of the magnitudes of `n` integers lies within n / 2
        of the real one. Nor is an integer's peak more than twice the real value, as that of 1 is for 1/2. All are tried
        at once because a loop would make the processor wait for the GPU in each turn.
        """
        n, size = weight[0].numel(), weight.abs()
        most = 2 * (PEAK_LIMIT + n / 2) / PEAK_LIMIT
        steps = torch.arange(2 + math.ceil(math.log(most, self.FINENESS)), device=weight.device)
        dims = tuple(range(1, weight.dim()))
        least = torch.maximum(
            size.amax(dims, keepdim=True) / self.limit, size.sum(dims, keepdim=True) / (PEAK_LIMIT + n / 2)
        ).clamp(min=torch.finfo(weight.dtype).tiny)
        return least * (self.FINENESS**steps).to(weight.dtype).view(-1, 1, 1, 1, 1)

    def forward(self, weight: Tensor) -> QuantResult:
        """Quantised `weight` [F, C, K, K]."""
        with torch.no_grad():
            integers, scale = self.integers(weight)
        return straight_through(integers * scale, weight), scale, self.zero_point, self.bit_width


class _RoundClamp(torch.autograd.Function):
    """clamp(floor(x / scale + 1/2)) * scale, the rounding of the engine; gradient 1 inside the range, else 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
        integers = x.div(scale).add_(0.5).floor_()
        clamped = integers.clamp(ACT_MIN, ACT_MAX)
        ctx.save_for_backward(clamped == integers)
        return clamped.mul_(scale)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return grads[0] * inside, None


class ActivationQuant(nn.Module):
    """Signed 8-bit activations with one scale per tensor.

    `fixed_scale` None: the scale follows the largest magnitude seen in training (moving average). The average
    is a buffer, so a checkpoint holds all there is to know.
    """

    MOMENTUM = 0.02
    scale: Tensor
    zero_point: Tensor
    bit_width: Tensor

    def __init__(self, fixed_scale: float | None) -> None:
        super().__init__()
        self.learns = fixed_scale is None
        self.register_buffer("scale", torch.tensor(fixed_scale or 0.0))
        self.register_buffer("zero_point", torch.tensor(0.0), persistent=False)
        self.register_buffer("bit_width", torch.tensor(float(ACT_BITS)), persistent=False)

    @torch.no_grad()
    def _follow(self, x: Tensor) -> None:
        low, high = (extreme.to(self.scale.dtype) for extreme in torch.aminmax(x))
        wanted = distributed.largest(torch.maximum(high / ACT_MAX, low / ACT_MIN)).clamp(min=1e-8)
        self.scale.copy_(torch.where(self.scale > 0, torch.lerp(self.scale, wanted, self.MOMENTUM), wanted))

    def follow(self, x: Tensor) -> None:
        """In training, let the scale follow the values `x` of any shape."""
        if self.training and self.learns:
            self._follow(x)

    def forward(self, x: Tensor) -> QuantResult:
        """Quantised `x` of any shape."""
        self.follow(x)
        value: Tensor = _RoundClamp.apply(x, self.scale)  # type: ignore[no-untyped-call]
        return value, self.scale, self.zero_point, self.bit_width


# The injectors below name a class and its arguments, so that each layer makes a quantiser of its own; Brevitas makes
# them again when a state is loaded, also in a copy of the layer.


def ternary_weights(of_pattern: type[TernaryWeightQuant], of_filters: int, of_size: int) -> type[ExtendedInjector]:
    """Brevitas weight quantiser of a layer with `of_filters` filters of `of_size` ternary weights each."""

    class Weights(ExtendedInjector):
        proxy_class = WeightQuantProxyFromInjector
        tensor_quant = of_pattern
        filters, size = of_filters, of_size
        signed = True

    return Weights


def digit_weights(of_bits: int) -> type[ExtendedInjector]:
    """Brevitas weight quantiser of a layer with integer weights of `of_bits` bits."""

    class Weights(ExtendedInjector):
        proxy_class = WeightQuantProxyFromInjector
        tensor_quant = DigitWeightQuant
        bits = of_bits
        signed = True

    return Weights


class QuantConv(qnn.QuantConv2d):
    """A Brevitas convolution of real values, whose weights alone are quantised.

    Its pass gives what Brevitas' own does, without the packing of values that Brevitas does for its exporters: a GPU
    would wait for the processor that does it.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The output [N, F, H, W] of x [N, C, H, W]."""
        weight = weight_quantiser(self)(self.weight)[0]
        output: Tensor = self._conv_forward(x, weight, self.bias)
        return output


def activation(scale: float | None) -> qnn.QuantIdentity:
    """Brevitas layer that makes its input 8-bit."""

    class Activations(ExtendedInjector):
        proxy_class = ActQuantProxyFromInjector
        tensor_quant = ActivationQuant
        fixed_scale = scale
        signed = True

    return qnn.QuantIdentity(act_quant=Activations)


def activation_quantiser(layer: qnn.QuantIdentity) -> ActivationQuant:
    """The module that `layer` quantises with; its scale is the real value of one step."""
    quantiser: ActivationQuant = layer.act_quant.fused_activation_quant_proxy.tensor_quant
    return quantiser


def weight_quantiser(layer: qnn.QuantConv2d) -> TernaryWeightQuant | DigitWeightQuant:
    """The module that turns the hidden weights of `layer` into integers."""
    quantiser: TernaryWeightQuant | DigitWeightQuant = layer.weight_quant.tensor_quant
    return quantiser
