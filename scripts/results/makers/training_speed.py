"""docs/results/training_speed.json: a training step in each form against a float step, and what its time goes to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from results.record import Figure, write
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.train import networks
from sterna.train.data.augment import augment
from sterna.train.data.loader import collate
from sterna.train.data.scenes import SceneSet
from sterna.train.learner import Learner
from sterna.train.networks import Form, Network
from sterna.train.options import TrainOptions, parse

#: Network, height, width, pictures of a step, steps.
CASES = (("yolov2-nano", 192, 256, 8, 15), ("yolov2-tiny", 416, 416, 4, 5), ("yolov2", 416, 416, 4, 3))
ANCHORS = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 3.0], [3.0, 1.0]]
DENSITY = 0.15
TAUGHT = "quantised, with a teacher"
OPERATIONS = 3  # shown of each profile


def main() -> None:
    """Take the steps of all forms in turn, so that they share what else the machine does."""
    torch.set_num_threads(1)
    rows = [row for case in CASES for row in _rows(*case)]
    slowest = max(float(row["step_ratio"]) for row in rows if row["form"] not in (Form.FLOAT.value, TAUGHT))
    figures = {
        "slowest": Figure(
            what="Slowest step of a ternary, quantised or integer network, against float",
            value=round(slowest, 2), unit="",
            method="median processor time of steps taken in turn, AdamW, one thread",
        ),
    }  # fmt: skip
    write("training_speed", figures, command="make results-training_speed", seed=0, rows=rows)


def _rows(name: str, height: int, width: int, batch: int, steps: int) -> list[dict[str, bool | int | float | str]]:
    scenes = SceneSet(0, "train", batch, height, width)
    frames = [scenes[index] for index in range(batch)]
    layers = networks.describe(name)
    pictures = collate(frames, ANCHORS, networks.stride(layers))
    options = parse(network=name, height=height, width=width, output=Path("unused"), float_rate=1e-4)
    learners = {form.value: _learner(form, layers, scenes.classes, None, options) for form in Form}
    teacher = learners[Form.FLOAT.value].network
    learners[TAUGHT] = _learner(Form.QUANTISED, layers, scenes.classes, teacher, options)
    times: dict[str, list[float]] = {form: [] for form in learners}
    with bar(name) as show:
        for step in range(steps):
            for number, (form, learner) in enumerate(learners.items()):
                show(step * len(learners) + number, steps * len(learners), form)
                times[form].append(_time(lambda learner=learner: learner.step([pictures], 1e-5)))
    augmenting = _time(lambda: [augment(frame, np.random.default_rng(0)) for frame in frames])
    usual = median(times[Form.FLOAT.value])
    return [
        {
            "network": name,
            "form": form,
            "step_ratio": round(median(spent) / usual, 2),
            "pictures_ratio": round(augmenting / usual, 3),
            "most_time": _profile(lambda learner=learners[form]: learner.step([pictures], 1e-5)),
        }
        for form, spent in times.items()
    ]


def _learner(
    form: Form,
    layers: tuple[networks.LayerSpec, ...],
    classes: tuple[str, ...],
    teacher: Network | None,
    options: TrainOptions,
) -> Learner:
    torch.manual_seed(0)
    network = Network(layers, len(classes), form)
    if form is not Form.FLOAT:
        network.aim(DENSITY)
        network.form = Form.TERNARY
        network(torch.randn(1, 3, 64, 64))  # the ranges of activations
        network.form = form
    return Learner(network.to(memory_format=torch.channels_last), ANCHORS, teacher, options.optimiser, options)


def _time(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def _profile(work: Callable[[], object]) -> str:
    """The operations that take most of the time, with their shares."""
    with profile(activities=[ProfilerActivity.CPU]) as taken:
        work()
    events = sorted(taken.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return ", ".join(
        f"{event.key.removeprefix('aten::')} {100 * event.self_cpu_time_total / total:.0f} %"
        for event in events[:OPERATIONS]
    )


if __name__ == "__main__":
    sys.exit(guarded(main))
