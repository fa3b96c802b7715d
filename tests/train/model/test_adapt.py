from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sterna.graph import networks
from sterna.graph.network import ANCHORS
from sterna.train.model import adapt
from sterna.train.model.adapt import match
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.vision import boxes

CASE = pytest.mark.case(
    "classes-of-weights-do-not-match",
    kind="unmatched weights without a word",
    expected="classes match by name, whatever their case, or by position with a word; others are said to be fresh",
    source="AlexeyAB/darknet#245",
)


@CASE
def test_classes_match_by_name(got: Callable[[object], None]) -> None:
    found = match(("green", "blue"), ("red", "green"), 2)
    assert found.places == (1, None) and found.fresh == ("blue",) and found.certain
    got("; ".join(found.notes))
    assert found.notes == ("classes with fresh weights: blue", "unused classes of the weights: red")


@CASE
def test_case_of_a_name_is_passed_over_with_a_word(got: Callable[[object], None]) -> None:
    found = match(("Green", "RED"), ("red", "green"), 2)
    assert found.places == (1, 0) and not found.fresh and found.certain
    got("; ".join(found.notes))
    assert found.notes == (
        "class Green is matched with green of the weights",
        "class RED is matched with red of the weights",
    )


def test_an_exact_name_comes_before_one_of_another_case() -> None:
    assert match(("Red", "red"), ("red", "blue"), 2).places == (None, 0)
    assert match(("ReD",), ("red", "Red"), 2).places == (None,)  # which of them is not known


@CASE
def test_without_names_classes_match_by_position(got: Callable[[object], None]) -> None:
    found = match(("red", "green"), None, 2)
    assert found.places == (0, 1) and not found.fresh and not found.certain
    got(found.notes[0])
    assert found.notes == ("classes are matched by position: red, green",)


def test_without_names_another_number_of_classes_is_fresh() -> None:
    found = match(("red", "green"), None, 3)
    assert found.places == (None, None) and found.fresh == ("red", "green")


def test_names_of_other_things_leave_the_classes_untrained() -> None:
    found = match(("nut", "bolt"), ("cat", "dog"), 2)
    assert found.places == (0, 1)  # a start that is as good as any
    assert found.fresh == ("nut", "bolt") and "nut for cat, bolt for dog" in found.notes[0]


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(networks.describe("yolov2-nano"), 3, Form.FLOAT).eval()


@torch.no_grad()
def head(network: Network, classes: int) -> torch.Tensor:
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    return network(image).unflatten(1, (ANCHORS, 5 + classes))


def test_known_classes_keep_their_weights(network: Network) -> None:
    old, new = head(network, 3), head(adapt.with_classes(network, [None, 2, 0, None]).eval(), 4)
    torch.testing.assert_close(new[:, :, :5], old[:, :, :5])
    torch.testing.assert_close(new[:, :, 6], old[:, :, 5 + 2])
    torch.testing.assert_close(new[:, :, 7], old[:, :, 5 + 0])
    for fresh in (5, 8):
        assert not any(torch.allclose(new[:, :, fresh], old[:, :, other]) for other in (5, 6, 7))


def test_other_anchors_leave_the_boxes_where_they_are(network: Network) -> None:
    old, new = [[1.0, 1.0], [2.0, 3.0], [4.0, 1.5], [5.0, 5.0], [0.5, 0.7]], [[0.8, 1.3]] * 5
    before = boxes.decode(head(network, 3).flatten(1, 2)[0].numpy(), old, threshold=0.0)
    adapt.change_anchors(network, old, new)
    after = boxes.decode(head(network, 3).flatten(1, 2)[0].numpy(), new, threshold=0.0)
    np.testing.assert_allclose(after.boxes, before.boxes, atol=1e-5)
    wrong = boxes.decode(head(network, 3).flatten(1, 2)[0].numpy(), old, threshold=0.0)
    assert np.abs(wrong.boxes - before.boxes).max() > 0.01


def test_statistics_of_images_change_no_output() -> None:
    """And are those of what the layer adds up, so that a network in training mode computes about the same."""
    torch.manual_seed(0)
    network = Network(networks.describe("yolov2-nano"), 2, Form.FLOAT).eval()
    names = [layer.name for layer, _ in network.convolutions()][:-1]
    with torch.no_grad():
        for _, conv in network.convolutions():
            conv.weight.mul_(3)
    images = torch.rand(4, 3, 64, 64) - 0.5
    before, learning = network(images), network.train()(images)
    for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        norm.reset_running_stats()
    adapt.state_statistics(network.eval(), names, images)
    assert torch.allclose(network(images), before, atol=1e-4)
    assert torch.allclose(network.train()(images), before, atol=1e-2) and not torch.allclose(learning, before, atol=0.5)


def test_statistics_of_other_layers_stay() -> None:
    network = Network(networks.describe("yolov2-nano"), 2, Form.FLOAT).eval()
    adapt.state_statistics(network, ["conv2"], torch.rand(2, 3, 32, 32))
    means = {name: value.abs().sum() for name, value in network.named_buffers() if name.endswith("running_mean")}
    assert [name for name, total in means.items() if total] == ["blocks.conv2.norm.running_mean"]
