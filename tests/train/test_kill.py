"""A run that is killed at any moment goes on to the same weights, bit for bit."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import matplotlib.pyplot  # noqa: F401 (so that no copy of this process has to)
import pytest
import torch.utils.tensorboard  # noqa: F401 (the same)

from sterna.cli.guard import guarded
from sterna.cli.train import app
from sterna.train import run_folder
from sterna.train.loop.learner import Learner
from support.processes import Ended, Forked

KILLS = 20
#: A run is killed after so many steps at most: the run is long enough for all kills.
STEPS = 5
OPTIONS = {
    "height": 64,
    "width": 64,
    "train-scenes": 24,
    "val-scenes": 1,
    "test-scenes": 1,
    "batch": 4,
    "float-epochs": 12,
    "ternary-epochs": 12,
    "quantised-epochs": 4,
    "integer-epochs": 4,
    "save-every": 0,
    "threads": 1,
    "workers": 1,
    "device": "cpu",
}


def train(folder: Path, steps: float | None = None) -> Ended:
    """A training, one that goes on if there is something to go on from; killed after about so many steps.

    The moment is one of the processor's time, which the steps set: it lies anywhere, also in the writing of a file, and
    does not depend on what else the machine has to do.
    """
    resume = (folder / run_folder.OPTIONS).exists()
    given = ["--resume"] if resume else [word for name, value in OPTIONS.items() for word in (f"--{name}", str(value))]

    def run() -> int:
        if steps is not None:
            kill_after(steps)
        return guarded(lambda: app(["--output", str(folder), *given], standalone_mode=False))

    return Forked(run, folder.parent).wait()


def kill_after(steps: float) -> None:
    """Let SIGPROF, which nothing handles, end this process so many steps after the first one of a training."""
    step, began = Learner.step, 0.0

    def timed(self: Learner, *arguments: object) -> list[float]:
        nonlocal began
        now = time.process_time()
        if began:
            signal.setitimer(signal.ITIMER_PROF, steps * (now - began))
            Learner.step = step  # type: ignore[method-assign]
        began = now
        return step(self, *arguments)  # type: ignore[arg-type]

    Learner.step = timed  # type: ignore[method-assign, assignment]


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    ended = train(whole)
    assert ended.code == 0, ended.err
    moments = random.Random(0)
    for _ in range(KILLS):
        ended = train(killed, moments.uniform(0, STEPS))
        assert ended.code == -signal.SIGPROF, ended
    ended = train(killed)
    assert ended.code == 0, ended.err
    assert (killed / run_folder.GRAPH).read_bytes() == (whole / run_folder.GRAPH).read_bytes()
    logs = [json.loads((folder / run_folder.LOG).read_text()) for folder in (whole, killed)]
    assert logs[0] == logs[1]
    assert not list(killed.glob("*.partial"))
    for name in ("float", "integer"):
        assert (killed / f"{name}.pt").stat().st_size == (whole / f"{name}.pt").stat().st_size
