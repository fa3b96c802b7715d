"""A network that is computed in parts of a batch learns what it learns from the whole batch."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from sterna.graph import networks
from sterna.graph.layers import Concat, MaxPool, Reorg
from sterna.graph.network import Add, Conv, Head, NetworkDescription
from sterna.train.model import network as network_module
from sterna.train.model import parts, quantisers
from sterna.train.model.form import Form
from sterna.train.model.network import Network

IMAGES = 6
#: Of a sum in double precision; gradients of a network in integer form are floats.
CLOSE = {torch.float64: 1e-9, torch.float32: 1e-5}
#: All that may follow a convolution, a pool alone or among others, and strides, sides, groups.
MIXED = NetworkDescription((
    Conv("a", "image", 6, 3, bits=8), MaxPool("pa", "a", 2),
    Conv("b", "pa", 8, 3, groups=2, shares="s"), Conv("c", "b", 8, 1, activation="linear", shares="s"),
    Add("sum", ("b", "c")), MaxPool("ps", "sum", 1, padding=(0, 0, 1, 1)),
    Conv("d", "ps", 8, 3, stride=2, padding=(0, 0, 1, 1), activation="relu"),
    Conv("e", "ps", 4, 3, shares="r"), Reorg("re", "e"), Conv("f", "d", 8, 3, shares="r"), Concat("both", ("re", "f")),
    Head("head", "both", anchors=2),
))  # fmt: skip


@pytest.fixture(autouse=True)
def ties_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of equal values a pool takes the first, and so of those that differ only by the order of sums.

    Quantised activations make many equal sums. The gradient goes to one of them, whichever rounding has raised.
    """

    def pool(layer: MaxPool, x: Tensor) -> Tensor:
        rounded = (x.detach() * 2**20).round() / 2**20
        return right(layer, quantisers.straight_through(rounded, x))

    right = network_module.max_pool
    monkeypatch.setattr(network_module, "max_pool", pool)
    monkeypatch.setitem(network_module._COMPUTE, MaxPool, pool)


class Learnt(NamedTuple):
    """What a step has found."""

    output: Tensor
    grads: Tensor
    buffers: Tensor


def learn(description: NetworkDescription, form: Form, part: int | None, frozen: tuple[str, ...] = ()) -> Learnt:
    """One pass forward and back of six images."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = Network(description, 2, form)
    dtype = torch.float32 if form is Form.INTEGER else torch.float64
    images = torch.rand(IMAGES, 3, 64, 64, dtype=dtype) * 2 - 1
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias, 0, 0.3)
    if form is not Form.FLOAT:
        network.aim(0.4)
        network.form = Form.TERNARY
        network(images.float())  # the ranges of activations
        network.form = form
    network.to(dtype)
    network.freeze(frozen)
    network.parts = {} if part is None else {layer.name: part for layer in description.convolutions if
                                             isinstance(layer, Conv)}  # fmt: skip
    output = network(images)
    (output * torch.randn(output.shape, dtype=dtype)).sum().backward()
    grads = [torch.zeros(1) if each.grad is None else each.grad.flatten() for each in network.parameters()]
    return Learnt(
        output.detach(), torch.cat(grads), torch.cat([each.flatten().to(dtype) for each in network.buffers()])
    )


def apart(mine: Learnt, theirs: Learnt) -> list[float]:
    """Relative differences of output, gradients and statistics."""
    return [float((a - b).norm() / b.norm()) for a, b in zip(mine, theirs, strict=True)]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("description", [networks.describe("yolov2-nano"), MIXED], ids=["nano", "mixed"])
def test_parts_learn_what_the_whole_batch_learns(description: NetworkDescription, form: Form) -> None:
    whole = learn(description, form, None)
    for part in (1, 4, IMAGES):  # the last part of 4 is smaller
        mine = learn(description, form, part)
        assert max(apart(mine, whole)) < CLOSE[whole.output.dtype], part


def test_frozen_layers_keep_their_statistics() -> None:
    whole, mine = (learn(MIXED, Form.FLOAT, part, frozen=("a", "b")) for part in (None, 2))
    assert max(apart(mine, whole)) < CLOSE[torch.float64]


def test_a_part_that_is_normalised_by_itself_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = learn(MIXED, Form.FLOAT, None)
    right = parts._statistics

    def of_one_part(convolve: parts.Compute, part: int, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, int, None]:
        return *right(convolve, part, x[:part], weight)[:3], None

    monkeypatch.setattr(parts, "_statistics", of_one_part)
    assert min(apart(learn(MIXED, Form.FLOAT, 2), whole)) > 1e-3


def test_gradients_of_statistics_that_are_left_out_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = learn(MIXED, Form.FLOAT, None)
    right = parts._Totals.found

    def found(totals: parts._Totals) -> list[Tensor | None]:
        """Nothing of mean and variance, which come before what normalised values are multiplied by and added."""
        piece, *shared = right(totals)
        return (
            [piece, *(torch.zeros_like(each) for each in shared[:2]), *shared[2:]]
            if len(shared) == 4
            else [piece, *shared]
        )

    monkeypatch.setattr(parts._Totals, "found", found)
    output, grads, _ = apart(learn(MIXED, Form.FLOAT, 2), whole)
    assert output < CLOSE[torch.float64] and grads > 1e-3


def test_nobody_sees_parts_where_all_layers_are_recorded() -> None:
    network = Network(MIXED, 2, Form.FLOAT)
    network.parts = {"a": 1}
    record: dict[str, Tensor] = {}
    network(torch.rand(2, 3, 64, 64), record)
    assert set(record) == {layer.name for layer in MIXED.layers} and record["a"].shape[-1] == 64
