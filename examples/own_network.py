"""Describe a network of your own, train it for a moment, and run it on the simulated engine."""

import sys

import sterna
from sterna.graph.layers import MaxPool
from sterna.graph.network import Conv, Head, NetworkDescription
from sterna.graph.networks import NETWORKS

NETWORKS["mine"] = lambda: NetworkDescription(
    (
        Conv("conv1", "image", 16, 3, bits=8),
        MaxPool("pool1", "conv1", 2),
        Conv("conv2", "pool1", 24, 3),
        MaxPool("pool2", "conv2", 2),
        Conv("conv3", "pool2", 32, 3, activation="relu"),
        MaxPool("pool3", "conv3", 2),
        Head("head", "pool3", anchors=2),
    )
)

if __name__ == "__main__":
    epochs = {f"{stage}_epochs": 1 for stage in ("float", "ternary", "quantised", "integer")}
    trained = sterna.train(
        network="mine", height=64, width=64, train_scenes=32, val_scenes=4, test_scenes=4, output=sys.argv[1], **epochs
    )
    package = sterna.compile(trained.graph, trace=True)
    image = sterna.prepare(package.graph, sterna.scene(1))[None]
    compared = sterna.compare("reference:", "sim:", package, image)
    print("bit-identical:", compared.equal_layers)
