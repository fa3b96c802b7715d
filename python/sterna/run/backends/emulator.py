"""The emulator: a package's graph on the CPU, by libsterna."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sterna.package.package import Package
from sterna.run.backend import Announce, Backend, Progress, Results, one_by_one
from sterna.run.emulator import Emulator
from sterna.run.uri import Parameter, Uri


class EmulatorBackend(Backend):
    """Computes a package's graph on the CPU, fast; it does not use the tape.

    threads: 1 or more; None: one per core. simd: the instruction set; None: the fastest that the processor has.
    """

    usage = "emulator:"
    parameters: ClassVar = {
        "threads": Parameter("threads that share each layer; one per core if not given", "1 .. 1024", int),
        "simd": Parameter("instruction set; the fastest if not given", "scalar, avx2, avx512, neon", str),
    }

    def __init__(self, *, threads: int | None = None, simd: str | None = None) -> None:
        self._threads, self._simd = threads, simd
        self._emulator: Emulator | None = None

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """It takes no path."""
        uri.check_no_path()
        return cls(**uri.values(cls.parameters))

    @property
    def emulator(self) -> Emulator | None:
        """What computes the package that is loaded."""
        return self._emulator

    def _load(self, package: Package) -> None:
        super()._load(package)
        stored = [store.layer for store in package.schedule.stores]
        self._emulator = Emulator(package.graph, stored, threads=self._threads, simd=self._simd)

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        assert self._emulator is not None
        return one_by_one(self._emulator.run, images, package, progress)

    def note(self) -> str | None:
        """The instruction set and the threads."""
        if self._emulator is None:
            return None
        threads = self._emulator.threads
        return f"Executed: emulator, {self._emulator.simd}, {threads} thread{'s' if threads > 1 else ''}."

    def _close(self) -> None:
        self._emulator = None
