"""docs/results/training_speed_gpu.json: as training_speed, on a GPU."""

from __future__ import annotations

import sys

import torch

from results import gpu
from results.makers.training_speed import Case, measure, slowest
from results.record import write
from sterna.cli.guard import guarded
from sterna.train.options import Precision

CASES = [
    Case(network, height, width, batch, 20, precision)
    for network, height, width, batch in (("yolov2-tiny", 416, 416, 64), ("yolov2", 416, 416, 32))
    for precision in (Precision.FP32, Precision.BF16)
]


def main() -> None:
    """Take the steps of all forms in turn; raises SternaError without a GPU."""
    device = gpu.device()
    rows = [row for case in CASES for row in measure(case, device)]
    clock = f"time on {torch.cuda.get_device_name(device)}"
    metrics = {
        f"slowest_{precision}": slowest([row for row in rows if row["precision"] == precision], clock, f", {precision}")
        for precision in (Precision.FP32, Precision.BF16)
    }
    write("training_speed_gpu", metrics, command="make results-training_speed_gpu", seed=0, rows=rows)


if __name__ == "__main__":
    sys.exit(guarded(main))
