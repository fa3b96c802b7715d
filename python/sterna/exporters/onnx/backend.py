"""onnxruntime as a backend: a package's graph as plain ONNX, computed by a program that others wrote."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sterna.exporters.onnx.session import Session
from sterna.package.package import Package
from sterna.run.backend import Announce, Backend, Progress, Results, one_by_one
from sterna.run.uri import Parameter, Uri

_MOST_THREADS = 1024


def _threads(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_THREADS:
        raise ValueError
    return number


class OnnxBackend(Backend):
    """Computes a package's graph in onnxruntime on the CPU; it does not use the tape.

    threads: 1 or more; None: one per core.
    """

    usage = "onnx:"
    parameters: ClassVar = {
        "threads": Parameter(
            "threads that share each layer; one per core if not given", f"1 .. {_MOST_THREADS}", _threads
        ),
    }

    def __init__(self, *, threads: int | None = None) -> None:
        self._threads = threads
        self._session: Session | None = None

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """It takes no path."""
        uri.check_no_path()
        return cls(**uri.values(cls.parameters))

    def _load(self, package: Package) -> None:
        super()._load(package)
        stored = [store.layer for store in package.schedule.stores]
        self._session = Session(package.graph, stored, threads=self._threads)

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        assert self._session is not None
        return one_by_one(self._session.run, images, package, progress)

    def note(self) -> str | None:
        """The version of onnxruntime, and the threads."""
        if self._session is None:
            return None
        threads = self._session.threads
        return f"Executed: onnxruntime {self._session.version}, {threads} thread{'s' if threads > 1 else ''}."

    def _close(self) -> None:
        self._session = None
