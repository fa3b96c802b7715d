"""Devices for the command line: the engine of a package is generated, built and simulated when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sterna.generate import generate
from sterna.run.device import Device
from sterna.run.devices import open_device as open_by_name
from sterna.run.rtl import MemoryTiming
from sterna.spec.config import EngineConfig

RTL = "rtl"


@contextmanager
def open_device(
    kind: str, config: EngineConfig, *, folder: Path | None = None, timing: MemoryTiming | None = None
) -> Iterator[Device]:
    """The device `kind`, open, with the engine of `config` if it needs one.

    The engine is written to `folder`, or to a folder that does not outlive the device. Raises SternaError for an
    unknown kind and for what the device refuses.
    """
    with TemporaryDirectory(prefix="sterna-") as scratch:
        engine = folder or Path(scratch) / "engine"
        if kind == RTL:
            generate(config, engine)
        device = open_by_name(kind, folder=engine, timing=timing, announce=_announce)
        try:
            yield device
        finally:
            device.close()


def _announce(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
