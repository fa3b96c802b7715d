"""Maps of bytes in files of numpy: what a network reads whose image has other channels than a colour image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError

SUFFIX = ".npy"
Shape = tuple[int, int, int]
"""Height, width, channels."""


def read(path: Path, shape: Shape) -> NDArray[np.uint8]:
    """The bytes of `shape` in the file `path`. Raises SternaError if it holds anything else."""
    return np.array(opened(path, shape))


def opened(path: Path, shape: Shape) -> NDArray[np.uint8]:
    """The same, of which nothing is read yet."""
    try:
        # As large as the file is: what the file says of its size need not be true.
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise SternaError(
            "is no readable map", where=str(path), allowed=f"an array of numpy, {SUFFIX}",
            remedy="write it by numpy.save",
        ) from error  # fmt: skip
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or found.shape != shape:
        kind = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else "an archive"
        raise SternaError(
            "is a map of another kind", where=str(path), attribute="dtype, shape", value=kind,
            allowed=f"uint8 {shape}", remedy="make maps as the network reads them: height, width, channels",
        )  # fmt: skip
    return found
