"""Noise on the weights is as large as it says, of the shape that it says, and gone after the pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sterna.train import distributed
from sterna.train.data.scenes import SceneSet
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import Batch, collate
from sterna.train.model.form import Form
from sterna.train.optim.kfac import Kfac
from sterna.train.optim.noise import Noise, of_filters
from sterna.train.options import parse
from support.small_detector import ANCHORS, SIZE, small_network, small_scenes


def generators() -> Callable[[], torch.Generator]:
    seeds = iter(range(10**6))
    return lambda: torch.Generator().manual_seed(next(seeds))


def test_noise_is_a_share_of_each_filter() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(32, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    network[2].requires_grad_(False)
    weight = network[0].weight
    weight.data[1] *= 10
    drawn = of_filters(network, 0.1)(torch.Generator().manual_seed(1))
    assert drawn.keys() == {weight}, "what is not a trained convolution is left alone"
    share = drawn[weight].flatten(1).norm(dim=1) / weight.flatten(1).norm(dim=1)
    assert ((share - 0.1).abs() < 0.02).all() and len(set(share.tolist())) == 4
    noise, along = drawn[weight].detach(), weight.detach()
    assert abs(float((noise * along).sum() / along.norm() / noise.norm())) < 0.2


def test_weights_are_what_they_were_even_if_the_pass_fails() -> None:
    conv = nn.Conv2d(3, 4, 3)
    before, noise = conv.weight.detach().clone(), Noise(of_filters(conv, 0.5), 7)
    seen = []
    with pytest.raises(ValueError, match="in the pass"), noise.added():
        seen.append(conv.weight.detach().clone())
        raise ValueError("in the pass")
    assert torch.equal(conv.weight, before) and not torch.equal(seen[0], before)
    with noise.added():
        assert not torch.equal(conv.weight, seen[0]), "the same noise twice"
    again = Noise(of_filters(conv, 0.5), 7)
    with again.added():
        assert torch.equal(conv.weight, seen[0])


def test_each_process_has_noise_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    conv = nn.Conv2d(3, 4, 3)
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        with Noise(of_filters(conv, 0.5), 7).added():
            seen.append(conv.weight.detach().clone())
    assert not torch.equal(*seen)


def observed(network: nn.Module, variational: float, **options: int) -> Kfac:
    """K-FAC that has seen a batch of `network` and taken no step from it."""
    optimiser = Kfac(network, 0.0, weight_decay=0.0, damping=0.3, variational=variational, **options)
    network(torch.randn(16, 3, 6, 6, dtype=torch.float64)).square().sum((1, 2, 3)).mean().backward()
    optimiser.step()
    return optimiser


def covariance(draws: list[Tensor]) -> Tensor:
    """Of samples of one parameter."""
    flat = torch.stack([each.flatten() for each in draws])
    return flat.T @ flat / len(flat)


@pytest.mark.parametrize("largest", [2048, 16])
def test_noisy_kfac_draws_with_the_inverse_fisher_matrix_as_covariance(largest: int) -> None:
    """A (x) G inverted, block by block where factors are cut, and the 2x2 matrices of a normalisation."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 3, 3, bias=False), nn.BatchNorm2d(3)).double()
    optimiser, new = observed(network, 0.01, largest_factor=largest), generators()
    draws = [optimiser.draw(new()) for _ in range(6000)]
    weight, scale, shift = network[0].weight, network[1].weight, network[1].bias
    conv, norm = (optimiser.state[each]["inverses"] for each in (weight, scale))
    inputs, outputs = torch.block_diag(*conv[:-1]), conv[-1]
    assert len(conv) == (2 if largest > 27 else 4)
    wanted = 0.01 * torch.kron(outputs, inputs)
    found = covariance([each[weight] for each in draws])
    assert (found - wanted).norm() < 0.15 * wanted.norm()
    assert (found - 0.01 * torch.eye(len(found)) * wanted.diagonal().mean()).norm() > 0.5 * wanted.norm(), "round"
    both = torch.stack([torch.stack([each[scale], each[shift]], -1) for each in draws])  # [draws, channels, 2]
    found = torch.einsum("nci,ncj->cij", both, both) / len(both)
    assert (found - 0.01 * norm[0]).norm() < 0.1 * (0.01 * norm[0]).norm()


def test_nothing_is_drawn_before_the_curvature_is_known() -> None:
    assert not Kfac(nn.Conv2d(3, 3, 3), 0.1, variational=0.5).draw(torch.Generator())


def batch() -> Batch:
    scenes = SceneSet(0, "train", 4, SIZE, SIZE)
    return collate([scenes[index] for index in range(4)], ANCHORS, 16)


CHANGES = ({"smoothing": 0.1}, {"optimiser": "kfac", "variational": 0.01}, {"optimiser": "kfac", "smoothing": 0.1})


def learner(**changes: object) -> Learner:
    network = small_network(small_scenes(), Form.FLOAT).train()
    torch.manual_seed(3)
    options = parse(output=Path("unused"), batch=4, **changes)
    return Learner(network, ANCHORS, None, options.optimiser, options)


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_step_takes_its_gradient_where_the_noise_has_put_the_weights(changes: dict[str, object]) -> None:
    mine, plain = learner(**changes), learner(**changes | {"smoothing": 0, "variational": 0})
    for each in (mine, plain):
        each.step([batch()], 0.0)  # K-FAC knows the curvature then
    weight = mine.network.convolution(mine.network.description.convolutions[0]).weight
    before = weight.detach().clone()
    losses = [each.step([batch()], 0.0) for each in (mine, plain)]
    assert losses[0] != losses[1] and sum(losses[0]) == pytest.approx(sum(losses[1]), rel=0.5)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_learner_that_is_restored_draws_what_it_would_have_drawn(changes: dict[str, object]) -> None:
    first = learner(**changes)
    first.step([batch()], 1e-3)
    second = learner(**changes)
    second.restore(first.state())
    assert first.step([batch()], 1e-3) == second.step([batch()], 1e-3)
