"""The constant that prevents division by a variance of 0."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Epsilon(StrEnum):
    """The constant of batch normalisation, by the program that computes it."""

    #: sqrt(v + 1e-5): darknet on GPUs (`normalize_kernel` in `blas_kernels.cu`), and AlexeyAB's everywhere since 2020.
    GPU = "gpu"
    #: sqrt(v) + 1e-6: pjreddie's darknet without a GPU (`normalize_cpu` in `blas.c`).
    CPU = "cpu"
    #: sqrt(v + 1e-6): OpenCV's importer of darknet.
    OPENCV = "opencv"

    def deviation(self, variances: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is divided by, of `variances` of any shape."""
        match self:
            case Epsilon.GPU:
                return np.sqrt(variances + 1e-5)
            case Epsilon.CPU:
                return np.sqrt(variances) + 1e-6
            case Epsilon.OPENCV:
                return np.sqrt(variances + 1e-6)

    @property
    def formula(self) -> str:
        """The same as a text."""
        return {"gpu": "sqrt(variance + 1e-5)", "cpu": "sqrt(variance) + 1e-6", "opencv": "sqrt(variance + 1e-6)"}[self]
