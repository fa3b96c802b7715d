"""The integer reference as a device: what every engine must equal, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph import reference
from sterna.package.package import Package
from sterna.run.device import Device, Progress, Results


class ReferenceDevice(Device):
    """Computes a package's graph in software."""

    def _open(self) -> None:
        """Software is always ready."""

    def _close(self) -> None:
        """Nothing is held."""

    def _load(self, package: Package) -> None:
        """The tape is not used, but a package that would be refused elsewhere is refused here too."""
        package.verify_tape()

    def counters(self) -> None:
        """Software has no clock cycles to count."""

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        frames = []
        for number, image in enumerate(images):
            tensors = reference.execute(package.graph, image)
            frames.append({store.layer: tensors[store.layer] for store in package.schedule.stores})
            if progress:
                progress(number, len(package.schedule.steps))
        return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}
