"""The emulator: a package's graph on the CPU, by libsterna."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.package.package import Package
from sterna.run.backend import Backend, Progress, Results
from sterna.run.emulator import Emulator


class EmulatorBackend(Backend):
    """Computes a package's graph on the CPU, fast; it does not use the tape."""

    usage = "emulator:"

    _emulator: Emulator | None = None

    def _load(self, package: Package) -> None:
        super()._load(package)
        self._emulator = Emulator(package.graph, [store.layer for store in package.schedule.stores])

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        assert self._emulator is not None
        frames = []
        for number, image in enumerate(images):
            frames.append(self._emulator.run(image[np.newaxis]))
            if progress:
                progress(number, len(package.schedule.steps))
        return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}

    def _close(self) -> None:
        self._emulator = None
