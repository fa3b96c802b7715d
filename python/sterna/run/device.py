"""One interface to everything that runs a package: the same calls, the same results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.package.counters import Counters
from sterna.package.package import Package

#: By layer name: int8[N, C, H, W].
Results = dict[str, NDArray[np.int8]]
#: Called now and then during a batch with the image's number and the steps of the tape that are done.
Progress = Callable[[int, int], None]


class Device(ABC):
    """Runs packages. Used as `with device: device.load(package); device.infer(images)`.

    Every method raises SternaError for what a user can put right.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._package: Package | None = None

    def open(self) -> None:
        """Get ready; does nothing if the device is open."""
        if not self._is_open:
            self._open()
            self._is_open = True

    def close(self) -> None:
        """Let go of everything, the package too; does nothing if the device is closed."""
        if self._is_open:
            self._is_open = False
            self._package = None
            self._close()

    def load(self, package: Package) -> None:
        """Make `package` the one that `infer` runs."""
        if not self._is_open:
            raise SternaError("is not open", where="device", remedy="open it first")
        self._package = None
        self._load(package)
        self._package = package

    @abstractmethod
    def _open(self) -> None:
        """Get ready; whatever fails is let go of again."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of everything."""

    @abstractmethod
    def _load(self, package: Package) -> None:
        """Take `package`, refuse it if it does not suit this device."""

    @abstractmethod
    def counters(self) -> Counters | None:
        """What the last image cost; None if the device has no clock or has run nothing."""

    @abstractmethod
    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        """Every stored layer of a checked batch."""

    def infer(self, images: NDArray[np.int8], progress: Progress | None = None) -> Results:
        """Run int8[N, C, H, W] (rgb - 128) and return every stored layer and every output of the package."""
        if self._package is None:
            raise SternaError("no package is loaded", where="device", remedy="load one first")
        self._check(images, self._package)
        stored = self._run(images, self._package, progress)
        outputs = {name: stored[self._package.source_of(name).layer] for name in self._package.schedule.outputs}
        return stored | outputs

    @staticmethod
    def _check(images: NDArray[np.int8], package: Package) -> None:
        shape = package.graph.info[package.graph.input.name].shape
        if images.dtype != np.int8 or images.ndim != 4 or images.shape[1:] != shape or not len(images):
            raise SternaError(
                "the images do not fit the model",
                where=f"layer '{package.graph.input.name}'",
                attribute="images",
                value=f"{images.dtype} {images.shape}",
                allowed=f"int8 [N, C, H, W] with C, H, W = {shape}",
                remedy="resize the images and subtract 128",
            )

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
