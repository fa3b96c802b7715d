from __future__ import annotations

import copy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, multiprocessing, nn

from sterna.errors import SternaError
from sterna.graph import networks
from sterna.graph.network import ANCHORS
from sterna.train import checkpoint
from sterna.train.data import anchors as anchor_boxes
from sterna.train.data.frames import Frame
from sterna.train.data.scenes import SceneSet
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim import loss
from sterna.train.optim.curvature import ConvCurvature
from sterna.train.optim.kfac import Kfac, _owners
from sterna.train.report import evaluate
from support import kfac_process

EVERY_STEP = {"factor_interval": 1, "inverse_interval": 1, "longest_stretch": 1}


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.125), nn.Conv2d(4, 2, 1))


def backward(net: nn.Module, seed: int = 0) -> float:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(6, 2, 8, 8, generator=generator)
    value = (net(x) - x.roll(1, 3)).square().sum((1, 2, 3)).mean()
    net.zero_grad()
    value.backward()
    return float(value.detach())


def train(net: nn.Module, optimizer: Kfac, steps: range) -> list[float]:
    values = []
    for step in steps:
        values.append(backward(net, step))
        optimizer.step()
    return values


def equal(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_step_goes_along_the_inverse_fisher_matrix_with_momentum_and_decay() -> None:
    net = small_network()
    optimizer = Kfac(net, 0.1, 0.5, 0.01, 0.2, kl_clip=1e9, **EVERY_STEP)
    conv = net[3]
    assert isinstance(conv, nn.Conv2d) and conv.bias is not None
    expected, velocity = conv.weight.detach().clone().double(), torch.zeros(2, 4, dtype=torch.float64)
    for step in range(3):
        backward(net, step)
        optimizer.step()
        a, g = (factor.double() for factor in optimizer.curvature()["3"])
        mean_a, mean_g = a.trace() / 5, g.trace() / 2
        gradient = torch.cat([conv.weight.grad.flatten(1), conv.bias.grad[:, None]], 1).double()
        damped = torch.kron(g + 0.2**0.5 * mean_g * torch.eye(2), a + 0.2**0.5 * mean_a * torch.eye(5))
        direction = torch.linalg.solve(damped, gradient.flatten()).view(2, 5)
        velocity = 0.5 * velocity + direction[:, :4]
        expected = expected * (1 - 0.1 * 0.01) - 0.1 * velocity.view_as(expected)
        torch.testing.assert_close(conv.weight.double(), expected, rtol=1e-4, atol=1e-6)


def test_factors_are_running_averages_whose_first_batches_weigh_alike() -> None:
    net = small_network()
    optimizer = Kfac(net, 0.0, statistics_decay=0.75, **EVERY_STEP)
    seen = []
    for step in range(6):
        probe = Kfac(copy.deepcopy(small_network()), 0.0, **EVERY_STEP)
        backward(probe._network, step)
        probe.step()
        seen.append(probe.curvature()["0"][0])
    train(net, optimizer, range(6))
    wanted = torch.stack(seen[:4]).mean(0)
    for value in seen[4:]:
        wanted = 0.75 * wanted + 0.25 * value
    torch.testing.assert_close(optimizer.curvature()["0"][0], wanted)


def test_unknown_layers_descend_along_their_gradient_and_are_named() -> None:
    net = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, groups=2), nn.Conv2d(2, 2, 1))
    optimizer = Kfac(net, 0.01, 0.9, 0.1)
    assert optimizer.plain == ["0.weight", "0.bias"]
    reference = copy.deepcopy(net[0].weight)
    velocity = torch.zeros_like(reference)
    for step in range(3):
        backward(net, step)
        optimizer.step()
        velocity = 0.9 * velocity + net[0].weight.grad
        reference = reference * (1 - 0.01 * 0.1) - 0.01 * velocity
    torch.testing.assert_close(net[0].weight, reference)
    assert set(optimizer.curvature()) == {"1"}


def test_frozen_layers_stay() -> None:
    net = small_network()
    net[0].requires_grad_(False)
    before = net[0].weight.clone()
    optimizer = Kfac(net, 0.1)
    train(net, optimizer, range(2))
    assert torch.equal(net[0].weight, before) and set(optimizer.curvature()) == {"1", "3"}


def test_a_step_is_shortened_to_the_allowed_change() -> None:
    drops = []  # gradient * step, which the step lowers the loss by
    for clip in (1e9, 1e-3):
        net = small_network()
        before = [parameter.detach().clone() for parameter in net.parameters()]
        optimizer = Kfac(net, 0.5, 0.0, 0.0, kl_clip=clip)
        train(net, optimizer, range(1))
        moved = [(old - new).detach() for old, new in zip(before, net.parameters(), strict=True)]
        drops.append(sum(float((m * p.grad).sum()) for m, p in zip(moved, net.parameters(), strict=True)))
    change = 0.5 * drops[0]  # lr^2 * gradient * direction
    assert change > 1e-2
    assert drops[1] / drops[0] == pytest.approx((1e-3 / change) ** 0.5, rel=1e-3)


def test_damping_falls_on_its_schedule() -> None:
    optimizer = Kfac(small_network(), 0.1, damping=0.01, first_damping=1.0, damping_steps=100)
    values = []
    for step in range(300):
        optimizer.param_groups[0]["steps"] = step
        values.append(optimizer._damping())
    assert values[0] == 1.0 and values == sorted(values, reverse=True)
    # Osawa et al. 2019: each step takes 2 log10(first / last) / steps of what is left.
    assert values[1] == pytest.approx(0.96 * 1.0 + 0.04 * 0.01) and values[-1] == pytest.approx(0.01, rel=1e-2)


def test_intervals_grow_along_fibonacci_while_factors_stay_and_shrink_when_they_change() -> None:
    net = small_network()
    optimizer = Kfac(net, 0.0, factor_interval=1, inverse_interval=2, longest_stretch=8, statistics_decay=0.0)
    grown = []
    for _ in range(2 * (1 + 1 + 2 + 3 + 5 + 8) + 1):
        backward(net)
        optimizer.step()
        grown.append(optimizer.intervals()["3"])
    assert [grown[0], *(b for a, b in pairwise(grown) if a != b)] == [2, 4, 6, 10, 16]
    with torch.no_grad():
        net[3].weight.mul_(10)
    train(net, optimizer, range(20))
    assert optimizer.intervals()["3"] < 16


def test_factors_are_only_taken_where_training_needs_them() -> None:
    net = small_network()
    optimizer = Kfac(net, 0.1, factor_interval=3, inverse_interval=3, longest_stretch=1)
    train(net, optimizer, range(1))
    first = [factor.clone() for factor in optimizer.curvature()["0"]]
    net.eval()
    backward(net, 7)
    net.train()
    train(net, optimizer, range(1, 3))
    assert all(torch.equal(a, b) for a, b in zip(first, optimizer.curvature()["0"], strict=True))
    train(net, optimizer, range(3, 4))
    assert not any(torch.equal(a, b) for a, b in zip(first, optimizer.curvature()["0"], strict=True))


@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_resumed_run_takes_the_same_steps_bit_for_bit(tmp_path: Path, stop: int) -> None:
    options = {"factor_interval": 2, "inverse_interval": 3, "first_damping": 1.0, "damping_steps": 5}
    net = small_network()
    optimizer = Kfac(net, 0.1, **options)
    train(net, optimizer, range(stop))
    checkpoint.save(tmp_path / "run", {"net": net.state_dict(), "optimizer": optimizer.state_dict()})
    resumed = small_network()
    other = Kfac(resumed, 0.1, **options)
    saved = checkpoint.load(tmp_path / "run")
    resumed.load_state_dict(saved["net"])
    other.load_state_dict(saved["optimizer"])
    assert train(net, optimizer, range(stop, 12)) == train(resumed, other, range(stop, 12))
    assert equal(net, resumed)


def frames(count: int) -> list[Frame]:
    scenes = SceneSet(0, "train", count, 64, 64)
    return [scenes[index] for index in range(count)]


def detector_losses(network: Network, optimizer: Kfac, steps: int) -> list[float]:
    scenes = frames(4)
    sizes = np.concatenate([frame.boxes[:, 2:] - frame.boxes[:, :2] for frame in scenes])
    stride = network.description.stride
    anchors = anchor_boxes.cluster(sizes / stride, ANCHORS, 0)
    images = evaluate.to_real(np.stack([frame.image for frame in scenes]))
    wanted = loss.targets(scenes, anchors, stride)
    values = []
    network.train()
    for _ in range(steps):
        total = loss.losses(network(images), wanted, torch.from_numpy(anchors).float()).total
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        values.append(float(total.detach()))
    return values


@pytest.mark.parametrize("form", [Form.FLOAT, Form.QUANTISED])
def test_a_detector_learns_with_every_layer_in_its_curvature(form: Form) -> None:
    torch.manual_seed(0)
    network = Network(networks.describe("yolov2-nano"), 2, form)
    if form is not Form.FLOAT:
        network.aim(0.5)
    optimizer = Kfac(network, 0.05)
    values = detector_losses(network, optimizer, 10)
    assert values[-1] < 0.6 * values[0]
    assert optimizer.plain == []
    layers = {name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)}
    assert set(optimizer.curvature()) == layers and len(layers) == 21
    assert all(factor.isfinite().all() for factors in optimizer.curvature().values() for factor in factors)


def test_the_factor_of_a_ternary_layer_is_of_quantised_inputs() -> None:
    network = Network(networks.describe("yolov2-nano"), 2, Form.QUANTISED)
    record: dict[str, Tensor] = {}
    optimizer = Kfac(network, 0.0, positions=10**6)
    network(torch.randn(2, 3, 32, 32), record).square().mean().backward()
    optimizer.step()
    x = record["conv4"]  # the input of a 1x1 convolution
    flat = x.transpose(0, 1).flatten(1)
    torch.testing.assert_close(optimizer.curvature()["blocks.conv5.conv"][0], flat @ flat.T / flat.shape[1])


def test_two_processes_with_half_batches_equal_one_with_the_whole(tmp_path: Path) -> None:
    whole = kfac_process.network()
    values = kfac_process.descend(whole, slice(None))
    assert values[-1] < values[0]
    multiprocessing.start_processes(kfac_process.run, (2, tmp_path), nprocs=2, start_method="fork")
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for name, value in whole.state_dict().items():
        assert torch.equal(parts[0][name], parts[1][name])
        torch.testing.assert_close(parts[0][name], value, rtol=1e-9, atol=1e-12)


def test_layers_are_shared_out_by_their_cost() -> None:
    assert _owners([5, 100, 5, 60, 50], 2) == [0, 0, 0, 1, 1]
    assert _owners([1, 2], 1) == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": -0.1}, r"lr = -0.1; allowed: from 0 to"),
        ({"lr": float("nan")}, "lr = nan"),
        ({"momentum": 1.0}, "momentum = 1"),
        ({"damping": 0.0}, "damping = 0"),
        ({"damping": "much"}, "damping = much"),
        ({"first_damping": -1.0}, "first_damping = -1"),
        ({"factor_interval": 0}, "factor_interval = 0; allowed: a whole number from 1"),
        ({"inverse_interval": 2.5}, "inverse_interval = 2.5"),
        ({"statistics_decay": 1.0}, "statistics_decay = 1"),
        ({"kl_clip": 0.0}, "kl_clip = 0"),
        ({"largest_factor": 1}, "largest_factor = 1"),
    ],
)
def test_a_hyperparameter_out_of_range_is_refused_by_name(change: dict[str, float], message: str) -> None:
    with pytest.raises(SternaError, match=message):
        Kfac(small_network(), **{"lr": 0.1, **change})


def test_a_step_without_a_pass_is_refused() -> None:
    with pytest.raises(SternaError, match=r"0: there was no forward and backward pass"):
        Kfac(small_network(), 0.1).step()


def test_factors_that_are_no_numbers_are_refused_by_layer() -> None:
    net = small_network()
    optimizer = Kfac(net, 0.1)
    backward(net)
    found = optimizer._curvatures[0]
    assert isinstance(found, ConvCurvature) and found._output is not None
    found._output[0][0, 0] = float("nan")
    with pytest.raises(SternaError, match=r"0: .*damping"):
        optimizer.step()
