"""Layers computed in parts of a batch, so that a training step keeps no more of them than their input.

Oyama et al. 2018, "Accelerating deep learning frameworks with micro-batches", choose for each convolution the part of
a batch whose memory fits; Chen et al. 2016, "Training deep nets with sublinear memory cost", compute again in the
backward pass what was not kept. Normalisation is over the whole batch, as without parts: its statistics are gathered
from all parts first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from sterna.train import distributed

#: What a part of a batch becomes: of its input [n, C, H, W] and tensors that all parts share.
Compute = Callable[..., Tensor]


def recomputed(compute: Compute, part: int, x: Tensor, *shared: Tensor) -> Tensor:
    """`compute(x, *shared)` for x [N, C, H, W], `part` images at a time, in the backward pass as well.

    Equal to computing it at once, but for the order in which gradients of `shared` are summed. `compute` must treat
    images alike and independently.
    """
    result: Tensor = _Recomputed.apply(compute, part, x, *shared)  # type: ignore[no-untyped-call]
    return result


def normalised(
    convolve: Compute, finish: Compute, norm: distributed.BatchNorm, part: int, x: Tensor, weight: Tensor
) -> Tensor:
    """`finish` of the normalised `convolve(x, weight)`, `part` images at a time, in the backward pass as well.

    norm: in training, so that it normalises by the statistics of the batch, over all processes, and follows them.
    """
    result: Tensor = _Normalised.apply(  # type: ignore[no-untyped-call]
        convolve, finish, norm, part, x, weight, norm.weight, norm.bias
    )
    return result


def scaled(y: Tensor, numbers: Sequence[Tensor], epsilon: float) -> Tensor:
    """`y` [N, F, H, W] normalised; numbers: mean and variance, then what it is multiplied by and added, [F] each."""
    centre, variance, gain, bias = numbers
    factor = gain * torch.rsqrt(variance + epsilon)
    return torch.addcmul((bias - factor * centre).view(-1, 1, 1), y, factor.view(-1, 1, 1))


class _Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, compute: Compute, part: int, x: Tensor, *shared: Tensor) -> Tensor:
        ctx.compute, ctx.part = compute, part
        ctx.save_for_backward(x, *shared)
        return _joined((compute(piece, *shared) for piece in _parts(x, part)), len(x))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, *shared = ctx.saved_tensors
        totals = _Totals(ctx.needs_input_grad[2:], len(x))
        for piece, grad in zip(_parts(x, ctx.part), _parts(grads[0], ctx.part), strict=True):
            inputs = totals.leaves(piece, *shared)
            with torch.enable_grad():
                result = ctx.compute(*inputs)
            totals.add(inputs, [result], [grad])
        return None, None, *totals.found()


class _Normalised(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, convolve: Compute, finish: Compute, norm: distributed.BatchNorm, part: int, x: Tensor, weight: Tensor,
        gain: Tensor, bias: Tensor,
    ) -> Tensor:  # fmt: skip
        ctx.convolve, ctx.finish, ctx.norm, ctx.part = convolve, finish, norm, part
        centre, variance, ctx.count, whole = _statistics(convolve, part, x, weight)
        norm.follow(centre, variance, ctx.count)
        ctx.save_for_backward(x, weight, centre, variance, gain, bias)
        convolved = (convolve(piece, weight) for piece in _parts(x, part)) if whole is None else iter((whole,))
        return _joined((finish(scaled(y, (centre, variance, gain, bias), norm.eps)) for y in convolved), len(x))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, *numbers = ctx.saved_tensors
        pieces, wanted = _parts(x, ctx.part), ctx.needs_input_grad
        of_numbers = _Totals((False, True, True, *wanted[6:]), len(x))
        for piece, grad in zip(pieces, _parts(grads[0], ctx.part), strict=True):
            y, *inputs = of_numbers.leaves(ctx.convolve(piece, weight), *numbers)
            with torch.enable_grad():
                result = ctx.finish(scaled(y, inputs, ctx.norm.eps))
            of_numbers.add([y, *inputs], [result], [grad])
        _, *of_statistics, of_gain, of_bias = of_numbers.found()
        # Each number of the batch moves the statistics, those of all processes.
        of_centre, of_variance = (
            distributed.mean(each).view(-1, 1, 1) / ctx.count for each in of_statistics if each is not None
        )
        totals = _Totals(wanted[4:6], len(x))
        for piece, grad in zip(pieces, _parts(grads[0], ctx.part), strict=True):
            inputs = totals.leaves(piece, weight)
            with torch.enable_grad():
                y = ctx.convolve(*inputs)
                result = ctx.finish(scaled(y, numbers, ctx.norm.eps))
            around = y.detach() - numbers[0].view(-1, 1, 1)
            moved = around.mul_(2 * of_variance).add_(of_centre)
            totals.add(inputs, [result, y], [grad, moved])
        return None, None, None, None, *totals.found(), of_gain, of_bias


class _Totals:
    """Gradients of an input that comes in parts, and of tensors that all parts share; `wanted` of each, in order."""

    def __init__(self, wanted: Sequence[bool], images: int) -> None:
        self._wanted, self._images = tuple(wanted), images
        self._whole = _Whole(images)
        self._shared: list[Tensor | None] = [None] * (len(self._wanted) - 1)

    def leaves(self, *values: Tensor) -> list[Tensor]:
        """`values` as inputs of which gradients can be asked."""
        return [value.detach().requires_grad_(need) for value, need in zip(values, self._wanted, strict=True)]

    def add(self, inputs: Sequence[Tensor], results: Sequence[Tensor], grads: Sequence[Tensor]) -> None:
        """Add the gradients of `inputs`, which `leaves` made of a part, where `results` have `grads`."""
        asked = [each for each in inputs if each.requires_grad]
        found = iter(torch.autograd.grad(results, asked, grads) if asked else ())
        piece, *shared = (next(found) if need else None for need in self._wanted)
        if piece is not None:
            self._whole.add(piece)
        self._shared = [
            new if old is None or new is None else old.add_(new) for old, new in zip(self._shared, shared, strict=True)
        ]

    def found(self) -> list[Tensor | None]:
        """The gradients of all parts."""
        return [self._whole.tensor, *self._shared]


def _parts(x: Tensor, part: int) -> tuple[Tensor, ...]:
    found: tuple[Tensor, ...] = torch.split(x, part)
    return found


class _Whole:
    """A tensor of `images`, put together from parts that are not kept; None without any."""

    def __init__(self, images: int) -> None:
        self.tensor: Tensor | None = None
        self._images, self._done = images, 0

    def add(self, part: Tensor) -> None:
        """Add the next part."""
        if len(part) == self._images:
            self.tensor = part
            return
        if self.tensor is None:
            shape = (self._images, *part.shape[1:])
            self.tensor = torch.empty(shape, dtype=part.dtype, device=part.device, memory_format=torch.channels_last)
        self.tensor[self._done : self._done + len(part)] = part
        self._done += len(part)


def _statistics(convolve: Compute, part: int, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, int, Tensor | None]:
    """Of y = `convolve(x, weight)` mean and variance [F] over all processes, values of each here, and y if one part."""
    means, variances, counts = [], [], []
    pieces = _parts(x, part)
    for piece in pieces:
        y = convolve(piece, weight)
        variance, mean = torch.var_mean(y, (0, 2, 3), correction=0)
        means.append(mean)
        variances.append(variance)
        counts.append(y.numel() // y.shape[1])
    count = sum(counts)
    shares = torch.tensor([each / count for each in counts], dtype=means[0].dtype, device=x.device).view(-1, 1)
    mine = (shares * torch.stack(means)).sum(0)
    centre = distributed.mean(mine)
    spread = torch.stack(variances) + (torch.stack(means) - centre).square()
    return centre, distributed.mean((shares * spread).sum(0)), count, y if len(pieces) == 1 else None


def _joined(parts: Iterable[Tensor], images: int) -> Tensor:
    """`parts`, one after the other, as one tensor of `images`."""
    whole = _Whole(images)
    for part in parts:
        whole.add(part)
    assert whole.tensor is not None
    return whole.tensor
