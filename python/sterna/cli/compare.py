"""`sterna compare`: the first place where two backends differ."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import tee
from pathlib import Path

from sterna.cli.backends import opened, with_engine
from sterna.cli.guard import FAILED
from sterna.cli.progress import bar, of_steps
from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.package.package import Package
from sterna.run import Backend
from sterna.run.compare import compare_results
from sterna.run.registry import backends
from sterna.vision import inputs as input_files


def compare(path: Path, inputs: Sequence[Path], names: str, engine: Path | None, recursive: bool) -> int:
    """Compare every stored layer of every image; 0 if all are equal, else 1."""
    package = load_package(path)
    wanted = _two(names)
    uris = with_engine(wanted, engine)
    files = input_files.find(package.graph, inputs, recursive, print)
    with ExitStack() as stack:
        show = stack.enter_context(bar("compare"))
        first, second = (stack.enter_context(opened(uri)) for uri in uris)
        images = tee(input_files.read(package.graph, file) for file in files)
        for backend in (first, second):
            backend.load(package)
        progress = of_steps(show, len(package.schedule.steps), [file.name for file in files])
        streams = [
            stack.enter_context(closing(backend.stream(its_images, progress)))
            for backend, its_images in zip((first, second), images, strict=True)
        ]
        for file, one, other in zip(files, *streams, strict=True):
            comparison = compare_results(one, other, (layer.name for layer in package.graph.layers))
            if comparison.first is not None:
                print(f"{file}: {' and '.join(wanted)} differ: {comparison.first}")
                _tell_what_ran(package, first, second)
                return FAILED
            print(f"{file}: {len(comparison.layers)} layers are equal on {' and '.join(wanted)}")
        _tell_what_ran(package, first, second)
    return 0


def _tell_what_ran(package: Package, *both: Backend) -> None:
    if len(package.schedule.stores) <= len(package.schedule.outputs):
        print("Only outputs are stored; compile with --trace to compare every layer that the engine makes.")
    for note in filter(None, (backend.note() for backend in both)):
        print(note)


def _two(names: str) -> list[str]:
    wanted = [name.strip() for name in names.split(",")]
    if len(wanted) != 2:
        raise SternaError(
            "compare needs two backends",
            where="compare",
            attribute="backends",
            value=names,
            allowed=f"two of {', '.join(backends)}",
            remedy="give for example reference,sim",
        )
    return wanted
