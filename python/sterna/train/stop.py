"""Ctrl-C, and the signal with which batch systems end a job, as a wish that is looked at between two steps."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether the run is to stop."""

    asked = False


@contextmanager
def on_request() -> Iterator[Stop]:
    """Turn SIGNALS into a flag; a second one acts at once. Outside the main thread nothing changes."""
    stop = Stop()

    def on_signal(number: int, frame: Any) -> None:
        stop.asked = True
        for each, handler in before.items():
            signal.signal(each, handler)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, on_signal)
    except ValueError:  # not in the main thread: the caller's business
        yield stop
        return
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
