"""The integer reference: what every other backend must equal, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph import reference
from sterna.package.package import Package
from sterna.run.backend import Backend, Progress, Results, one_by_one


class ReferenceBackend(Backend):
    """Computes a package's graph in software; it does not use the tape."""

    usage = "reference:"

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        def stored(image: NDArray[np.int8]) -> Results:
            tensors = reference.execute(package.graph, image)
            return {store.layer: tensors[store.layer] for store in package.schedule.stores}

        return one_by_one(stored, images, package, progress)
