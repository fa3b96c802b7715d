"""Commands end with one line when a signal asks them to, at whatever moment."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from sterna.train import run_folder
from sterna.train.loop.stop import NOTE
from support import processes

from .conftest import Sterna

Got = Callable[[object], None]
INTERRUPTED = "error: interrupted\n"


@contextmanager
def started(*arguments: object) -> Iterator[Popen[str]]:
    """The command in a process of its own."""
    process = processes.start([sys.executable, "-m", "sterna", *arguments])
    try:
        yield process
    finally:
        process.kill()


def test_train_resumes_after_ctrl_c(sterna: Sterna, tmp_path: Path) -> None:
    output = tmp_path / "run"
    options = ["--train-scenes", "80", "--val-scenes", "2", "--test-scenes", "2", "--batch", "4", "--threads", "1"]
    options += ["--float-epochs", "1", "--ternary-epochs", "1", "--quantised-epochs", "0", "--integer-epochs", "0"]
    options += ["--height", "32", "--width", "32"]
    with started("train", *options, "--output", output) as process:
        processes.wait_until(process, (output / run_folder.CHECKPOINT).exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, err) == (130, f"\n{NOTE}\n")
    assert f"continue with: sterna train --resume --output {output}" in out
    ended = sterna("train", "--output", output, "--resume")
    assert ended.code == 0, ended.err
    assert (output / run_folder.GRAPH).is_file()


@pytest.mark.case(
    "signal-while-a-command-starts", kind="signals", expected="one line, no traceback, though libraries are loaded"
)
@pytest.mark.parametrize(
    ("number", "library"), [(signal.SIGINT, ""), (signal.SIGTERM, "libtorch_cpu"), (signal.SIGHUP, "pycocotools")]
)
def test_a_signal_is_one_line(graph_path: Path, number: signal.Signals, library: str, got: Got) -> None:
    with started("eval", graph_path, "--scenes", 1_000_000) as process:
        processes.wait_until(process, lambda: processes.handles(process, signal.SIGTERM))
        processes.wait_until(process, lambda: processes.has_loaded(process, library))
        process.send_signal(number)
        _, err = process.communicate()
    # Python ends by SIGINT itself, which shells show as 130, if it came while a library ran a text as code.
    assert err == INTERRUPTED
    assert process.returncode in (130, -signal.SIGINT)
    got(err)
