"""Simulated engines for tests: generated once, built once, shared through the build folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from sterna.generate.rtl import generate
from sterna.generate.rtl.sim import SimBackend
from sterna.package.counters import Counters
from sterna.package.package import Package
from sterna.run import simulator
from sterna.run.backend import Backend, Results
from sterna.run.transports.sim import MemoryTiming
from sterna.spec.config import EngineConfig
from sterna.spec.paths import BUILT, ROOT

#: Built simulators are found again by the content of the generated folder.
SIMULATORS = ROOT / BUILT


@contextmanager
def simulated(
    config: EngineConfig, *, timing: MemoryTiming | None = None, plant: tuple[str, str, str] | None = None
) -> Iterator[Backend]:
    """The RTL of `config` as an open backend.

    `plant` (source file, text, replacement) damages the generated sources first, to show that a check can fail.
    """
    with TemporaryDirectory() as name:
        folder = Path(name) / "engine"
        generate(config, folder)
        if plant:
            _plant(folder, *plant)
        with SimBackend(folder, timing=timing, build_dir=SIMULATORS) as backend:
            yield backend


def simulator_of(config: EngineConfig) -> Path:
    """The program that simulates the engine of `config`."""
    with TemporaryDirectory() as name:
        generate(config, Path(name))
        return simulator.build(Path(name), SIMULATORS)


def infer_queued(backend: Backend, images: NDArray[np.int8]) -> tuple[Results, Counters]:
    """Run three images or more in sequence: the results, and what the last but one cost, whose own image was
    loaded while the one before it ran and which loads the one after it."""
    seen: list[Counters | None] = []
    # When the last frame has just ended, the backend still shows the counters of the one before.
    results = backend.infer(images, progress=lambda *_: seen.append(backend.counters()))
    counters = seen[-1]
    assert len(images) > 2 and counters is not None
    return results, counters


def count_frames(backend: Backend, package: Package) -> tuple[Counters, Counters]:
    """Counters of a frame alone, and of the second of three that are queued; the images are random."""
    shape = package.graph.info[package.graph.input.name].shape
    images = np.random.default_rng(0).integers(-128, 128, (3, *shape)).astype(np.int8)
    backend.load(package)
    backend.infer(images[:1])
    alone = backend.counters()
    assert alone is not None
    return alone, infer_queued(backend, images)[1]


def _plant(folder: Path, name: str, text: str, replacement: str) -> None:
    source = next(folder.rglob(name))
    before = source.read_text()
    assert before.count(text) == 1, f"{name} holds {text!r} {before.count(text)} times"
    source.write_text(before.replace(text, replacement))
