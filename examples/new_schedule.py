"""A schedule of your own for the density: a straight line down to the target, reached after most of the stage.

`python examples/new_schedule.py RUN` trains with it for a moment and prints how the density fell.
"""

import json
import sys
from pathlib import Path

import sterna


@sterna.schedules.register("straight")
def straight(share, target):
    """The density to aim at after `share` 0..1 of the ternary stage."""
    return max(target, 1.0 - (1.0 - target) * share / 0.8)


if __name__ == "__main__":
    lengths = {"float_epochs": 1, "ternary_epochs": 4, "quantised_epochs": 1, "integer_epochs": 1}
    short = {"train_scenes": 16, "val_scenes": 2, "test_scenes": 2, "height": 64, "width": 64}
    sterna.train(schedule="straight", density=0.2, output=sys.argv[1], **lengths, **short)
    for line in json.loads(Path(sys.argv[1], "log.json").read_text()):
        if line["stage"] == "ternary":
            print(f"epoch {line['epoch']}: density {line['density']:.2f}")
