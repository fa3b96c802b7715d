"""docs/results/training_speed.json: a training step in each form relative to a float step, and where its time goes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from results.record import Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.graph import networks
from sterna.graph.network import NetworkDescription
from sterna.train.data.augment import augment
from sterna.train.data.scenes import SceneSet
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import collate
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.options import Precision, TrainOptions, parse


class Case(NamedTuple):
    """What is timed: `steps` steps of `batch` images each."""

    network: str
    height: int
    width: int
    batch: int
    steps: int
    precision: Precision = Precision.FP32


CASES = (
    Case("yolov2-nano", 192, 256, 8, 15),
    Case("yolov2-tiny", 416, 416, 4, 5),
    Case("yolov2", 416, 416, 4, 3),
)
ANCHORS = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 3.0], [3.0, 1.0]]
DENSITY = 0.15
TAUGHT = "quantised, with a teacher"
OPERATIONS = 3  # shown of each profile


def main() -> None:
    """Take the steps of all forms in turn, so that they share what else the machine does."""
    torch.set_num_threads(1)
    rows = [row for case in CASES for row in measure(case, torch.device("cpu"))]
    write(
        "training_speed", {"slowest": slowest(rows, "processor time, one thread")},
        command="make results-training_speed", seed=0, rows=rows,
    )  # fmt: skip


def slowest(rows: list[TableRow], clock: str, which: str = "") -> Metric:
    """The largest ratio of `rows` that the goal is about, as `clock` tells; which: said of them at the end."""
    ratios = [float(row["step_ratio"]) for row in rows if row["form"] not in (Form.FLOAT.value, TAUGHT)]
    return Metric(
        what=f"Slowest step of a ternary, quantised or integer network, relative to float{which}",
        value=round(max(ratios), 2), unit="",
        method=f"median {clock} of steps taken in turn, AdamW",
    )  # fmt: skip


def measure(case: Case, device: torch.device) -> list[TableRow]:
    """A row for each form of the network of `case`, and one with a teacher, trained on `device`."""
    scenes = SceneSet(0, "train", case.batch, case.height, case.width)
    frames = [scenes[index] for index in range(case.batch)]
    described = networks.describe(case.network)
    images = collate(frames, ANCHORS, described.stride)
    options = parse(
        network=case.network, height=case.height, width=case.width, output=Path("unused"), precision=case.precision
    )
    learners = {form.value: _learner(form, described, scenes.classes, None, options, device) for form in Form}
    teacher = learners[Form.FLOAT.value].network
    learners[TAUGHT] = _learner(Form.QUANTISED, described, scenes.classes, teacher, options, device)
    times: dict[str, list[float]] = {form: [] for form in learners}
    with bar(case.network) as show:
        for step in range(case.steps):
            for number, (form, learner) in enumerate(learners.items()):
                show(step * len(learners) + number, case.steps * len(learners), form)
                times[form].append(_time(lambda learner=learner: learner.step([images], 1e-5), device))
    augmenting = _time(lambda: [augment(frame, np.random.default_rng(0)) for frame in frames], torch.device("cpu"))
    usual = median(times[Form.FLOAT.value])
    return [
        {
            "network": case.network,
            "precision": case.precision.value,
            "form": form,
            "step_ratio": round(median(spent) / usual, 2),
            "images_ratio": round(augmenting / usual, 3),
            "most_time": _profile(lambda learner=learners[form]: learner.step([images], 1e-5), device),
        }
        for form, spent in times.items()
    ]


def _learner(
    form: Form,
    described: NetworkDescription,
    classes: tuple[str, ...],
    teacher: Network | None,
    options: TrainOptions,
    device: torch.device,
) -> Learner:
    torch.manual_seed(0)
    network = Network(described, len(classes), form)
    if form is not Form.FLOAT:
        network.aim(DENSITY)
        network.form = Form.TERNARY
        network(torch.randn(1, 3, 64, 64))  # the ranges of activations
        network.form = form
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Learner(network, ANCHORS, teacher, options.optimiser, options)


def _time(work: Callable[[], object], device: torch.device) -> float:
    """Seconds: of the processor, or with a GPU, which it only waits for, of the clock on the wall."""
    clock = process_time if device.type == "cpu" else perf_counter
    began = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - began


def _profile(work: Callable[[], object], device: torch.device) -> str:
    """The operations that take most of the time of the device, with their shares."""
    on_gpu = device.type == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * on_gpu]) as taken:
        work()
    times = {
        event.key: event.self_device_time_total if on_gpu else event.self_cpu_time_total
        for event in taken.key_averages()
        if event.key.startswith("aten::") or not on_gpu  # on a GPU kernels are listed under their operation as well
    }
    most = sorted(times, key=lambda key: -times[key])[:OPERATIONS]
    total = sum(times.values())
    return ", ".join(f"{key.removeprefix('aten::')} {100 * times[key] / total:.0f} %" for key in most)


if __name__ == "__main__":
    sys.exit(guarded(main))
