"""Adapts a trained float network to other classes and anchors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from sterna.graph.network import BOX_FIELDS, Head
from sterna.train.model.form import Form
from sterna.train.model.network import Network

WIDTH = 2  # the field of a box that holds the logarithm of its width in anchors; that of its height follows


@dataclass(frozen=True)
class Match:
    """Which class of a trained network each wanted class is: its place there, or None for one that is not known.

    fresh: the classes that the network has not learnt. certain: whether the others are known by their names. notes:
    what a person should know of it, a sentence each.
    """

    places: tuple[int | None, ...]
    fresh: tuple[str, ...]
    certain: bool
    notes: tuple[str, ...]


def match(classes: Sequence[str], known: Sequence[str] | None, count: int) -> Match:
    """Match the wanted `classes` with the `count` ones of a network, whose names are `known` or not.

    By name; else by name whatever its case; and if no name is known or fits and there are as many, by position.
    """
    in_order = tuple(range(count))
    if known is None and len(classes) == count:
        return Match(in_order, (), False, (f"classes are matched by position: {', '.join(classes)}",))
    places, notes = _by_name(classes, known or ())
    fresh = tuple(name for name, place in zip(classes, places, strict=True) if place is None)
    if len(fresh) == len(classes) == count:
        pairs = ", ".join(f"{new} for {old}" for new, old in zip(classes, known or (), strict=True))
        return Match(in_order, fresh, True, (f"no class name is in the weights; by position they start as {pairs}",))
    if fresh:
        notes.append(f"classes with fresh weights: {', '.join(fresh)}")
    left = [name for index, name in enumerate(known or ()) if index not in places]
    if left:
        notes.append(f"unused classes of the weights: {', '.join(left)}")
    return Match(tuple(places), fresh, True, tuple(notes))


def _by_name(classes: Sequence[str], known: Sequence[str]) -> tuple[list[int | None], list[str]]:
    places = [known.index(name) if name in known else None for name in classes]
    folded = [name.casefold() for name in known]
    notes = []
    for index, name in enumerate(classes):
        if places[index] is None and folded.count(name.casefold()) == 1:
            place = folded.index(name.casefold())
            if place not in places:
                places[index] = place
                notes.append(f"class {name} is matched with {known[place]} of the weights")
    return places, notes


@torch.no_grad()
def with_classes(source: Network, places: Sequence[int | None]) -> Network:
    """`source`, a float network, with a last layer for as many classes as `places`; all other parameters are the same.

    In the last layer, boxes and objectness are kept, and of each place the class of `source`; where it is None, the
    class has fresh weights from PyTorch's random generator.
    """
    head = source.description.last
    parts, fields = (head.anchors, BOX_FIELDS) if isinstance(head, Head) else (1, 0)
    assert source.form is Form.FLOAT
    made = Network(source.description, len(places), Form.FLOAT)
    fresh = made.state_dict()  # shares the parameters of `made`
    for key, values in source.state_dict().items():
        if not key.startswith(f"blocks.{head.name}."):
            fresh[key].copy_(values)
            continue
        old, new = (part.unflatten(0, (parts, -1)) for part in (values, fresh[key]))
        new[:, :fields] = old[:, :fields]
        for index, place in enumerate(places):
            if place is not None:
                new[:, fields + index] = old[:, fields + place]
    return made


@torch.no_grad()
def state_statistics(network: Network, names: Collection[str], images: Tensor) -> None:
    """Give the normalisation of the layers `names` the statistics of their sums on `images`; no output changes.

    network: float, in eval mode. images: [N, 3, H, W] as it reads them. Training normalises by the statistics of a
    batch, which then are about those that the weights expect.
    """
    hooks = []
    for layer, conv in network.convolutions():
        norm = network.normalisation(layer)
        if layer.name in names and norm is not None:
            hooks.append(conv.register_forward_hook(partial(_state, norm)))
    network(images)
    for hook in hooks:
        hook.remove()


def _state(norm: nn.BatchNorm2d, module: nn.Module, given: object, sums: Tensor) -> None:
    """Give `norm` the statistics of `sums` [N, F, H, W], with a scale and shift that make up for them."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    means, variances = sums.mean((0, 2, 3)), sums.var((0, 2, 3), correction=0)
    factor = norm.weight / torch.sqrt(variance + norm.eps)
    norm.bias.add_(factor * (means - mean))
    norm.weight.copy_(factor * torch.sqrt(variances + norm.eps))
    mean.copy_(means)
    variance.copy_(variances)


@torch.no_grad()
def change_anchors(network: Network, old: Sequence[Sequence[float]], new: Sequence[Sequence[float]]) -> None:
    """Let the float `network`, trained with the anchors `old`, find the same boxes with the anchors `new`.

    old, new: pairs of width and height, equally many. A box is the exponential of two outputs of the head in anchors,
    so that a shift of their biases does it.
    """
    head = network.description.head
    bias = network.blocks[head.name].get_parameter("bias").view(head.anchors, -1)
    bias[:, WIDTH : WIDTH + 2] += torch.log(torch.tensor(old) / torch.tensor(new))
