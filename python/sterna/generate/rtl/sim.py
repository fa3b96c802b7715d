"""The backend `sim:`: simulation of a generated engine.

It is here and not in `sterna.run.backends` because it generates the engine of the given package, and checks an edited
engine against the package's config: `run` is below `generate`, whose testbench needs it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.generate.rtl.fit import check_fits, edited
from sterna.generate.rtl.folder import generate
from sterna.package.counters import Counters
from sterna.package.package import Package
from sterna.run.backend import Announce, Backend, Progress, Results
from sterna.run.engine import WATCHDOG, EngineBackend, check_limits
from sterna.run.transport import Transport
from sterna.run.transports.sim import MemoryTiming, SimTransport
from sterna.run.uri import Parameter, Uri
from sterna.spec.config import EngineConfig
from sterna.spec.memory import load_memory


def _latency(text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    return int(first), int(last if dots else first)


class SimBackend(Backend):
    """Simulates the generated engine in a folder, edits included; without one, the engine of each package's config.

    `timing` is that of the simulated memory, by default the memory of the package's config. The other arguments are
    those of `EngineBackend` and `SimTransport`. The simulator is built when a package is loaded, unless the build cache
    has it.
    """

    usage = "sim:[FOLDER]"
    parameters: ClassVar = {
        "memory": Parameter(
            "memory of hw/configs/memories.yaml, instead of that of the config", "a name, or FILE.yaml:NAME", str
        ),
        "latency": Parameter(
            "cycles until the memory answers a burst, or FIRST..LAST for a random number of them",
            "cycles, or FIRST..LAST",
            _latency,
        ),
        "stall": Parameter("share of cycles in which the memory stalls", "0 .. 0.95", float),
        "seed": Parameter("seed of the memory's timing and of what reset leaves undefined", "a whole number", int),
        **EngineBackend.parameters,
    }

    def __init__(
        self,
        folder: Path | None = None,
        *,
        timing: MemoryTiming | None = None,
        watchdog: int = WATCHDOG,
        timeout: int | None = None,
        verify: bool = True,
        build_dir: Path | None = None,
        announce: Announce | None = None,
    ) -> None:
        check_limits(watchdog, timeout)
        self._folder, self._build_dir, self._announce = folder, build_dir, announce
        self._timing = timing or MemoryTiming()
        self._watchdog, self._timeout, self._verify = watchdog, timeout, verify
        self._engine: EngineBackend | None = None
        self._config: EngineConfig | None = None

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """The path is the engine's folder."""
        values = {name: value for name, value in uri.values(cls.parameters).items() if name in EngineBackend.parameters}
        return cls(Path(uri.path) if uri.path else None, timing=cls._timing_of(uri), announce=announce, **values)

    @classmethod
    def reach(cls, uri: Uri, announce: Announce) -> Transport:
        """The registers and the memory of the engine in the folder that `uri` names."""
        if not uri.path:
            raise SternaError(
                "no engine is named", where=f"backend '{uri}'", attribute="path", value="none",
                allowed="a folder made by sterna generate", remedy=f"name one, as in {uri.scheme}:engine",
            )  # fmt: skip
        return SimTransport(Path(uri.path), timing=cls._timing_of(uri), announce=announce)

    @classmethod
    def _timing_of(cls, uri: Uri) -> MemoryTiming:
        values = uri.values(cls.parameters)
        given = {name: values[name] for name in ("latency", "stall", "seed") if name in values}
        return MemoryTiming(load_memory(values["memory"]) if "memory" in values else None, **given)

    def counters(self) -> Counters | None:
        """The cost of the last image; None before the first."""
        return self._engine.counters() if self._engine else None

    def note(self) -> str | None:
        """Which engine was simulated, and which of its files were edited."""
        if self._folder is None:
            return f"Simulated: the engine generated for '{self._config.name}'." if self._config else None
        changed = ", ".join(edited(self._folder))
        changes = f" with {changed} edited" if changed else ""
        return f"Simulated: the engine in {self._folder}{changes}."

    def _load(self, package: Package) -> None:
        if self._engine is None or self._config != package.config:
            self._close()
            timing = replace(self._timing, memory=self._timing.memory or package.config.memory_timing)
            with self._sources(package.config) as folder:
                transport = SimTransport(folder, timing=timing, build_dir=self._build_dir, announce=self._announce)
                self._engine = EngineBackend(
                    transport, watchdog=self._watchdog, timeout=self._timeout, verify=self._verify
                )
            self._config = package.config
        self._engine.load(package)

    @contextmanager
    def _sources(self, config: EngineConfig) -> Iterator[Path]:
        """The folder to build from. A generated one need not outlive the build, which is found again by its content."""
        if self._folder is not None:
            check_fits(self._folder, config)
            yield self._folder
            return
        with TemporaryDirectory(prefix="sterna-") as scratch:
            generate(config, Path(scratch) / "engine")
            yield Path(scratch) / "engine"

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        assert self._engine is not None, "a package is loaded on it"
        return self._engine.infer(images, progress)

    def _stream(
        self, images: Iterator[NDArray[np.int8]], package: Package, progress: Progress | None
    ) -> Generator[Results]:
        assert self._engine is not None, "a package is loaded on it"
        yield from self._engine.stream(images, progress)

    def _close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
