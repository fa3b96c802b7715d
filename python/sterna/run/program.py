"""What the driver of engines, which is in libsterna, has to know of a package."""

from __future__ import annotations

from sterna.native import libsterna
from sterna.package.package import Package
from sterna.package.places import most_cycles, places


def program_of(package: Package) -> libsterna.Program:
    """The tape of `package`, and where its images and maps lie in an engine's memory. The tape is not checked."""
    return libsterna.Program(places(package), package.tape)


def cycle_limit(package: Package, watchdog: int) -> int:
    """Clock cycles that a frame of `package` may take, on a slow memory too."""
    return libsterna.cycle_limit(most_cycles(package), watchdog)
