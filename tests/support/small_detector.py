"""An untrained nano in all forms on small scenes, for tests that need a real detector and not a good one."""

from __future__ import annotations

import numpy as np
import torch

from sterna.graph import Graph, networks
from sterna.train.data.scenes import SceneSet
from sterna.train.data.street import CLASSES
from sterna.train.model import export
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.report import evaluate

ANCHORS = [[1.0, 2.0], [2.0, 1.0], [3.0, 2.0], [2.0, 4.0], [5.0, 4.0]]
SIZE = 64


def small_scenes(count: int = 4) -> SceneSet:
    """Scenes of SIZE x SIZE."""
    return SceneSet(0, "test", count, SIZE, SIZE)


def small_network(scenes: SceneSet, form: Form = Form.QUANTISED) -> Network:
    """A nano with random weights, normalisation of every sign and statistics of real images."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # tests that trained before may have set more; the order of sums decides at step edges
    made = Network(networks.describe("yolov2-nano"), len(CLASSES), form)
    for name, tensor in made.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.normal_(tensor, 0.0, 1.0)
        elif name.endswith("norm.bias"):
            torch.nn.init.normal_(tensor, 0.0, 0.5)
    if form is not Form.FLOAT:
        made.aim(0.3)
    images = np.stack([scenes[index].image for index in range(len(scenes))])
    with torch.no_grad():
        for _ in range(30):
            made(evaluate.to_real(images))
    return made.eval()


def small_graph(network: Network) -> Graph:
    """The integer graph of the quantised `network`."""
    return export.to_graph(network, ANCHORS, CLASSES, SIZE, SIZE)
