"""Devices for the command line: the engine of a package is generated, built and simulated when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.generate.rtl.fit import check_fits, edited
from sterna.run.device import Device
from sterna.run.devices import KINDS
from sterna.run.devices import open_device as open_by_name
from sterna.run.rtl import MemoryTiming
from sterna.spec.config import EngineConfig

RTL = "rtl"


@dataclass(frozen=True)
class Engine:
    """Which engine is simulated: the one in `folder` as it is, or if None the one that is generated."""

    folder: Path | None = None

    def check(self, config: EngineConfig, kinds: Sequence[str]) -> None:
        """Raise SternaError if the folder is not an engine of `config`, or no device of `kinds` simulates it."""
        if self.folder is None:
            return
        if RTL not in kinds and set(kinds) <= set(KINDS):
            raise SternaError(
                "the engine's folder would not be used",
                where="--engine",
                value=str(self.folder),
                allowed=f"with the device {RTL}",
                remedy=f"ask for the device {RTL}, or leave --engine out",
            )
        check_fits(self.folder, config)

    def describe(self, config: EngineConfig) -> str:
        """Which engine it is, for people."""
        if self.folder is None:
            return f"the engine generated for '{config.name}'"
        files = edited(self.folder)
        return f"the engine in {self.folder}" + (f" with {', '.join(files)} edited" if files else "")


@contextmanager
def open_device(
    kind: str,
    config: EngineConfig,
    *,
    engine: Engine = Engine(),
    folder: Path | None = None,
    timing: MemoryTiming | None = None,
) -> Iterator[Device]:
    """The device `kind`, open, with `engine` if it needs one; a checked one, for it is simulated as it is.

    An engine that is generated is written to `folder`, or to a folder that does not outlive the device. Raises
    SternaError for an unknown kind and for what the device refuses.
    """
    with TemporaryDirectory(prefix="sterna-") as scratch:
        place = engine.folder or folder or Path(scratch) / "engine"
        if kind == RTL and engine.folder is None:
            generate(config, place)
        device = open_by_name(kind, folder=place, timing=timing, announce=_announce)
        try:
            yield device
        finally:
            device.close()


def _announce(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
