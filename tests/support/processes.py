"""Processes that tests start and end, whatever this one was told to ignore."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

#: What Python sets up when nobody has ignored anything: `nohup`, `&` and some test runners ignore some of these.
_USUAL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(
    words: Sequence[object], environment: Mapping[str, str] | None = None, *, ignored: Sequence[int] = ()
) -> subprocess.Popen[str]:
    """A command that leads a process group of its own and heeds all signals but those `ignored`."""

    def set_signals() -> None:
        for number in _USUAL:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment, preexec_fn=set_signals, start_new_session=True,
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


def wait_until_gone(number: int) -> None:
    """Return when the process `number` has ended."""
    while running(number):
        time.sleep(0.02)
