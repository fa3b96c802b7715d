"""A package on a backend, which it keeps until it is closed."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sterna.package.package import Package
from sterna.run.backend import Backend
from sterna.run.registry import open_backend
from sterna.stopwatch import Stopwatch


class Loaded:
    """What sees with `package` on `backend`, a URI such as `sim:` or an open one, which stays open. A context."""

    def __init__(self, package: Package, backend: str | Backend) -> None:
        self.package = package
        #: What the parts take: "resize", "device", and "boxes" or "classes".
        self.times = Stopwatch()
        self._own = isinstance(backend, str)
        self.backend = open_backend(backend) if isinstance(backend, str) else backend
        try:
            self.backend.load(package)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the backend, unless it was given open. May be called twice."""
        if self._own:
            self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
