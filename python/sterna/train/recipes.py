"""The runs whose results are kept or quoted, each as the options that repeat it.

Weights repeat to the last bit only with the same number of threads. One is the default and hardly slower than two:
the next batch of images is made on another core meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sterna.train.data.options import SCENES
from sterna.train.options import Precision, TrainOptions, parse


def demo(output: Path, threads: int = 1) -> TrainOptions:
    """The nano of the demonstration: generated street scenes at 160x160."""
    return parse(
        network="yolov2-nano",
        data=SCENES,
        height=160,
        width=160,
        float_epochs=6,
        ternary_epochs=9,
        quantised_epochs=2,
        integer_epochs=3,
        density=0.2,
        evaluate_every=2,
        seed=0,
        threads=threads,
        output=output,
    )


def bccd(folder: Path, output: Path, **changes: Any) -> TrainOptions:
    """A nano for blood cells: the BCCD data set, a Pascal VOC folder, train split to test split; with `changes`."""
    options: dict[str, Any] = {
        "network": "yolov2-nano",
        "data": str(folder),
        "height": 192,
        "width": 256,
        "batch": 8,
        "float_epochs": 0 if "start" in changes else 60,
        "ternary_epochs": 24,
        "quantised_epochs": 4,
        "integer_epochs": 4,
        "float_rate": 2e-3,
        "ternary_rate": 1.5e-3,
        "density": 0.15,
        "pattern": "balanced",
        "evaluate_every": 12,
        "seed": 0,
        "threads": 1,
        "output": output,
    }
    return parse(**options | changes)


def harder(data: str, output: Path, **changes: Any) -> TrainOptions:
    """A nano for `data` on which float is far from perfect, TollRoad's folder or HARD_SCENES; with `changes`.

    Short, as it is meant for a processor.
    """
    options: dict[str, Any] = {
        "network": "yolov2-nano",
        "data": data,
        "height": 160,
        "width": 160,
        "float_epochs": 0 if "start" in changes else 12,
        "ternary_epochs": 6,
        "quantised_epochs": 1,
        "integer_epochs": 1,
        "density": 0.15,
        "pattern": "balanced",
        "train_scenes": 1000,
        "evaluate_every": 12,
        "seed": 0,
        "threads": 1,
        "output": output,
    }
    return parse(**options | changes)


#: Lengths of the stages of full YOLOv2, and its batch: on many images that are all different, and on fewer, more of
#: shorter epochs.
MANY_IMAGES = {"float_epochs": 16, "ternary_epochs": 10, "quantised_epochs": 2, "integer_epochs": 2, "batch": 16}
THOUSAND_IMAGES = {"float_epochs": 30, "ternary_epochs": 14, "quantised_epochs": 2, "integer_epochs": 2, "batch": 16}
FEW_IMAGES = {"float_epochs": 100, "ternary_epochs": 48, "quantised_epochs": 6, "integer_epochs": 6, "batch": 8}


def yolov2(data: str, lengths: dict[str, int], output: Path, **changes: Any) -> TrainOptions:
    """Full YOLOv2 at 416x416 for `data`, a data set's folder or one of GENERATED, on a GPU; with `changes`.

    lengths: one of those above. The first layer has 3 bits, since each digit of its weights is an addition and it has
    the largest map. Runs need not repeat: `deterministic` is left out for speed.
    """
    options: dict[str, Any] = {
        "network": "yolov2",
        "data": data,
        "height": 416,
        "width": 416,
        **lengths,
        "float_epochs": 0 if "start" in changes else lengths["float_epochs"],
        "float_rate": 1e-3,
        "ternary_rate": 1e-3,
        "first_bits": 3,
        "density": 0.15,
        "pattern": "balanced",
        "evaluate_every": 24,
        "precision": Precision.BF16,
        "deterministic": False,
        "seed": 0,
        "output": output,
    }
    return parse(**options | changes)
