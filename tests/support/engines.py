"""Simulated engines for tests: generated once, built once, shared through the build folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sterna.generate import generate
from sterna.run import open_device
from sterna.run.device import Device
from sterna.run.rtl import MemoryTiming
from sterna.spec.config import EngineConfig

BUILD = Path(__file__).parents[2] / "build" / "engines"


@contextmanager
def simulated(
    config: EngineConfig, *, timing: MemoryTiming | None = None, plant: tuple[str, str, str] | None = None
) -> Iterator[Device]:
    """The RTL of `config` as an open device.

    `plant` (source file, text, replacement) damages the generated sources first, to show that a check can fail.
    """
    folder = BUILD / "generated" / f"{config.hash:08x}{'-planted' if plant else ''}"
    shutil.rmtree(folder, ignore_errors=True)
    generate(config, folder)
    if plant:
        name, text, replacement = plant
        source = next(folder.rglob(name))
        before = source.read_text()
        assert before.count(text) == 1, f"{name} holds {text!r} {before.count(text)} times"
        source.write_text(before.replace(text, replacement))
    with open_device("rtl", folder=folder, timing=timing, build_dir=BUILD / "simulators") as device:
        yield device
