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


class Parallel:
    """`network` trained by all processes: each works on its share of a batch, and gradients are averaged.

    With one process nothing is wrapped and nothing is sent. `bytes` counts what this process has sent since it was
    last set to 0, each number of a gradient once.
    """

    def __init__(self, network: nn.Module, hook: Hook) -> None:
        self.bytes = 0
        self._hook = hook
        self._state: powerSGD_hook.PowerSGDState | None = None
        self.module: nn.Module = network
        if distributed.size() == 1:
            return
        # With unused parameters looked for, buckets are never built anew, so that PowerSGD's memory, which is kept by
        # bucket, means the same after a resume.
        wrapped = DistributedDataParallel(
            network, forward_sync_buffers=False, find_unused_parameters=hook is Hook.POWERSGD
        )
        if hook is Hook.POWERSGD:
            self._state = powerSGD_hook.PowerSGDState(
                dist.group.WORLD, matrix_approximation_rank=POWERSGD_RANK, start_powerSGD_iter=POWERSGD_START
            )
        # PyTorch looks at a hook's annotations, which here are texts: a lambda has none.
        wrapped.register_comm_hook(self._state, lambda state, bucket: self._send(state, bucket))
        self.module = wrapped

    def gathering(self, last: bool) -> AbstractContextManager[None]:
        """Around a part of a batch: gradients are only sent with the `last` one."""
        return nullcontext() if last or not isinstance(self.module, DistributedDataParallel) else self.module.no_sync()

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


#: The function that sends a bucket, and the bytes per number on the wire.
_SENDERS: dict[Hook, tuple[Callable[..., torch.futures.Future[torch.Tensor]], int]] = {
    Hook.FP32: (default_hooks.allreduce_hook, 4),
    Hook.FP16: (default_hooks.fp16_compress_hook, 2),
    Hook.BF16: (default_hooks.bf16_compress_hook, 2),
    Hook.POWERSGD: (powerSGD_hook.powerSGD_hook, 4),
}
_MEMORY = ("iter", "error_dict", "p_memory_dict", "q_memory_dict")
