"""An engine as a backend: its frames, over any transport. The driver itself is in libsterna."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.package import layout
from sterna.package.counters import Counters, StepCounters
from sterna.package.package import Package
from sterna.run.backend import Backend, Progress, Results
from sterna.run.program import program_of
from sterna.run.transport import Transport
from sterna.run.uri import Parameter, Uri

#: Clock cycles without progress after which the engine gives up a frame.
WATCHDOG = libsterna.WATCHDOG


class EngineBackend(Backend):
    """Runs packages on the engine that `transport`, which it opens and closes, reaches.

    Of several images, the next one is queued in the engine while one runs, so that frames follow each other without a
    gap. `watchdog` is the engine's own limit of cycles without progress (0: none); `timeout` limits the cycles of a
    frame (None: 20 times the compiler's estimate and four watchdogs). With `verify` off, only the engine checks the
    tape. Raises SternaError if the engine has no such watchdog or no frame is that short.
    """

    #: For the URIs of those that derive from it: arguments of the same names.
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "watchdog": Parameter(
            "cycles without progress after which the engine gives up a frame; 0: none", "a whole number", int
        ),
        "timeout": Parameter("cycles that a frame may take", "a whole number", int),
    }

    def __init__(
        self,
        transport: Transport,
        *,
        watchdog: int = WATCHDOG,
        timeout: int | None = None,
        verify: bool = True,
    ) -> None:
        check_limits(watchdog, timeout)
        self._verify = verify
        self._counters: Counters | None = None
        self._engine = libsterna.Engine(transport, watchdog, timeout)

    @classmethod
    def own(cls, uri: Uri) -> dict[str, Any]:
        """The values of `uri` that are arguments of every engine's backend, not its transport's."""
        return {name: value for name, value in uri.values(cls.parameters).items() if name in EngineBackend.parameters}

    def _close(self) -> None:
        """Release the engine."""
        self._counters = None
        self._engine.close()

    def _load(self, package: Package) -> None:
        """Write the tape of `package` to the engine's memory."""
        program = program_of(package)
        self._engine.check_config(program)
        if self._verify:
            package.verify_tape()
        self._counters = None
        self._engine.load(program)

    def counters(self) -> Counters | None:
        """What the last image cost; None before the first. In a batch it counts from the end of the image before."""
        return self._counters

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        results = list(self._stream(iter(images), package, progress))
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    def _stream(
        self, images: Iterator[NDArray[np.int8]], package: Package, progress: Progress | None
    ) -> Generator[Results]:
        """As many frames as it holds are with the engine: one runs, the next one is queued."""
        engine, ended = self._engine, 0
        engine.begin()
        try:
            for _ in range(engine.CAPACITY):
                self._start_next(images)
            while engine.held:
                self._finish(ended, package, progress)
                maps = engine.take()
                ended += 1
                self._start_next(images)
                self._counters = self._read_counters()
                yield {store.layer: each[np.newaxis] for store, each in zip(package.schedule.stores, maps, strict=True)}
        except (KeyboardInterrupt, GeneratorExit):
            if engine.held:
                engine.abort()
            raise

    def _start_next(self, images: Iterator[NDArray[np.int8]]) -> None:
        """Start a frame with the next image, if there is one, or queue it after the running one."""
        try:
            image = next(images, None)
        except Exception:
            if self._engine.held:
                self._engine.abort()
            raise
        if image is not None:
            self._engine.start(layout.frame(image))

    def _finish(self, number: int, package: Package, progress: Progress | None) -> None:
        """Wait until the oldest frame, that of image `number`, has ended."""
        while not self._engine.look():
            if progress:
                progress(number, self._engine.steps_now())
        if progress:
            progress(number, len(package.schedule.steps))

    def _read_counters(self) -> Counters:
        totals, steps = self._engine.counters()
        return Counters(*totals, tuple(StepCounters(*step) for step in steps))


def check_limits(watchdog: int, timeout: int | None) -> None:
    """Raise SternaError if the engine has no such watchdog, or no frame is as short as `timeout`."""
    _check("watchdog", watchdog, 0, (1 << 32) - 1)
    if timeout is not None:
        _check("timeout", timeout, 1, (1 << 63) - 1)


def _check(name: str, cycles: int, least: int, most: int) -> None:
    if not least <= cycles <= most:
        raise SternaError(
            "bad number of cycles",
            where="engine",
            attribute=name,
            value=cycles,
            allowed=f"{least} .. {most}",
            remedy="choose cycles in that range",
        )
