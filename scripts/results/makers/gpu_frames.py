"""docs/results/gpu_frames.json: frames per second of full YOLOv2 in floating point on a GPU, with PyTorch.

Weights are random, which costs the same time as trained ones. Batch normalisation is folded into the convolutions. The
images are in the GPU's memory already, and boxes are not decoded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from results import gpu
from results.record import Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.graph import networks
from sterna.train.model.form import Form
from sterna.train.model.network import ConvBlock, Network
from sterna.train.options import Precision
from sterna.train.report.evaluate import to_real

NETWORK, SIDE, CLASSES, SEED = "yolov2", 416, 20, 0
TYPES = {Precision.FP32: torch.float32, Precision.FP16: torch.float16}
WARM_UP, RUNS, STEPS = 50, 7, 200


class Case(NamedTuple):
    """What is measured. graph: the GPU replays a recording of its work, so that the CPU need not launch it anew."""

    precision: Precision
    batch: int
    graph: bool

    @property
    def name(self) -> str:
        """The name of its metric."""
        return f"{self.precision.value}_batch{self.batch}" + "_graph" * self.graph

    @property
    def told(self) -> str:
        """The same in words."""
        how = "with" if self.graph else "without"
        return f"YOLOv2-{SIDE}, {self.precision.value.upper()}, batch {self.batch}, {how} a CUDA graph"


CASES = [
    Case(precision, batch, graph)
    for precision, batch in ((Precision.FP32, 1), (Precision.FP16, 1), (Precision.FP16, 64))
    for graph in (False, True)
]


def main() -> None:
    """Measure and write; raises SternaError without a GPU."""
    device = gpu.device()
    torch.backends.cudnn.benchmark = True
    rows = []
    for case in CASES:
        rows.append(measure(case, device))
        print(rows[-1], flush=True)
    method = (
        f"median of {RUNS} runs of {STEPS} forward passes on {torch.cuda.get_device_name(device)}, "
        f"PyTorch {torch.__version__}, batch normalisation folded, images in the GPU's memory, boxes not decoded"
    )
    metrics = {
        case.name: Metric(what=case.told, value=float(row["frames_per_s"]), unit="frames/s", method=method)
        for case, row in zip(CASES, rows, strict=True)
    }
    write("gpu_frames", metrics, command="make results-gpu_frames", seed=SEED, rows=rows)


def measure(case: Case, device: torch.device) -> TableRow:
    """The row of `case`, measured on `device`."""
    torch.manual_seed(SEED)
    network = Network(networks.describe(NETWORK), CLASSES, Form.FLOAT)
    with torch.inference_mode():
        work = prepared(network, case, (SIDE, SIDE), device)
        frames = rate(work, case.batch, clock_of(device))
    return {
        "precision": case.precision.value,
        "batch": case.batch,
        "cuda_graph": case.graph,
        "frames_per_s": round(frames, 1),
    }


def prepared(network: Network, case: Case, size: tuple[int, int], device: torch.device) -> Callable[[], object]:
    """A forward pass of `network`, which is changed, as `case` has it, on random images of `size`, height and width."""
    folded(network).to(device, TYPES[case.precision], memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels = np.random.default_rng(SEED).integers(0, 256, (case.batch, *size, 3), np.uint8)
    images = to_real(pixels, device).to(TYPES[case.precision])
    return recorded(network, images) if case.graph else lambda: network(images)


def folded(network: Network) -> Network:
    """`network`, a float one, with batch normalisation folded into its convolutions, for evaluation only."""
    network.eval()
    for block in network.blocks.values():
        if isinstance(block, ConvBlock):
            block.conv = fuse_conv_bn_eval(block.conv, block.norm)
            block.norm = torch.nn.Identity()
    return network


def recorded(network: Network, images: torch.Tensor) -> Callable[[], object]:
    """A replay of what a GPU does in a forward pass. It is taken as PyTorch's notes on CUDA graphs say."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):  # algorithms are chosen and memory is taken before the recording
            network(images)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(images)
    return graph.replay


def clock_of(device: torch.device) -> Callable[[], float]:
    """Seconds, when `device` has done all that it was given."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter()

    return now


def rate(work: Callable[[], object], frames: int, clock: Callable[[], float]) -> float:
    """Frames per second of `work`, which computes that many `frames`: the median run, after a warm-up."""
    for _ in range(WARM_UP):
        work()
    spent = []
    for _ in range(RUNS):
        began = clock()
        for _ in range(STEPS):
            work()
        spent.append(clock() - began)
    return STEPS * frames / median(spent)


if __name__ == "__main__":
    sys.exit(guarded(main))
