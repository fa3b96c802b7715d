"""Seconds that the parts of a work take, for people and measurements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Seconds by part. What runs within another part counts for itself alone, so that all parts add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what runs inside as `name`."""
        self._count()
        self._open.append(name)
        try:
            yield
        finally:
            self._count()
            self._open.pop()

    def beside(self, name: str, seconds: float) -> None:
        """Count what ran in another thread; it does not add up with the rest."""
        self.seconds[name] += seconds

    def _count(self) -> None:
        """Give the time since the last change to the part that is open."""
        now = perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now
