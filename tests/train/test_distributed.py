"""Several processes train what one process trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from sterna.train import run_folder
from sterna.train.loop import forms
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim.communication import POWERSGD_START, Hook
from sterna.train.report.history import LOSSES
from support.classes import write_classes
from support.training import command, environment

#: Largest difference of what a step does to the weights, as a share of what it does. Floats summed in another order are
#: the only cause, but thresholds, maxima and rounding magnify it.
TOLERANCE = 0.02
CLOSE = 0.05  # the same of the losses, in later stages, after what came before

OPTIONS = {
    "height": 64,
    "width": 64,
    "train-scenes": 8,
    "val-scenes": 1,
    "test-scenes": 1,
    "batch": 8,
    "optimiser": "sgd",
    "ema": 0,
    "float-epochs": 1,
    "ternary-epochs": 1,
    "quantised-epochs": 1,
    "integer-epochs": 1,
    "threads": 1,
}


def start(folder: Path, processes: int, *flags: str, **changes: Any) -> subprocess.Popen[str]:
    """A training in `processes` processes as torchrun starts them."""
    return subprocess.Popen(
        command({**OPTIONS, "output": folder, **changes}, *flags, processes=processes), env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def run(folder: Path, processes: int, *flags: str, **changes: Any) -> Path:
    """Such a training to its end."""
    process = start(folder, processes, *flags, **changes)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("alone") / "run", 1)


def change(folder: Path) -> torch.Tensor:
    """What the step of the float stage did to all weights."""
    trained = forms.load(folder / "float.pt")
    torch.manual_seed(0)
    fresh = Network(trained.network.description, len(trained.classes), Form.FLOAT)
    pairs = zip(trained.network.parameters(), fresh.parameters(), strict=True)
    return torch.cat([(after - before).detach().flatten() for after, before in pairs])


def losses(folder: Path) -> list[dict[str, float]]:
    """The losses of each stage."""
    log = json.loads((folder / run_folder.LOG).read_text())
    assert len(log) == 4
    return [{name: line[name] for name in LOSSES if name in line} for line in log]


def check(folder: Path, alone: Path) -> None:
    """Both runs train the same, but for the order in which floats are summed."""
    mine, wanted = change(folder), change(alone)
    assert wanted.norm() > 0
    assert (mine - wanted).norm() < TOLERANCE * wanted.norm()
    for stage, (ours, theirs) in enumerate(zip(losses(folder), losses(alone), strict=True)):
        assert ours == pytest.approx(theirs, rel=1e-4 if stage == 0 else CLOSE)


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_processes_train_what_one_trains(alone: Path, tmp_path: Path, processes: int) -> None:
    check(run(tmp_path / "run", processes), alone)


@pytest.mark.slow
def test_processes_in_groups_train_what_one_trains(alone: Path, tmp_path: Path) -> None:
    check(run(tmp_path / "run", 4, hierarchy=2), alone)


@pytest.mark.slow
def test_processes_with_little_memory_train_what_one_trains(alone: Path, tmp_path: Path) -> None:
    check(run(tmp_path / "run", 2, memory=6), alone)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"features": 4}], ids=["classes", "pairs"])
def test_several_processes_train_what_one_trains_of_images(tmp_path: Path, more: dict[str, int]) -> None:
    images = write_classes(tmp_path / "images", (4, 2))
    of_images = {"data": images, "network": "resnet8", "height": 28, "width": 28, **more}
    both = [run(tmp_path / str(processes), processes, **of_images) for processes in (1, 2)]
    check(both[1], both[0])


@pytest.mark.slow
@pytest.mark.parametrize("hook", [Hook.FP16, Hook.BF16, Hook.POWERSGD])
def test_compressed_gradients_train_nearly_the_same_and_send_less(alone: Path, tmp_path: Path, hook: Hook) -> None:
    folder = run(tmp_path / "run", 2, gradients=hook.value, **{"float-epochs": 16})
    plain = run(tmp_path / "plain", 2, **{"float-epochs": 16})
    sent = [json.loads((path / run_folder.LOG).read_text())[15]["bytes_per_step"] for path in (folder, plain)]
    assert 0 < sent[0] < 0.8 * sent[1]
    assert 0 < (change(folder) - change(plain)).norm() < change(plain).norm()


def kill(folder: Path) -> None:
    """Kill all processes that train into `folder`; torchrun puts them in groups of their own."""
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder).encode() in words.read_bytes().split(b"\0"):
                os.kill(int(words.parent.name), signal.SIGKILL)


def epochs_done(folder: Path) -> int:
    log = folder / run_folder.LOG
    return len(json.loads(log.read_text())) if log.exists() else 0


@pytest.mark.slow
def test_a_killed_run_with_compressed_gradients_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    changes = {"gradients": Hook.POWERSGD.value, "float-epochs": 60}
    whole, killed = run(tmp_path / "whole", 2, **changes), tmp_path / "killed"
    process = start(killed, 2, **changes)
    while process.poll() is None and epochs_done(killed) < POWERSGD_START + 5:
        time.sleep(0.02)
    kill(killed)
    process.communicate()
    assert not (killed / "float.pt").exists(), "the run was over too soon"
    run(killed, 2, "--resume", **changes)
    assert (killed / run_folder.GRAPH).read_bytes() == (whole / run_folder.GRAPH).read_bytes()


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the batch cannot be divided equally"):
        run(tmp_path / "run", 2, batch=7)
    with pytest.raises(AssertionError, match="hierarchy = 3; allowed: divisors of 2"):
        run(tmp_path / "run", 2, hierarchy=3)


def test_one_process_needs_nobody() -> None:
    from sterna.train import distributed

    assert (distributed.rank(), distributed.size(), distributed.leads()) == (0, 1, True)
    assert distributed.largest(torch.tensor(3.0)) == 3 and distributed.gather("a") == ["a"]
