"""Gradients between processes: data parallel training, with fewer bits on the wire by PyTorch's communication hooks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks, powerSGD_hook
from torch.nn.parallel import DistributedDataParallel

from sterna.errors import SternaError
from sterna.train import distributed

#: Rank of the matrices of PowerSGD (Vogels et al. 2019), and the steps before it begins, sent as they are.
POWERSGD_RANK = 4
POWERSGD_START = 10


class Hook(StrEnum):
    """What the gradients are sent as."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"
    POWERSGD = "powersgd"


class Groups:
    """All processes in groups of `size`, by rank, for an exchange on two levels.

    Numbers go to the first process of a group, the leader; leaders exchange; each tells its group (Jia et al. 2018,
    "Highly scalable deep learning training system with mixed-precision: training ImageNet in four minutes",
    hierarchical all-reduce). So the links between groups carry what the leaders send, however large groups are.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._inner, _ = dist.new_subgroups(size)  # type: ignore[no-untyped-call]
        self._leader = distributed.rank() // size * size
        leaders = list(range(0, distributed.size(), size))
        # All processes make the group of the leaders, as they must.
        group = dist.new_group(leaders)
        #: The group of the leaders, in each of them; None elsewhere.
        self.leaders = group if distributed.rank() in leaders else None

    def gather(self, values: torch.Tensor) -> None:
        """Put the mean of `values` over the group into its leader's; those of the others have no meaning then."""
        values.div_(self._size)
        dist.reduce(values, self._leader, group=self._inner)

    def tell(self, values: torch.Tensor) -> None:
        """Put the leader's `values` into those of its group."""
        dist.broadcast(values, self._leader, group=self._inner)


def check_groups(size: int) -> None:
    """Raise SternaError unless the processes, if there are several, can be divided into groups of `size`."""
    processes = distributed.size()
    if processes > 1 and processes % size:
        raise SternaError(
            "the processes cannot be divided into equal groups", where="train", attribute="hierarchy", value=size,
            allowed=f"divisors of {processes}, the number of processes", remedy="choose another --hierarchy",
        )  # fmt: skip


class Parallel:
    """`network` trained by all processes: each works on its share of a batch, and gradients are averaged.

    With one process nothing is wrapped and nothing is sent. group: processes of a group, as of Groups; the format of
    `hook` is that between groups, and within them gradients stay as they are. 1: no groups. `bytes` counts what this
    process has sent to other groups since it was last set to 0, each number of a gradient once.
    """

    def __init__(self, network: nn.Module, hook: Hook, group: int = 1) -> None:
        self.bytes = 0
        self._hook = hook
        self._groups: Groups | None = None
        self._state: powerSGD_hook.PowerSGDState | None = None
        self.module: nn.Module = network
        if distributed.size() == 1:
            return
        if group > 1:
            self._groups = Groups(group)
        # With unused parameters looked for, buckets are never built anew, so that PowerSGD's memory, which is kept by
        # bucket, means the same after a resume.
        wrapped = DistributedDataParallel(
            network, forward_sync_buffers=False, find_unused_parameters=hook is Hook.POWERSGD
        )
        senders = dist.group.WORLD if self._groups is None else self._groups.leaders
        if hook is Hook.POWERSGD and senders is not None:
            self._state = powerSGD_hook.PowerSGDState(
                senders, matrix_approximation_rank=POWERSGD_RANK, start_powerSGD_iter=POWERSGD_START
            )
        # PyTorch looks at a hook's annotations, which here are texts: a lambda has none.
        send = self._send if self._groups is None else self._send_in_groups
        wrapped.register_comm_hook(self._state or senders, lambda state, bucket: send(state, bucket))
        self.module = wrapped

    def gathering(self, last: bool) -> AbstractContextManager[None]:
        """Around a part of a batch: gradients are only sent with the `last` one."""
        return nullcontext() if last or not isinstance(self.module, DistributedDataParallel) else self.module.no_sync()

    def _send_in_groups(self, state: Any, bucket: Any) -> torch.futures.Future[torch.Tensor]:
        """As `_send`, on two levels. Each message follows from the one before, so none is sent ahead."""
        assert self._groups is not None
        values = bucket.buffer()
        self._groups.gather(values)
        if self._groups.leaders is not None:
            sent = self._send(state, bucket).wait()
            if sent.data_ptr() != values.data_ptr():
                values.copy_(sent)
        self._groups.tell(values)
        return _done(values)

    def _send(self, state: Any, bucket: Any) -> torch.futures.Future[torch.Tensor]:
        send, width = _SENDERS[self._hook]
        if self._state is None or self._state.iter < POWERSGD_START:
            self.bytes += width * bucket.buffer().numel()
            return send(state, bucket)
        before = self._state.total_numel_after_compression
        sent = send(state, bucket)
        # Its messages follow from each other. Left to themselves they would mix with those of other buckets and of
        # PyTorch, in another order in each process.
        sent.wait()
        self.bytes += width * (self._state.total_numel_after_compression - before)
        return sent

    def state(self) -> dict[str, Any]:
        """What this process has sent and what PowerSGD remembers in it, for a checkpoint."""
        memory = {} if self._state is None else {name: getattr(self._state, name) for name in _MEMORY}
        return {"bytes": self.bytes, **memory}

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from `state`."""
        self.bytes = state["bytes"]
        if self._state is not None:
            for name in _MEMORY:
                setattr(self._state, name, state[name])


def _done(values: torch.Tensor) -> torch.futures.Future[torch.Tensor]:
    """A future that has `values` already; on a GPU, after what its stream has been given until now."""
    future: torch.futures.Future[torch.Tensor] = torch.futures.Future(
        devices=[values.device] if values.is_cuda else None
    )
    future.set_result(values)
    return future


#: The function that sends a bucket, and the bytes per number on the wire.
_SENDERS: dict[Hook, tuple[Callable[..., torch.futures.Future[torch.Tensor]], int]] = {
    Hook.FP32: (default_hooks.allreduce_hook, 4),
    Hook.FP16: (default_hooks.fp16_compress_hook, 2),
    Hook.BF16: (default_hooks.bf16_compress_hook, 2),
    Hook.POWERSGD: (powerSGD_hook.powerSGD_hook, 4),
}
_MEMORY = ("iter", "error_dict", "p_memory_dict", "q_memory_dict")
