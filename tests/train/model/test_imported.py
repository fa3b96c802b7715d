from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph import networks
from sterna.importers.darknet import load
from sterna.importers.importer import Imported
from sterna.train.model.form import Form
from sterna.train.model.imported import to_network
from sterna.train.model.network import Network
from support.darknet_networks import VOC_ANCHORS, random_weights


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    described = for_darknet(networks.describe("yolov2-nano"), VOC_ANCHORS, 2, 32, 32)
    write_cfg(described, tmp_path / "nano.cfg")
    write_weights(random_weights(described), tmp_path / "nano.weights")
    return load(tmp_path / "nano.cfg", tmp_path / "nano.weights")


def test_every_array_is_where_it_belongs(imported: Imported) -> None:
    network = to_network(imported)
    assert network.form is Form.FLOAT and not network.training
    for layer, convolution in network.convolutions():
        stored, norm = imported.weights[layer.name], network.normalisation(layer)
        pairs = [(convolution.weight, stored.weights)]
        if norm is None:
            pairs.append((convolution.get_parameter("bias"), stored.biases))
        else:
            assert stored.norm is not None
            pairs += [
                (norm.weight, stored.norm.scales),
                (norm.bias, stored.biases),
                (norm.get_buffer("running_mean"), stored.norm.means),
                (norm.get_buffer("running_var"), stored.norm.variances),
            ]
        for mine, read in pairs:
            np.testing.assert_array_equal(mine.detach().numpy(), read)


def test_layers_without_weights_get_those_of_a_new_network(imported: Imported) -> None:
    partial = Imported(
        imported.described, None, {"conv1": imported.weights["conv1"]}, fresh=("the others",), changes=()
    )
    torch.manual_seed(3)
    network = to_network(partial).state_dict()
    torch.manual_seed(3)
    fresh = Network(imported.described.network, 2, Form.FLOAT).state_dict()
    for name, values in network.items():
        assert torch.equal(values, fresh[name]) == (".conv1." not in name or "num_batches" in name), name
