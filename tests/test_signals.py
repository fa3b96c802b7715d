"""Signals that ask to end: heard, left alone, or left to a parent."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sterna import signals
from support.processes import wait_until_taken


@pytest.fixture(autouse=True)
def usual_signals() -> Iterator[None]:
    """As Python sets them up in the foreground."""
    before = {number: signal.getsignal(number) for number in signals.ENDING}
    for number in signals.ENDING:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", signals.ENDING)
def test_handlers_are_there_and_given_back(number: signal.Signals) -> None:
    heard: list[int] = []
    before = signal.getsignal(number)
    with signals.handled(lambda number, frame: heard.append(number)):
        signal.raise_signal(number)
    assert heard == [number]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", signals.ENDING)
def test_what_is_ignored_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with signals.interrupting():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_thread_changes_nothing() -> None:
    seen: list[Any] = []

    def run() -> None:
        with signals.interrupting():
            seen.extend(map(signal.getsignal, signals.ENDING))

    before = list(map(signal.getsignal, signals.ENDING))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == before


class Signalling:
    """Where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("number", signals.ENDING)
def test_an_interrupt_that_a_library_swallows_comes_again(number: signal.Signals) -> None:
    """As those do that try whether another one can be imported."""
    swallowed = False
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        try:
            signal.raise_signal(number)
        except:  # noqa: E722
            swallowed = True
        signal.pause()
    assert swallowed
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_an_interrupt_that_is_dropped_comes_again() -> None:
    dropped = False
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        Signalling()
        dropped = True
        while True:
            time.sleep(0.01)
    assert dropped
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_child_heeds_its_parent_alone() -> None:
    (asked, ask), (answered, answer) = os.pipe(), os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        signals.leave_to(parent)
        while True:
            os.write(answer, b"here")
            os.read(asked, 4)
    assert os.read(answered, 4) == b"here"
    for number in signals.ENDING:
        subprocess.run(["sh", "-c", f"kill -{number.name.removeprefix('SIG')} {child}"], check=True)
        wait_until_taken(child)
        os.write(ask, b"more")
        assert os.read(answered, 4) == b"here"
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0) == (child, 0)


def test_what_is_held_comes_when_files_are_closed() -> None:
    """Ctrl-C, and what repeats it until it is heeded."""
    closed = False
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        with signals.held():
            for number in (*signals.ENDING, signal.SIGALRM):
                signal.raise_signal(number)
            closed = True
        raise AssertionError
    assert closed


def test_nothing_held_is_nothing_changed() -> None:
    before = [signal.getsignal(number) for number in (*signals.ENDING, signal.SIGALRM)]
    with signals.held():
        pass
    assert before == [signal.getsignal(number) for number in (*signals.ENDING, signal.SIGALRM)]
