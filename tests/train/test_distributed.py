"""Several processes train what one process trains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from sterna.train import forms, run_folder
from sterna.train.communication import Hook

#: Largest difference of a weight after the stages below, against the largest weight of its tensor. Sums of floats in
#: another order are the only cause, but thresholds and rounding magnify it.
TOLERANCE = 2e-3

OPTIONS = {
    "height": 64,
    "width": 64,
    "train-scenes": 16,
    "val-scenes": 1,
    "test-scenes": 1,
    "batch": 8,
    "float-epochs": 2,
    "ternary-epochs": 1,
    "quantised-epochs": 1,
    "integer-epochs": 1,
    "threads": 1,
}


def run(folder: Path, processes: int, **changes: Any) -> Path:
    """Train in `processes` processes as torchrun starts them."""
    options = {**OPTIONS, "output": folder, **changes}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    command = [sys.executable, *start, "-m", "sterna", "train", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("alone") / "run", 1)


NOT_LOSSES = ("val_map50", "val_map", "bytes_per_step", "density_by_layer", "rho_by_layer")


def furthest(a: Path, b: Path, stage: str) -> float:
    """Largest difference of a weight at the end of `stage`, as a share of its tensor's largest."""
    mine, theirs = (forms.load(path / f"{stage}.pt").network for path in (a, b))
    pairs = zip(mine.parameters(), theirs.parameters(), strict=True)
    return max(float((one - other).detach().abs().max() / one.detach().abs().max()) for one, other in pairs)


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_processes_train_what_one_trains(alone: Path, tmp_path: Path, processes: int) -> None:
    folder = run(tmp_path / "run", processes)
    for stage in ("float", "ternary", "quantised", "integer"):
        assert furthest(folder, alone, stage) < TOLERANCE, stage
    losses = [
        [{key: value for key, value in line.items() if key not in NOT_LOSSES} for line in json.loads(log)]
        for log in ((path / run_folder.LOG).read_text() for path in (folder, alone))
    ]
    for mine, theirs in zip(*losses, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("hook", [Hook.FP16, Hook.BF16, Hook.POWERSGD])
def test_compressed_gradients_train_nearly_the_same_and_send_less(alone: Path, tmp_path: Path, hook: Hook) -> None:
    folder = run(tmp_path / "run", 2, gradients=hook.value, **{"float-epochs": 8})
    plain = run(tmp_path / "plain", 2, **{"float-epochs": 8})
    sent = [json.loads((path / run_folder.LOG).read_text())[-1]["bytes_per_step"] for path in (folder, plain)]
    assert 0 < sent[0] < 0.8 * sent[1]
    assert 0 < furthest(folder, plain, "float") < 0.5


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the batch cannot be shared equally"):
        run(tmp_path / "run", 2, batch=7)


def test_one_process_needs_nobody() -> None:
    from sterna.train import distributed

    assert (distributed.rank(), distributed.size(), distributed.leads()) == (0, 1, True)
    assert distributed.largest(torch.tensor(3.0)) == 3 and distributed.gather("a") == ["a"]
