"""A signal to the whole process group, at any moment of a training: it stops there, and goes on to the same weights."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot  # noqa: F401 (so that no copy of this process has to)
import numpy as np
import pytest
import torch.utils.tensorboard  # noqa: F401 (the same)
from PIL import Image

from sterna.cli.guard import INTERRUPTED, REFUSED, guarded
from sterna.cli.train import app
from sterna.train import run_folder
from sterna.train.loop import detection, pseudo, stop, trainer
from sterna.train.model import export, quantisers
from sterna.train.report import evaluate, plots, report
from support.processes import Ended, Forked, running, signal_group, wait_until_gone

Got = Callable[[object], None]
#: Two steps of a float and a quantised stage, all in one process.
SHORT: Mapping[str, object] = {
    "height": 64,
    "width": 64,
    "train-scenes": 8,
    "val-scenes": 1,
    "test-scenes": 1,
    "batch": 4,
    "float-epochs": 1,
    "ternary-epochs": 0,
    "quantised-epochs": 1,
    "integer-epochs": 0,
    "threads": 1,
    "workers": 0,
    "device": "cpu",
}
#: Every stage, with two batches of validation images and a worker process.
ALL = {
    **SHORT,
    "val-scenes": 9,
    "unlabelled-epochs": 1,
    "ternary-epochs": 1,
    "integer-epochs": 1,
    "evaluate-every": 1,
    "allocation": "sensitivity",
    "workers": 1,
}


@dataclass(frozen=True)
class Moment:
    """Call number `call` of `owner`'s function `name`, in a `stage` if one is given: it comes at its beginning."""

    owner: Any
    name: str
    call: int = 1
    stage: str = ""

    def plant(self, act: Callable[[], object]) -> None:
        """Let `act` be done then."""
        function, count = getattr(self.owner, self.name), 0

        def planted(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += not self.stage or arguments[0].stage.name == self.stage
            if count == self.call:
                count += 1
                act()
            return function(*arguments, **named)

        setattr(self.owner, self.name, planted)


def step_of(stage: str, call: int = 1) -> Moment:
    return Moment(trainer._Run, "_train_step", call, stage)


#: In the order in which a run comes to them, each counted from the one before.
MOMENTS = {
    "a step of the float stage": step_of("float"),
    "the last step of an epoch": step_of("float"),
    "the evaluation after an epoch": Moment(evaluate.Evaluator, "find", 2),
    "the samples after an epoch": Moment(plots, "samples"),
    "the evaluation after a stage": Moment(evaluate, "evaluate_network"),
    "labelling": Moment(pseudo, "label"),
    "a step of the unlabelled stage": step_of("unlabelled"),
    "measuring sensitivities": Moment(quantisers.TernaryWeightQuant, "integers", 3),
    "a step of the ternary stage": step_of("ternary"),
    "a step of the quantised stage": step_of("quantised"),
    "a step of the integer stage": step_of("integer"),
    "the export": Moment(export, "to_graph"),
    "the last evaluation": Moment(report, "compare"),
}


def words(options: Mapping[str, object]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def train(folder: Path, options: Mapping[str, object]) -> int:
    """`sterna train`, which goes on if there is something to go on from; its exit code."""
    resume = (folder / run_folder.OPTIONS).exists()
    given = ["--output", str(folder), *(["--resume"] if resume else words(options))]
    return guarded(lambda: app(given, standalone_mode=False))


def trained(folder: Path, options: Mapping[str, object]) -> Path:
    """The folder of a run that comes to its end."""
    ended = Forked(lambda: train(folder, options), folder.parent).wait()
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never stopped."""
    return trained(tmp_path_factory.mktemp("whole") / "run", SHORT)


def stopped(moment: Moment, number: signal.Signals, folder: Path, options: Mapping[str, object] = SHORT) -> Ended:
    """A run in `folder` whose group gets the signal at that moment."""

    def run() -> int:
        moment.plant(lambda: signal_group(number))
        return train(folder, options)

    return Forked(run, folder.parent).wait()


def assert_goes_on(folder: Path, whole: Path) -> None:
    """A run that was stopped ends in what it would have been."""
    trained(folder, {})
    assert_same(folder, whole)


def assert_same(folder: Path, whole: Path) -> None:
    assert (folder / run_folder.GRAPH).read_bytes() == (whole / run_folder.GRAPH).read_bytes()
    assert json.loads((folder / run_folder.LOG).read_text()) == json.loads((whole / run_folder.LOG).read_text())


def assert_stopped(ended: Ended) -> None:
    """It has said so in its own words."""
    assert (ended.code, ended.err) == (INTERRUPTED, f"\n{stop.NOTE}\n")
    assert "training stopped" in ended.out.replace("\n", " ")


@pytest.mark.case(
    "sigterm-to-the-group",
    kind="signals",
    expected="the checkpoint is written, whatever the run is doing, and --resume ends in the same weights",
)
def test_sigterm_to_the_group_at_every_moment_in_turn_changes_nothing(tmp_path: Path, got: Got) -> None:
    images, random = tmp_path / "images", np.random.default_rng(0)
    images.mkdir()
    for number in range(4):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(images / f"{number}.png")
    options = {**ALL, "unlabelled": images}
    folder = tmp_path / "run"
    for name, moment in MOMENTS.items():
        ended = stopped(moment, signal.SIGTERM, folder, options)
        assert ended.code == INTERRUPTED, f"{name}: {ended}"
        assert_stopped(ended)
        assert not (folder / run_folder.SUMMARY).exists()
        assert not list(folder.glob("*.partial"))
        got(f"{name}: stopped")
    trained(folder, options)
    assert_same(folder, trained(tmp_path / "whole", options))
    got("the same weights in the end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_other_signals_stop_as_well(number: signal.Signals, whole: Path, tmp_path: Path) -> None:
    ended = stopped(step_of("float"), number, tmp_path / "run")
    assert_stopped(ended)
    assert "epoch 1 of 1, step 1 of 2" in ended.out.replace("\n", " ")
    assert_goes_on(tmp_path / "run", whole)


@pytest.mark.case(
    "sigterm-while-data-is-read", kind="signals", expected="one line, nothing in the run folder, and it can start again"
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_data_is_read_leaves_nothing(number: signal.Signals, tmp_path: Path, got: Got) -> None:
    ended = stopped(Moment(detection, "open_data"), number, tmp_path / "run")
    assert (ended.code, ended.err) == (INTERRUPTED, "error: interrupted\n")
    assert not list(tmp_path.glob("run/*"))
    got(ended.err)


def test_evaluation_stops_in_the_middle(tmp_path: Path) -> None:
    """Of two batches of validation images the second is not begun."""
    begun = tmp_path / "begun"

    def run() -> int:
        Moment(evaluate.Evaluator, "find", 2).plant(begun.touch)
        Moment(evaluate.Evaluator, "find", 1).plant(lambda: signal_group(signal.SIGTERM))
        return train(tmp_path / "run", {**SHORT, "val-scenes": 9})

    assert_stopped(Forked(run, tmp_path).wait())
    assert not begun.exists()


@pytest.mark.case(
    "second-ctrl-c",
    kind="signals",
    expected="the process ends at once, and the run goes on from the checkpoint before",
)
def test_a_second_ctrl_c_ends_at_once_and_keeps_the_checkpoint_before(whole: Path, tmp_path: Path, got: Got) -> None:
    def press_for_ever() -> None:
        while True:
            signal_group(signal.SIGINT)
            time.sleep(0.05)

    ended = Forked(lambda: press_at(step_of("quantised", 2), press_for_ever, tmp_path / "run"), tmp_path).wait()
    assert (ended.code, ended.err) == (-signal.SIGINT, f"\n{stop.NOTE}\n")
    (tmp_path / "run" / "checkpoint.pt.1.partial").write_bytes(b"as a process leaves it that ends while it writes")
    assert_goes_on(tmp_path / "run", whole)
    assert not list((tmp_path / "run").glob("*.partial"))
    got("ended by SIGINT in a step, then the same weights")


def press_at(moment: Moment, act: Callable[[], object], folder: Path) -> int:
    moment.plant(act)
    return train(folder, SHORT)


@pytest.mark.case(
    "started-with-nohup-or-in-the-background",
    kind="signals",
    expected="the signals that it was started to ignore change nothing; SIGTERM stops it",
)
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_nohup_or_the_shell_ignores_stays_ignored(
    number: signal.Signals, whole: Path, tmp_path: Path, got: Got
) -> None:
    def run() -> int:
        step_of("float").plant(lambda: signal_group(number))
        step_of("quantised").plant(lambda: signal_group(signal.SIGTERM))
        return train(tmp_path / "run", SHORT)

    ended = Forked(run, tmp_path, ignored=[number]).wait()
    assert_stopped(ended)
    assert "quantised stage, epoch 1 of 1, step 1 of 2" in ended.out.replace("\n", " ")
    assert_goes_on(tmp_path / "run", whole)
    got(f"{number.name} ignored, SIGTERM heeded")


@pytest.mark.case(
    "loader-workers-left-behind", kind="process", expected="worker processes end with the training that is killed"
)
def test_no_worker_outlives_a_training_that_is_killed(tmp_path: Path, got: Got) -> None:
    def die() -> None:
        children = multiprocessing.active_children()
        (tmp_path / "workers").write_text(" ".join(str(child.pid) for child in children))
        os.kill(os.getpid(), signal.SIGKILL)

    def run() -> int:
        step_of("float", 2).plant(die)
        return train(tmp_path / "run", {**SHORT, "workers": 2})

    assert Forked(run, tmp_path).wait().code == -signal.SIGKILL
    workers = [int(word) for word in (tmp_path / "workers").read_text().split()]
    assert len(workers) == 2
    for worker in workers:
        wait_until_gone(worker)
        assert not running(worker)
    got("training killed, both workers ended")


def together(folder: Path, moment: Moment | None = None, told: int = 0) -> list[Ended]:
    """Two processes that train together; process `told` gets a signal at a moment."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]

    def member(rank: int) -> Callable[[], int]:
        def run() -> int:
            os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)}
            os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
            if moment is not None and rank == told:
                moment.plant(lambda: signal_group(signal.SIGTERM))
            return train(folder, {**SHORT, "val-scenes": 9})

        return run

    members = [Forked(member(rank), folder.parent) for rank in range(2)]
    return [each.wait() for each in members]


def test_processes_that_train_together_stop_together(tmp_path: Path) -> None:
    """Whichever of them hears the signal, and whatever the one that leads is doing."""
    folder, whole = tmp_path / "run", tmp_path / "whole"
    moments = [(step_of("float"), 1), (Moment(evaluate.Evaluator, "find", 2), 0), (Moment(report, "compare"), 0)]
    for moment, told in moments:
        for rank, ended in enumerate(together(folder, moment, told)):
            assert ended.code == INTERRUPTED, ended
            assert "error" not in ended.err and "Traceback" not in ended.err
            assert ("training stopped" in ended.out) == (rank == 0)
    for path in (folder, whole):
        assert [each.code for each in together(path)] == [0, 0]
    assert_same(folder, whole)


@pytest.mark.parametrize("told", [0, 1])
def test_a_process_that_ends_before_the_first_step_ends_the_others(told: int, tmp_path: Path) -> None:
    ended = together(tmp_path / "run", Moment(detection, "open_data"), told)
    assert (ended[told].code, ended[told].err) == (INTERRUPTED, "error: interrupted\n")
    other = ended[1 - told]
    assert other.code == REFUSED
    assert f"error: train, process {1 - told}: another process of the training has ended" in other.err
    assert "Traceback" not in other.err


def test_a_request_that_a_library_catches_is_heard_afterwards() -> None:
    request = stop.Stop()
    with pytest.raises(stop.Asked), request.at_once(), suppress(KeyboardInterrupt):
        request.ask()


def test_work_is_not_begun_once_asked() -> None:
    request = stop.Stop()
    request.ask()
    with pytest.raises(stop.Asked), request.at_once():
        pytest.fail("begun")
