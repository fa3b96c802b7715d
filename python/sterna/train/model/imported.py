"""The float network from an importer, as a module."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sterna.importers.importer import Imported, Values
from sterna.train.model.form import Form
from sterna.train.model.network import Network


@torch.no_grad()
def to_network(imported: Imported) -> Network:
    """The float network of `imported`, in eval mode; a layer without normalisation has one that changes nothing.

    Layers without weights get fresh ones from PyTorch's random generator.
    """
    network = Network(imported.described.network, imported.described.classes, Form.FLOAT).eval()
    for layer, convolution in network.convolutions():
        stored = imported.weights.get(layer.name)
        if stored is None:
            continue
        _fill(convolution.weight, stored.weights)
        norm = network.normalisation(layer)
        if norm is None:
            _fill(convolution.get_parameter("bias"), stored.biases)
            continue
        _fill(norm.bias, stored.biases)
        if stored.norm is None:  # an identity; PyTorch starts with means of 0 and variances of 1
            norm.weight.fill_(math.sqrt(1 + norm.eps))
            continue
        _fill(norm.weight, stored.norm.scales)
        _fill(norm.get_buffer("running_mean"), stored.norm.means)
        _fill(norm.get_buffer("running_var"), stored.norm.variances)
    return network


@torch.no_grad()
def _fill(target: Tensor, values: Values) -> None:
    target.copy_(torch.from_numpy(values))
