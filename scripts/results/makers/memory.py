"""docs/results/memory.json: memory and time of a training step under limits, beside those of smaller batches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import NamedTuple

import torch

from results.makers.training_speed import ANCHORS, DENSITY
from results.record import Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.graph import networks
from sterna.train.data.scenes import SceneSet
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import Batch as Images
from sterna.train.loop.loader import collate
from sterna.train.model import memory
from sterna.train.model.form import Form
from sterna.train.model.memory import MIB
from sterna.train.model.network import Network
from sterna.train.options import parse
from support.peak import peak

NETWORK, HEIGHT, WIDTH, IMAGES = "yolov2-nano", 96, 128, 64
FORMS = (Form.FLOAT, Form.QUANTISED, Form.INTEGER)
#: Limits, as shares of what a step needs without one; numbers of parts into which a batch is split by hand.
LIMITS, ACCUMULATED = (0.7, 0.5, 0.3), (2, 4)
TURNS = 9
WHOLE = "whole batch"
METHOD = (
    f"most bytes of PyTorch's tensors at a time in a step of {IMAGES} images, besides those before it; its profiler"
)


class Case(NamedTuple):
    """A way to train: the limit as a share, or parts by hand."""

    limit: float | None = None
    accumulate: int = 1

    def __str__(self) -> str:
        if self.limit is not None:
            return f"--memory, {self.limit:.0%}"
        return WHOLE if self.accumulate == 1 else f"--accumulate {self.accumulate}"


CASES = (Case(), *(Case(limit=limit) for limit in LIMITS), *(Case(accumulate=parts) for parts in ACCUMULATED))


class Step:
    """A training step in one of the ways."""

    def __init__(self, form: Form, case: Case, scenes: SceneSet) -> None:
        described = networks.describe(NETWORK)
        classes = len(scenes.classes)
        frames = [scenes[index] for index in range(len(scenes))]
        boxes = max(len(frame.boxes) for frame in frames)
        share = len(frames) // case.accumulate
        self._parts: list[Images] = [
            collate(frames[first : first + share], ANCHORS, described.stride) for first in range(0, len(frames), share)
        ]
        batch = memory.Batch(share, HEIGHT, WIDTH, boxes)
        self.plan = memory.plan(described, classes, form, batch)
        self.limit = 0 if case.limit is None else int(case.limit * self.plan.bytes)
        if self.limit:
            self.plan = memory.plan(described, classes, form, batch, self.limit)
        torch.manual_seed(0)
        network = Network(described, classes, form)
        if form is not Form.FLOAT:
            network.aim(DENSITY)
            network.form = Form.TERNARY
            network(torch.randn(1, 3, 64, 64))  # the ranges of activations
            network.form = form
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.parts = self.plan.parts
        options = parse(output=Path("unused"), batch=IMAGES, accumulate=case.accumulate)
        self._learner = Learner(network, ANCHORS, None, options.optimiser, options)
        self.seconds: list[float] = []
        self()
        self.peak = peak(self)

    def __call__(self) -> None:
        """One step."""
        began = process_time()
        self._learner.step(self._parts, 1e-6)
        self.seconds.append(process_time() - began)


def main() -> None:
    """Take the steps of a form in turn, so that they share what else the machine does."""
    torch.set_num_threads(1)
    scenes = SceneSet(0, "train", IMAGES, HEIGHT, WIDTH)
    rows = [row for form in FORMS for row in _rows(form, scenes)]
    write("memory", metrics(rows), command="make results-memory", seed=0, rows=rows)


def _rows(form: Form, scenes: SceneSet) -> list[TableRow]:
    steps = {str(case): Step(form, case, scenes) for case in CASES}
    for step in steps.values():
        step.seconds.clear()
    with bar(form.value) as show:
        for turn in range(TURNS):
            for step in steps.values():
                step()
            show(turn + 1, TURNS, "")
    return [row(form.value, name, step, steps[WHOLE]) for name, step in steps.items()]


def row(form: str, name: str, step: Step, whole: Step) -> TableRow:
    """A way to train, relative to the `whole` batch."""
    return {
        "form": form,
        "step": name,
        "limit_MiB": round(step.limit / MIB, 1) if step.limit else "none",
        "planned_MiB": round(step.plan.bytes / MIB, 1),
        "peak_MiB": round(step.peak / MIB, 1),
        "peak_ratio": round(step.peak / whole.peak, 3),
        "time_ratio": round(median(step.seconds) / median(whole.seconds), 2),
        "images_at_a_time": ", ".join(f"{layer} {part}" for layer, part in step.plan.parts.items()) or "all",
    }


def metrics(rows: Sequence[TableRow]) -> dict[str, Metric]:
    """Whether every limit is kept, and what the lowest one costs in each form."""
    limited = [row for row in rows if row["limit_MiB"] != "none"]
    made = {
        "kept": Metric(
            what="Every step stays under its limit",
            value=all(float(row["peak_MiB"]) <= float(row["limit_MiB"]) for row in limited), unit="", method=METHOD,
        )
    }  # fmt: skip
    for form in dict.fromkeys(str(row["form"]) for row in limited):
        lowest = min((row for row in limited if row["form"] == form), key=lambda row: float(row["limit_MiB"]))
        made[f"{form}_peak_ratio"] = Metric(
            what=f"Memory of a step in {form} form under the lowest limit, relative to the whole batch",
            value=lowest["peak_ratio"], unit="", method=METHOD,
        )  # fmt: skip
        made[f"{form}_time_ratio"] = Metric(
            what="Its time, likewise", value=lowest["time_ratio"], unit="",
            method=f"median processor time of {TURNS} steps taken in turn, one thread",
        )  # fmt: skip
    return made


if __name__ == "__main__":
    sys.exit(guarded(main))
