"""A progress bar on a terminal, and nothing otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

#: Called with how much is done, of how much if that is known, and of what.
Show = Callable[[int, int | None, str], None]


def of_steps(show: Show, steps: int, names: Sequence[str]) -> Callable[[int, int], None]:
    """Shows how many of the `steps` of its tape a backend has done on an image, by the images' `names`."""
    return lambda number, done: show(done, steps, names[number])


@contextmanager
def bar(what: str) -> Iterator[Show]:
    """A bar on standard error that goes away at its end."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total, part: progress.update(task, completed=done, total=total, description=f"{what} {part}")
