"""A pattern of zeros of your own: at most two nonzeros among any four neighbours of a filter.

`python examples/new_pattern.py RUN` trains with it for a moment and says what it costs on the engine.
"""

import sys

import numpy as np

import sterna


@sterna.patterns.register("two-of-four")
class TwoOfFour(sterna.TernaryWeightQuant):
    """Keeps the two largest of each four weights, whatever the density."""

    def thresholds(self, relative, density):
        """Of each weight; `relative` has the magnitudes [filters, weights of a filter]."""
        fours = relative.unflatten(1, (-1, 4))
        return fours.kthvalue(2, dim=2).values.repeat_interleave(4, dim=1)


if __name__ == "__main__":
    short = {f"{stage}_epochs": 1 for stage in ("float", "ternary", "quantised", "integer")}
    short |= {"train_scenes": 16, "val_scenes": 2, "test_scenes": 2, "height": 64, "width": 64}
    trained = sterna.train(pattern="two-of-four", density=0.5, output=sys.argv[1], **short)
    package = sterna.compile(trained.graph)
    weights = package.graph["conv4"].weights
    print("most nonzeros in four:", np.count_nonzero(weights.reshape(-1, 4), axis=1).max())
    print(f"{package.schedule.queued_cycles:,} cycles per frame")
