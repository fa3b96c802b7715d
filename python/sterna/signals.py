"""The signals that ask Sterna to end: Ctrl-C, those of batch systems and closed terminals; and who heeds them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds after which an interrupt comes again that Python dropped, and one that was not heeded; the second leaves time
#: to clean up. LOOK_SECONDS: between two looks whether a parent still runs.
AGAIN_SECONDS, SWALLOWED_SECONDS, LOOK_SECONDS = 0.1, 1.0, 1.0


@contextmanager
def handled(handler: Callable[[int, Any], object]) -> Iterator[None]:
    """Give ENDING to `handler`, but for those that Sterna was started to ignore, as `nohup` and `&` do.

    Outside the main thread nothing changes.
    """
    before = {number: signal.getsignal(number) for number in ENDING}
    heeded = [number for number, old in before.items() if old not in (signal.SIG_IGN, None)]
    if threading.current_thread() is not threading.main_thread():
        heeded = []
    for number in heeded:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


@contextmanager
def interrupting() -> Iterator[None]:
    """Let each of ENDING raise KeyboardInterrupt, as Ctrl-C does.

    Where Python cannot pass an exception on, as in a callback of an import, it drops it, and libraries that catch all
    that an import raises swallow it: it then comes again, until this context is left.
    """
    hook = sys.unraisablehook

    def on_dropped(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, SWALLOWED_SECONDS)
        else:
            hook(dropped)

    def interrupt(number: int, frame: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, SWALLOWED_SECONDS, SWALLOWED_SECONDS)
        raise KeyboardInterrupt

    with handled(interrupt):
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        alarm = signal.signal(signal.SIGALRM, signal.default_int_handler)
        sys.unraisablehook = on_dropped
        try:
            yield
        finally:
            sys.unraisablehook = hook
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)


@contextmanager
def held() -> Iterator[None]:
    """Let ENDING and what repeats it wait until this context is left, as files are closed that would not be whole."""
    waiting: list[int] = []
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGALRM)}
    heeded = [number for number, handler in before.items() if callable(handler)]
    if threading.current_thread() is not threading.main_thread():
        heeded = []
    for number in heeded:
        signal.signal(number, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
        if waiting:
            signal.raise_signal(waiting[0])


def leave_to(parent: int) -> None:
    """Let this process, which `parent` forked, ignore ENDING, whoever else it is that sends them.

    It ends when `parent` sends SIGTERM or is no more.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Not handled, which would not say who sent it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        told = signal.sigtimedwait({signal.SIGTERM}, LOOK_SECONDS)
        if told is not None and told.si_pid == parent:
            break
    os._exit(0)
