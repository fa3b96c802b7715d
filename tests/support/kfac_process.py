"""K-FAC on a tiny network, in one of several processes that share a batch."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sterna.train import distributed
from sterna.train.optim.kfac import Kfac

STEPS = 5


def network() -> nn.Sequential:
    """Two convolutions, with a normalisation over the images of all processes between them."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), distributed.BatchNorm(6), nn.LeakyReLU(0.125), nn.Conv2d(6, 3, 1)
    ).double()


def batches() -> tuple[Tensor, Tensor]:
    """Inputs [STEPS, 8, 2, 6, 6] and targets [STEPS, 8, 3, 6, 6]."""
    torch.manual_seed(1)
    x = torch.randn(STEPS, 8, 2, 6, 6, dtype=torch.float64)
    return x, 0.1 * torch.randn(STEPS, 8, 3, 6, 6, dtype=torch.float64) + x[:, :, :1]


def descend(net: nn.Sequential, images: slice) -> list[float]:
    """Train `net` on the `images` of each batch, with averaged gradients; the losses."""
    optimizer = Kfac(net, 0.02, damping=0.1, factor_interval=1, inverse_interval=2, kl_clip=1e3)
    losses = []
    for x, target in zip(*batches(), strict=True):
        loss = (net(x[images]) - target[images]).square().sum((1, 2, 3)).mean()
        optimizer.zero_grad()
        loss.backward()
        for parameter in net.parameters():
            parameter.grad = distributed.mean(parameter.grad)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def run(rank: int, processes: int, folder: Path) -> None:
    """One of `processes`; leaves the trained network in `folder`."""
    torch.set_num_threads(1)
    store = f"file://{folder / 'store'}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=processes)
    net = network()
    share = 8 // processes
    descend(net, slice(rank * share, (rank + 1) * share))
    torch.save(net.state_dict(), folder / f"{rank}.pt")
    dist.destroy_process_group()
