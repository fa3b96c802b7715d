"""K-FAC on a tiny network, in one of several processes that share a batch."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from sterna.train.kfac import Kfac

STEPS = 5


def network() -> nn.Sequential:
    """Three layers with a frozen normalisation, whose output does not hang on the rest of the batch."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.LeakyReLU(0.125), nn.Conv2d(6, 3, 1)
    ).double()
    for tensor in net[1].buffers():
        tensor.add_(1)
    return net


def batches() -> tuple[Tensor, Tensor]:
    """Inputs [STEPS, 8, 2, 6, 6] and targets [STEPS, 8, 3, 6, 6]."""
    torch.manual_seed(1)
    x = torch.randn(STEPS, 8, 2, 6, 6, dtype=torch.float64)
    return x, 0.1 * torch.randn(STEPS, 8, 3, 6, 6, dtype=torch.float64) + x[:, :, :1]


def descend(net: nn.Sequential, pictures: slice) -> list[float]:
    """Train `net` on the `pictures` of each batch, with averaged gradients; the losses."""
    optimizer = Kfac(net, 0.02, damping=0.1, factor_interval=1, inverse_interval=2, kl_clip=1e3)
    losses = []
    for x, target in zip(*batches(), strict=True):
        net.train()[1].eval()
        loss = (net(x[pictures]) - target[pictures]).square().sum((1, 2, 3)).mean()
        optimizer.zero_grad()
        loss.backward()
        if distributed.is_initialized():
            for parameter in net.parameters():
                distributed.all_reduce(parameter.grad)
                parameter.grad /= distributed.get_world_size()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def run(rank: int, processes: int, folder: Path) -> None:
    """One of `processes`; leaves the trained network in `folder`."""
    torch.set_num_threads(1)
    store = f"file://{folder / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=processes)
    net = network()
    share = 8 // processes
    descend(net, slice(rank * share, (rank + 1) * share))
    torch.save(net.state_dict(), folder / f"{rank}.pt")
    distributed.destroy_process_group()
