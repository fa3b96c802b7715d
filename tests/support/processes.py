"""Processes that tests start and end, whatever this one was told to ignore."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What Python sets up when nobody has ignored anything: `nohup`, `&` and some test runners ignore some of these.
_USUAL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(
    words: Sequence[object], environment: Mapping[str, str] | None = None, *, ignored: Sequence[int] = (),
    fed: bool = False,
) -> subprocess.Popen[str]:  # fmt: skip
    """A command that leads a process group of its own and heeds all signals but those `ignored`.

    fed: its standard input is a pipe from this process.
    """

    def set_signals() -> None:
        for number in _USUAL:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        list(map(str, words)), stdin=subprocess.PIPE if fed else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment, preexec_fn=set_signals, start_new_session=True,
    )  # fmt: skip


def python(code: str, *arguments: object) -> list[object]:
    """The words that run `code`."""
    return [sys.executable, "-c", code, *arguments]


def running(number: int) -> bool:
    """Whether there is a process of this number, not counting one that has ended and waits for its parent."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def handles(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Whether `process` has a handler for a signal."""
    return bool(_mask(process.pid, "SigCgt") >> (number - 1) & 1)


def wait_until_taken(number: int) -> None:
    """Return when no signal waits for the process `number` any more; two that wait are one to the kernel."""
    while _mask(number, "ShdPnd"):
        time.sleep(0.01)


def _mask(number: int, name: str) -> int:
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name)), 16)


def has_loaded(process: subprocess.Popen[str], library: str) -> bool:
    """Whether `process` has come so far as to load a library whose path contains `library`."""
    return library in Path(f"/proc/{process.pid}/maps").read_text()


def wait_until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Return when `process` has come so far; it must not end before."""
    while not reached():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def wait_until_gone(number: int) -> None:
    """Return when the process `number` has ended."""
    while running(number):
        time.sleep(0.02)


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, or minus the number of a signal; and what it said."""

    code: int
    out: str
    err: str


class Forked:
    """`run` in a copy of this process, which has imported all that it needs, in a process group of its own."""

    def __init__(self, run: Callable[[], int], folder: Path, *, ignored: Sequence[int] = ()) -> None:
        self._files = [folder / f"{time.monotonic_ns()}.{name}" for name in ("out", "err")]
        self.number = os.fork()
        if self.number == 0:
            self._be(run, ignored)

    def _be(self, run: Callable[[], int], ignored: Sequence[int]) -> None:
        code = 99
        try:
            os.setsid()
            for number in _USUAL:
                usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                signal.signal(number, signal.SIG_IGN if number in ignored else usual)
            for descriptor, path in enumerate(self._files, 1):
                os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), descriptor)
            sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115 (until the end)
            code = run()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def wait(self) -> Ended:
        """Return when it has ended."""
        _, status = os.waitpid(self.number, 0)
        return Ended(os.waitstatus_to_exitcode(status), *(path.read_text() for path in self._files))


def signal_group(number: signal.Signals) -> None:
    """Send a signal to the whole group of this process, from a process that is nobody's parent."""
    subprocess.run(["sh", "-c", f"kill -{number.name.removeprefix('SIG')} 0"], check=False)
