"""Describe a network of your own, train it for a moment, and run it on the simulated engine."""

import sys

import sterna


@sterna.networks.register("mine")
def mine() -> sterna.NetworkDescription:
    """Three ternary convolutions after the first one, each followed by pooling."""
    trunk = sterna.Trunk()
    for filters in (16, 24, 32):
        trunk.conv(filters, 3)
        trunk.pool()
    trunk.conv(48, 3)
    return trunk.head()


if __name__ == "__main__":
    epochs = {f"{stage}_epochs": 1 for stage in ("float", "ternary", "quantised", "integer")}
    trained = sterna.train(
        network="mine",
        height=64,
        width=64,
        density=0.3,
        train_scenes=32,
        val_scenes=4,
        test_scenes=4,
        output=sys.argv[1],
        **epochs,
    )
    package = sterna.compile(trained.graph, trace=True)
    image = sterna.prepare(package.graph, sterna.scene(1))[None]
    compared = sterna.compare("reference:", "sim:", package, image)
    print("bit-identical:", compared.equal_layers)
