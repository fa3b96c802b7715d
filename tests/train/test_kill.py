"""A run that is killed at any moment goes on to the same weights, bit for bit."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path

import pytest

from sterna.train import run_folder
from support.training import command, environment

KILLS = 20
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
}


def start(folder: Path) -> subprocess.Popen[str]:
    """A training in a process of its own; one that goes on if there is something to go on from."""
    resume = ["--resume"] if (folder / run_folder.OPTIONS).exists() else []
    return subprocess.Popen(
        command({**OPTIONS, "output": folder}, *resume), env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def checkpointed(folder: Path, before: float) -> bool:
    path = folder / run_folder.CHECKPOINT
    return path.exists() and path.stat().st_mtime > before


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    output, _ = start(whole).communicate(timeout=900)
    assert (whole / run_folder.GRAPH).exists(), output
    moments, kills = random.Random(0), 0
    while kills < KILLS and not (killed / run_folder.SUMMARY).exists():
        began = time.time()
        process = start(killed)
        # It has begun to train when it writes; then it is killed at a random moment of the next steps.
        while process.poll() is None and not checkpointed(killed, began):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.6))
        process.kill()
        process.wait()
        kills += 1
    assert kills == KILLS, "the run was over before it had been killed often enough"
    output, _ = start(killed).communicate(timeout=900)
    assert (killed / run_folder.GRAPH).read_bytes() == (whole / run_folder.GRAPH).read_bytes(), output
    logs = [json.loads((folder / run_folder.LOG).read_text()) for folder in (whole, killed)]
    assert logs[0] == logs[1]
    for name in ("float", "integer"):
        assert (killed / f"{name}.pt").stat().st_size == (whole / f"{name}.pt").stat().st_size
