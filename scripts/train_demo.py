"""Trains the model of the demo again and keeps it; `make train-demo`."""

from __future__ import annotations

import shutil
import sys

from sterna.cli.demo import MODEL
from sterna.cli.guard import guarded
from sterna.spec.paths import ROOT
from sterna.train import train
from sterna.train.recipes import demo
from sterna.train.run_folder import OPTIONS

RUN = ROOT / "build" / "train-demo"


def main() -> None:
    """Train, or go on with the run in build/train-demo, and copy its graph to models/."""
    options = demo(RUN)
    if (RUN / OPTIONS).is_file():
        options = options.model_copy(update={"resume": True})
    result = train(options)
    MODEL.parent.mkdir(exist_ok=True)
    shutil.copyfile(result.graph, MODEL)
    precision, density = result.summary["precision"]["integer"]["map50"], result.summary["density"]
    print(f"{MODEL}: integer mAP {precision:.3f}, density {density:.3f}")


if __name__ == "__main__":
    sys.exit(guarded(main))
