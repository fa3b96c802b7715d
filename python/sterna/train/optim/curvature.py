"""The curvature of one layer: the part of the Fisher matrix that K-FAC keeps of it, and its damped inverse.

The Fisher matrix is the empirical one: gradients of the training loss itself, as they come from the backward pass that
training runs anyway (Osawa et al. 2019). All gradients are of the loss of one image, where the loss that is
differentiated is the mean over the images of the batch.

- Convolutions (Grosse and Martens 2016): Fisher = A (x) G, A the second moment of the input patches, mean over
  images and positions, G that of the output's gradient, mean over images and sum over positions.
- Batch normalisation (Osawa et al. 2020): a 2x2 matrix of scale and shift for each channel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import brevitas.nn as qnn
import torch
from brevitas.quant_tensor import QuantTensor
from torch import Tensor, nn
from torch.nn import functional

from sterna.errors import SternaError
from sterna.train import distributed


class Curvature(ABC):
    """What the optimiser keeps for one layer.

    Statistics are a list of symmetric matrices (or stacks of them); the inverses have the same shapes. `wanted`
    says whether the next forward and backward pass are to be recorded; the forward pass asks for it.
    """

    def __init__(self, name: str, parameters: Sequence[Tensor], wanted: Callable[[], bool]) -> None:
        self.name, self.parameters, self.wanted = name, list(parameters), wanted

    @abstractmethod
    def take(self) -> list[Tensor] | None:
        """The statistics of the last recorded batch; None if there is none. They are returned once."""

    @abstractmethod
    def shapes(self) -> list[torch.Size]:
        """Shapes of the statistics."""

    @abstractmethod
    def invert(self, statistics: list[Tensor], damping: float) -> list[Tensor]:
        """Inverses of the damped `statistics`; `damping` is a share of the mean eigenvalue of the Fisher matrix."""

    @abstractmethod
    def precondition(self, gradients: list[Tensor], inverses: list[Tensor]) -> list[Tensor]:
        """Inverse Fisher matrix times `gradients`, which are in the order of `parameters`."""

    def cost(self) -> int:
        """Work of `invert`, in multiplications or so."""
        return sum(shape[-1] * shape.numel() for shape in self.shapes())

    def _inverse(self, matrices: Tensor) -> Tensor:
        # Eigenvalues of a factor span more than the 7 digits of float32.
        lower, failed = torch.linalg.cholesky_ex(matrices.double())
        if failed.any():
            raise SternaError(
                "a factor of the curvature cannot be inverted",
                where=self.name,
                attribute="damping",
                remedy="train with more damping or a lower learning rate",
            )
        return torch.cholesky_inverse(lower).to(matrices.dtype).contiguous()


class ConvCurvature(Curvature):
    """Kronecker factors of a convolution [F, C, K, K], with or without bias.

    Statistics: the blocks of A, then those of G. A has C * K * K rows, and one more for a bias. A factor with more
    than `largest_factor` rows is cut into equal blocks of whole channels along its diagonal, and what lies between
    them is left out. A is taken from at most `positions` positions of each image, on an even grid.
    """

    def __init__(
        self, name: str, conv: nn.Conv2d, wanted: Callable[[], bool], *, largest_factor: int, positions: int
    ) -> None:
        super().__init__(name, [conv.weight] if conv.bias is None else [conv.weight, conv.bias], wanted)
        self.conv, self.positions = conv, positions
        taps = conv.weight[0, 0].numel()
        self.columns = [taps * channels for channels in _parts(conv.in_channels, max(1, largest_factor // taps))]
        self.rows = _parts(conv.out_channels, largest_factor)
        self._input: list[Tensor] | None = None
        self._output: list[Tensor] | None = None
        # A Brevitas convolution that quantises its input is given it as it is.
        if isinstance(conv, qnn.QuantConv2d) and conv.input_quant.is_quant_enabled:
            conv.input_quant.register_forward_hook(lambda module, args, x: self._see_input(x))
        else:
            conv.register_forward_pre_hook(lambda module, args: self._see_input(args[0]))
        conv.register_forward_hook(lambda module, args, output: self._see_output(output))

    @staticmethod
    def knows(layer: nn.Module) -> bool:
        """Whether `layer` is a convolution whose Fisher matrix has this form."""
        return (
            isinstance(layer, nn.Conv2d)
            and layer.groups == 1
            and layer.padding_mode == "zeros"
            and not isinstance(layer.padding, str)
            and not (isinstance(layer, qnn.QuantConv2d) and layer.output_quant.is_quant_enabled)
        )

    def shapes(self) -> list[torch.Size]:
        """Blocks of A [n, n], the last one with the bias, then those of G."""
        inputs = [*self.columns[:-1], self.columns[-1] + len(self.parameters) - 1]
        return [torch.Size((size, size)) for size in (*inputs, *self.rows)]

    def take(self) -> list[Tensor] | None:
        """See Curvature."""
        if self._input is None or self._output is None:
            return None
        statistics = [*self._input, *self._output]
        self._input = self._output = None
        return statistics

    def _see_input(self, x: Tensor | Any) -> None:
        self._input = self._output = None
        if self.wanted():
            value = x.value if isinstance(x, QuantTensor) else x
            with torch.autocast(value.device.type, enabled=False):
                patches = self._patches(value.detach().to(self.conv.weight.dtype))
                self._input = [part @ part.T / part.shape[1] for part in patches]

    def _patches(self, x: Tensor) -> list[Tensor]:
        """What the filters see, for each block of A [n, images * positions]."""
        conv = self.conv
        apart = _apart(conv, x, self.positions)
        patches = functional.unfold(
            x,
            conv.kernel_size,
            conv.dilation,
            conv.padding,  # type: ignore[arg-type]  # no text: see knows
            (conv.stride[0] * apart, conv.stride[1] * apart),
        )
        parts = [part.transpose(0, 1).flatten(1) for part in torch.split(patches, self.columns, 1)]
        if conv.bias is not None:
            parts[-1] = torch.cat([parts[-1], parts[-1].new_ones(1, parts[-1].shape[1])])
        return parts

    def _see_output(self, output: Tensor) -> None:
        if self._input is not None and output.requires_grad:
            output.register_hook(self._see_gradient)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def _see_gradient(self, gradient: Tensor) -> None:
        images = len(gradient)
        flat = gradient.transpose(0, 1).flatten(1).to(self.conv.weight.dtype)
        self._output = [part @ part.T * images for part in torch.split(flat, self.rows)]

    def invert(self, statistics: list[Tensor], damping: float) -> list[Tensor]:
        """See Curvature.

        (A + pi sqrt(l)) (x) (G + sqrt(l) / pi), with pi^2 = a / g the ratio of the mean eigenvalues of A and G
        (Martens and Grosse 2015, section 6.3). As l = damping * a * g, this adds sqrt(damping) of its mean to each.
        """
        inputs, outputs = statistics[: len(self.columns)], statistics[len(self.columns) :]
        return [
            self._inverse(_damped(factor, damping**0.5 * mean))
            for factors in (inputs, outputs)
            for mean in [_mean_eigenvalue(factors)]
            for factor in factors
        ]

    def precondition(self, gradients: list[Tensor], inverses: list[Tensor]) -> list[Tensor]:
        """See Curvature: G^-1 W A^-1, W the gradient [F, C * K * K (+ 1)]."""
        inputs, outputs = inverses[: len(self.columns)], inverses[len(self.columns) :]
        matrix = torch.cat([gradients[0].flatten(1), *(bias[:, None] for bias in gradients[1:])], 1)
        parts = torch.split(matrix, [len(factor) for factor in inputs], 1)
        matrix = torch.cat([part @ factor for part, factor in zip(parts, inputs, strict=True)], 1)
        parts = torch.split(matrix, self.rows)
        matrix = torch.cat([factor @ part for part, factor in zip(parts, outputs, strict=True)])
        weights = matrix[:, : sum(self.columns)].reshape(gradients[0].shape)
        return [weights, *(matrix[:, -1] for _ in gradients[1:])]


class NormCurvature(Curvature):
    """The 2x2 Fisher matrix of scale and shift of each of the C channels of a batch normalisation [C, 2, 2]."""

    def __init__(self, name: str, norm: nn.BatchNorm2d, wanted: Callable[[], bool]) -> None:
        super().__init__(name, [norm.weight, norm.bias], wanted)
        self.norm = norm
        self._fisher: Tensor | None = None
        norm.register_forward_hook(lambda module, args, output: self._see(args[0], output))

    @staticmethod
    def knows(layer: nn.Module) -> bool:
        """Whether `layer` is a batch normalisation with scale and shift."""
        return isinstance(layer, nn.BatchNorm2d) and layer.affine

    def shapes(self) -> list[torch.Size]:
        """One stack of matrices."""
        return [torch.Size((self.norm.num_features, 2, 2))]

    def take(self) -> list[Tensor] | None:
        """See Curvature."""
        fisher, self._fisher = self._fisher, None
        return None if fisher is None else [fisher]

    def _see(self, x: Tensor, output: Tensor) -> None:
        self._fisher = None
        if self.wanted() and output.requires_grad:
            x = x.detach().to(self.norm.weight.dtype)
            mean, variance = self._moments(x)
            output.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: self._see_gradient(x, mean, variance, gradient)
            )

    @torch.no_grad()
    def _moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance [1, C, 1, 1] that the layer normalises `x` by."""
        norm, shape = self.norm, (1, -1, 1, 1)
        if not norm.training and norm.running_mean is not None and norm.running_var is not None:
            return norm.running_mean.view(shape), norm.running_var.view(shape)
        everywhere = distributed.mean if isinstance(norm, distributed.BatchNorm) else lambda value: value
        mean = everywhere(x.mean((0, 2, 3), keepdim=True))
        return mean, everywhere((x - mean).square().mean((0, 2, 3), keepdim=True))

    @torch.no_grad()
    def _see_gradient(self, x: Tensor, mean: Tensor, variance: Tensor, gradient: Tensor) -> None:
        gradient = gradient.to(x.dtype)
        shift = gradient.sum((2, 3))
        scale = (gradient * (x - mean)).sum((2, 3)) * torch.rsqrt(variance + self.norm.eps).view(1, -1)
        both = torch.stack([scale, shift], -1)  # [images, C, 2]
        self._fisher = torch.einsum("nci,ncj->cij", both, both) * len(x)

    def invert(self, statistics: list[Tensor], damping: float) -> list[Tensor]:
        """See Curvature."""
        return [self._inverse(_damped(statistics[0], damping * _mean_eigenvalue(list(statistics[0]))))]

    def precondition(self, gradients: list[Tensor], inverses: list[Tensor]) -> list[Tensor]:
        """See Curvature."""
        both = torch.einsum("cij,cj->ci", inverses[0], torch.stack(gradients, -1))
        return [both[:, 0], both[:, 1]]


def _parts(count: int, largest: int) -> list[int]:
    """`count` in as few equal parts (or one apart) as keep none above `largest`."""
    return [len(part) for part in torch.arange(count).tensor_split(-(-count // largest))]


def _apart(conv: nn.Conv2d, x: Tensor, positions: int) -> int:
    """The distance in outputs of the grid that has no more than `positions` points on a map of `conv`."""
    height, width = x.shape[2] // conv.stride[0], x.shape[3] // conv.stride[1]
    apart = 1
    while -(-height // apart) * -(-width // apart) > positions:
        apart += 1
    return apart


def _mean_eigenvalue(blocks: list[Tensor]) -> float:
    """Of the block-diagonal matrix of `blocks`; 1 if it is all zeros, so that damping makes it regular."""
    return sum(float(block.trace()) for block in blocks) / sum(len(block) for block in blocks) or 1.0


def _damped(matrices: Tensor, damping: float) -> Tensor:
    return matrices + damping * torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
