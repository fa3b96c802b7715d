"""Training in several processes: what `torchrun` starts, and all communication between them.

Without torchrun there is one process, and every function here is trivial.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sterna.errors import SternaError


@contextmanager
def session(device: torch.device) -> Iterator[None]:
    """Join the processes that torchrun started, if it did: tensors go by NCCL between GPUs, everything else by gloo.

    Raises SternaError if they do not find each other, or if one of them ends before the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SternaError(
            f"the processes do not find each other ({reason})", where="train", remedy="start them all with torchrun"
        ) from None
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "by peer" not in str(error):
            raise
        raise SternaError(
            "another process of the training has ended", where=f"train, process {rank()}", remedy="see its message"
        ) from error
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Number of this process, 0 .. size() - 1, outside of a session as well."""
    return dist.get_rank() if dist.is_initialized() else int(os.environ.get("RANK", "0"))


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def local_rank() -> int:
    """Number of this process on its machine: which GPU is its own."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def leads() -> bool:
    """Whether this process writes the files and talks to the person."""
    return rank() == 0


def wait() -> None:
    """Wait until all processes are here."""
    if size() > 1:
        dist.barrier()


def largest(value: Tensor) -> Tensor:
    """The elementwise maximum of `value` over all processes."""
    if size() > 1:
        value = value.clone()
        dist.all_reduce(value, dist.ReduceOp.MAX)
    return value


def mean(value: Tensor) -> Tensor:
    """The elementwise mean of `value` over all processes."""
    if size() > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= size()
    return value


def from_leader(value: Any) -> Any:
    """What process 0 has as `value` (plain values and tensors)."""
    if size() == 1:
        return value
    carrier = [value]
    dist.broadcast_object_list(carrier, 0)
    return carrier[0]


def gather(value: Any) -> list[Any]:
    """`value` of every process in order of rank, in every process."""
    if size() == 1:
        return [value]
    values: list[Any] = [None] * size()
    dist.all_gather_object(values, value)
    return values


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return mean(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return mean(grads[0])


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        parts = [torch.empty_like(value) for _ in range(size())]
        dist.all_gather(parts, value.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0].chunk(size())[rank()] * size()


def joined(value: Tensor) -> Tensor:
    """`value` [N, ...] of all processes, one after the other: each has equally many.

    For a loss that all processes compute alike of the whole; the gradients of their parameters are averaged then.
    """
    result: Tensor = value if size() == 1 else _Joined.apply(value)  # type: ignore[no-untyped-call]
    return result


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the images of all processes (torch.nn.SyncBatchNorm refuses processors).

    Each process must hold equally many values of a channel, and average its gradients with the others'.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalised `x` [N, C, H, W]."""
        if not self.training or size() == 1:
            return super().forward(x)
        centre: Tensor = _Mean.apply(x.mean((0, 2, 3), keepdim=True))  # type: ignore[no-untyped-call]
        around = x - centre
        variance: Tensor = _Mean.apply(around.square().mean((0, 2, 3), keepdim=True))  # type: ignore[no-untyped-call]
        self.follow(centre.detach().flatten(), variance.detach().flatten(), x.numel() // x.shape[1])
        shape = (1, -1, 1, 1)
        gain = self.weight.view(shape) * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias.view(shape), around, gain)

    @torch.no_grad()
    def follow(self, centre: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics towards those of `count` values in each process."""
        assert self.momentum is not None
        count *= size()
        self.get_buffer("running_mean").lerp_(centre, self.momentum)
        self.get_buffer("running_var").lerp_(variance * (count / (count - 1)), self.momentum)
        self.get_buffer("num_batches_tracked").add_(1)
