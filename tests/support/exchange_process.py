"""Gradients exchanged between processes by `Parallel`, each kept in a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from results.exchange import Weights
from sterna.train.optim.communication import POWERSGD_START, Hook, Parallel

SHAPE = (24, 50)


class Case(NamedTuple):
    """How gradients are exchanged: their format, and the processes of a group."""

    hook: Hook
    group: int
    #: Exchanges one after the other; the last counts.
    steps: int = 1


CASES = tuple(Case(hook, group) for hook in (Hook.FP32, Hook.FP16, Hook.BF16) for group in (1, 2, 4))
COMPRESSED = Case(Hook.POWERSGD, 2, POWERSGD_START + 3)


def gradient(rank: int, step: int) -> Tensor:
    """What process `rank` of 4 has found: of full rank, and of another size in each."""
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(10 * step + rank)) * 4.0**rank


def exchange(case: Case, mine: list[Tensor]) -> dict[str, object]:
    """The gradient that this process has after the last of `mine` is exchanged, and what it sent for it."""
    network = Weights(*SHAPE)
    parallel = Parallel(network, case.hook, case.group)
    for each in mine:
        parallel.bytes = 0
        network.values.grad = None
        parallel.module(each).backward()
    assert network.values.grad is not None
    return {"gradient": network.values.grad, "bytes": parallel.bytes}


def run(rank: int, processes: int, folder: Path) -> None:
    """One of `processes`, 4 or 2; 2 have what groups of 2 of the 4 have together. Leaves a file for each case."""
    torch.set_num_threads(1)
    store = f"file://{folder / f'store{processes}'}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=processes)
    share = 4 // processes
    for case in (*CASES, COMPRESSED) if processes == 4 else (COMPRESSED._replace(group=1),):
        mine = [
            sum(gradient(each, step) for each in range(rank * share, (rank + 1) * share)) / share
            for step in range(case.steps)
        ]
        torch.save(exchange(case, mine), folder / f"{processes}-{case.hook}-{case.group}-{rank}.pt")
    dist.destroy_process_group()
