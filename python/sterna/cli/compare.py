"""`sterna compare`: the first place where two devices differ."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from sterna.cli import image_arguments
from sterna.cli.devices import RTL, Engine, open_device
from sterna.cli.guard import FAILED
from sterna.cli.progress import bar, of_steps
from sterna.errors import SternaError
from sterna.package import package as package_file
from sterna.package.package import Package
from sterna.run.compare import compare_devices
from sterna.run.devices import KINDS
from sterna.vision.prepare import prepare


def compare(path: Path, inputs: Sequence[Path], names: str, engine: Engine, recursive: bool) -> int:
    """Compare every stored layer of every image; 0 if all are equal, else 1."""
    package = package_file.load(path)
    kinds = _kinds(names)
    files = image_arguments.find(inputs, recursive)
    image_arguments.check(files)
    engine.check(package.config, kinds)
    with ExitStack() as stack:
        show = stack.enter_context(bar("compare"))
        devices = [stack.enter_context(open_device(kind, package.config, engine=engine)) for kind in kinds]
        for file in files:
            image = prepare(package.graph, image_arguments.read(file))[np.newaxis]
            progress = of_steps(show, len(package.schedule.steps), file.name)
            comparison = compare_devices(devices[0], devices[1], package, image, progress)
            if comparison.first is not None:
                print(f"{file}: {' and '.join(kinds)} differ: {comparison.first}")
                _tell_what_ran(engine, package, kinds)
                return FAILED
            print(f"{file}: {len(comparison.layers)} layers equal on {' and '.join(kinds)}")
    _tell_what_ran(engine, package, kinds)
    return 0


def _tell_what_ran(engine: Engine, package: Package, kinds: Sequence[str]) -> None:
    if len(package.schedule.stores) <= len(package.schedule.outputs):
        print("Only outputs are stored; compile with --trace to compare every layer that the engine makes.")
    if RTL in kinds:
        print(f"Simulated: {engine.describe(package.config)}.")


def _kinds(names: str) -> list[str]:
    kinds = [name.strip() for name in names.split(",")]
    if len(kinds) != 2 or not set(kinds) <= set(KINDS):
        raise SternaError(
            "two devices are needed",
            where="compare",
            attribute="devices",
            value=names,
            allowed=f"two of {', '.join(KINDS)}",
            remedy="give for example reference,rtl",
        )
    return kinds
