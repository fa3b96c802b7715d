"""A process that exchanges gradients as training does, and times it; `results.makers.hierarchy` starts several."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sterna.train import distributed
from sterna.train.optim.communication import Hook, Parallel

FLOAT = 4  # bytes of a number
#: Exchanges of each kind: taken in turn, and as many between two looks at the clock.
TURNS, TOGETHER = 5, 2


class Kind(NamedTuple):
    """Gradients of `size` bytes, sent as `hook` between groups of `group` processes."""

    size: int
    hook: Hook
    group: int


class Weights(nn.Module):
    """A parameter of a shape whose gradient is what the module is called with."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(shape))

    def forward(self, gradient: Tensor) -> Tensor:
        """The scalar with that gradient."""
        return (self.values * gradient).sum()


class Exchange:
    """All that this process needs for one kind of exchange, and what it has measured of it."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._weights = Weights(kind.size // FLOAT)
        self._parallel = Parallel(self._weights, kind.hook, kind.group)
        self._mine = torch.randn(
            kind.size // FLOAT, generator=torch.Generator().manual_seed(distributed.rank())
        )  # fmt: skip
        self.seconds: list[float] = []
        self.sent: list[float] = []

    def once(self) -> Tensor:
        """The mean gradient."""
        self._weights.values.grad = None
        self._parallel.module(self._mine).backward()
        assert self._weights.values.grad is not None
        return self._weights.values.grad

    def measure(self, device: str) -> None:
        """Time TOGETHER exchanges, of the slowest process, and count what this machine sends by `device`."""
        distributed.wait()
        before, began = sent_by(device), perf_counter()
        for _ in range(TOGETHER):
            self.once()
        spent = torch.tensor(perf_counter() - began)
        distributed.wait()
        self.sent.append((sent_by(device) - before) / TOGETHER)
        self.seconds.append(float(distributed.largest(spent)) / TOGETHER)

    def found(self, plain: Tensor) -> dict[str, object]:
        """What was measured; apart: relative to `plain`, the mean of one level in float32."""
        mean = self.once()
        sent = float(distributed.largest(torch.tensor(median(self.sent))))
        return {
            "size": self.kind.size, "hook": self.kind.hook.value, "group": self.kind.group,
            "seconds": median(self.seconds), "sent": sent, "apart": float((mean - plain).norm() / plain.norm()),
        }  # fmt: skip


def sent_by(device: str) -> int:
    """Bytes that this machine, or network namespace, has sent by a network device until now."""
    for line in Path("/proc/net/dev").read_text("utf-8").splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == device:
            return int(counts.split()[8])
    raise ValueError(f"no network device {device}")


def main(arguments: Sequence[str]) -> int:
    """Measure the kinds in the JSON file of the first argument; process 0 writes what it found to the second."""
    plan, result, device = arguments
    kinds = [Kind(size, Hook(hook), group) for size, hook, group in json.loads(Path(plan).read_text("utf-8"))]
    torch.set_num_threads(1)
    with distributed.session(torch.device("cpu")):
        exchanges = [Exchange(kind) for kind in kinds]
        plain = {each.kind.size: each.once().clone() for each in exchanges if each.kind[1:] == (Hook.FP32, 1)}
        for _ in range(TURNS):
            for each in exchanges:
                each.measure(device)
        found = [each.found(plain[each.kind.size]) for each in exchanges]
        if distributed.leads():
            Path(result).write_text(json.dumps(found), "utf-8")
        dist.barrier()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
