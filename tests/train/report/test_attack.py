"""An attack raises the loss more than chance does, within its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from sterna.train.data import Frame
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim import loss
from sterna.train.report.attack import Attack
from sterna.train.report.evaluate import to_real
from support.small_detector import ANCHORS, small_network, small_scenes

LEVELS = 4


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    scenes = small_scenes(3)
    return [scenes[index] for index in range(3)]


@pytest.fixture(scope="module", params=[Form.FLOAT, Form.QUANTISED])
def network(request: pytest.FixtureRequest) -> Network:
    return small_network(small_scenes(), request.param)


def loss_of(network: Network, images: np.ndarray, frames: Sequence[Frame]) -> torch.Tensor:
    wanted = loss.targets(frames, np.asarray(ANCHORS), network.description.stride)
    return loss.losses(network(to_real(images)), wanted, torch.tensor(ANCHORS)).total


def pixels(frames: Sequence[Frame]) -> np.ndarray:
    return np.stack([frame.image for frame in frames])


def test_an_attack_raises_the_loss_more_than_noise_of_the_same_size(network: Network, frames: list[Frame]) -> None:
    attacked = pixels(Attack(network, ANCHORS, LEVELS)(frames))
    changes = attacked.astype(int) - pixels(frames)
    assert 0 < np.abs(changes).max() <= LEVELS and np.abs(changes).mean() > LEVELS / 2
    signs = np.random.default_rng(0).choice([-LEVELS, LEVELS], changes.shape)
    noisy = (pixels(frames) + signs).clip(0, 255).astype(np.uint8)
    with torch.no_grad():
        plain, random, worst = (loss_of(network, images, frames).item() for images in (pixels(frames), noisy, attacked))
    assert worst > plain + 3 * abs(random - plain)


def test_labels_and_weights_stay(network: Network, frames: list[Frame]) -> None:
    attacked = Attack(network, ANCHORS, 1)(frames)
    for mine, theirs in zip(attacked, frames, strict=True):
        assert (mine.boxes == theirs.boxes).all() and mine.image.dtype == np.uint8
    assert all(each.grad is None for each in network.parameters())


def test_a_single_step_goes_along_the_sign_of_the_gradient(frames: list[Frame]) -> None:
    network = small_network(small_scenes(), Form.FLOAT)
    images = to_real(pixels(frames)).requires_grad_()
    wanted = loss.targets(frames, np.asarray(ANCHORS), network.description.stride)
    loss.losses(network(images), wanted, torch.tensor(ANCHORS)).total.backward()
    assert images.grad is not None
    signs = images.grad.sign().permute(0, 2, 3, 1).numpy().astype(int)
    expected = (pixels(frames) + LEVELS * signs).clip(0, 255)
    assert (pixels(Attack(network, ANCHORS, LEVELS, steps=1)(frames)) == expected).all()


def test_an_attack_that_descends_would_be_noticed(network: Network, frames: list[Frame]) -> None:
    """The other way along the same gradients lowers the loss."""
    attacked = pixels(Attack(network, ANCHORS, LEVELS, steps=1)(frames)).astype(int)
    other = (2 * pixels(frames).astype(int) - attacked).clip(0, 255).astype(np.uint8)
    with torch.no_grad():
        assert loss_of(network, other, frames) < loss_of(network, pixels(frames), frames)
