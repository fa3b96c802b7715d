"""A request to stop: checked between two steps, and obeyed at once where nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sterna import signals

NOTE = (
    "stopping: a step that has begun is finished, then the checkpoint is written. "
    "Ctrl-C again ends at once; the checkpoint is then an earlier one."
)
#: Seconds in which a second SIGINT is still the first one: `timeout` and batch systems may send it twice.
SAME_SECONDS = 1.0


class Asked(KeyboardInterrupt):
    """The run is to stop."""


class Stop:
    """Whether the run is to stop."""

    def __init__(self) -> None:
        self.asked = self._at_once = False

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Around work of which nothing is kept: a request raises Asked in the middle of it."""
        self._at_once = True
        try:
            self._check()
            yield
        finally:
            self._at_once = False
        self._check()  # libraries may have caught it

    def _check(self) -> None:
        if self.asked:
            raise Asked

    def ask(self) -> None:
        """Request it; raises Asked within `at_once`."""
        self.asked = True
        if self._at_once:
            self._at_once = False
            raise Asked


@contextmanager
def on_request(*, say: bool) -> Iterator[Stop]:
    """Turn signals that ask to end into a request to stop, and if wanted `say` so.

    A second Ctrl-C ends the process at once, by the signal itself. Outside the main thread nothing changes.
    """
    stop = Stop()
    heard = 0.0

    def on_signal(number: int, frame: Any) -> None:
        nonlocal heard
        now = time.monotonic()
        if not stop.asked:
            heard = now
            if say:
                with suppress(OSError):  # the terminal may be what has gone
                    os.write(2, f"\n{NOTE}\n".encode())
        elif number == signal.SIGINT and now - heard >= SAME_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.ask()

    with signals.handled(on_signal):
        yield stop
