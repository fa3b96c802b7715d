"""A network of your own: describe it, train it for a moment, and run it on the simulated engine.

`python examples/new_network.py RUN`. The first simulation builds the simulator, which takes about a minute.
"""

import sys

import sterna


@sterna.networks.register("pyramid")
def pyramid():
    """Six convolutions, the first of 8 bits and the others ternary, and cells of 16 pixels."""
    trunk = sterna.Trunk()
    for filters in (8, 16, 24, 32):
        trunk.conv(filters, 3)
        trunk.pool()
    trunk.conv(16, 1)
    trunk.conv(32, 3)
    return trunk.head()


if __name__ == "__main__":
    short = {f"{stage}_epochs": 1 for stage in ("float", "ternary", "quantised", "integer")}
    short |= {"train_scenes": 16, "val_scenes": 2, "test_scenes": 2, "height": 64, "width": 64}
    trained = sterna.train(network="pyramid", output=sys.argv[1], **short)
    package = sterna.compile(trained.graph, trace=True)
    image = sterna.prepare(package.graph, sterna.scene(1))[None]
    compared = sterna.compare("reference:", "sim:", package, image)
    print("bit-identical" if compared.equal else compared.first)
