"""Package files to packages: their tapes are made again from what the files hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sterna import recognise
from sterna.compile.build import build
from sterna.compile.compiler import check_fit, compile_graph, timed
from sterna.compile.lowered import Lowered
from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.package import file as package_file
from sterna.package.counters import StepCounters
from sterna.package.file import Cycles, Stored, TapeDigest
from sterna.package.graphs import read_graph
from sterna.package.older import Older
from sterna.package.package import Package
from sterna.package.signature import read_signed


def read_model(path: Path, public_key: str | None = None) -> Graph | Package:
    """The graph or package in `path`: a graph file, a package, or the folder of a run, for its graph.

    What is no file may be the name of a network that comes with Sterna, `demo-nano`. With a `public_key` it must be a
    package that is signed by it. Raises SternaError if there is none.
    """
    is_package = public_key is not None or recognise.kind_of(path) == recognise.PACKAGE
    return load(path, public_key) if is_package else read_graph(path)


def load(path: Path, public_key: str | None = None) -> Package:
    """Read the package file `path` and make its tape.

    One of the format before, or for an engine before, is compiled again, which a line on stderr says. With a
    `public_key`, the text of a file of minisign or its last line, the package must be signed by it. Raises SternaError
    for a file that is missing, not a package, truncated, damaged, of another version or not signed.
    """
    signed = None if public_key is None else read_signed(path, public_key)
    found = package_file.read(path) if signed is None else package_file.from_bytes(signed, str(path))
    if isinstance(found, Older):
        print(
            f"note: {path}: is a package {found.said}, so its graph is compiled again; "
            f"sterna compile {path} --config {found.config.name} -o NEW writes it anew",
            file=sys.stderr,
        )
    return restore(found, str(path))


def restore(found: Stored | Older, where: str) -> Package:
    """The package of which a file holds so much; `where` names the file in errors."""
    try:
        if isinstance(found, Older):
            return compile_graph(found.graph, found.config, trace=found.trace, cycles=found.timed)
        return _restored(found)
    except SternaError as error:
        raise SternaError(str(error), where=where) from error


def _restored(found: Stored) -> Package:
    check_fit(found.graph, found.config)
    built = build(Lowered(found.graph, found.config), found.plan)
    if found.tape != TapeDigest.of(built.tape, found.config):
        raise _inconsistent("tape", f"{len(built.tape)} bytes", "the tape that was compiled")
    metadata = built.metadata if found.cycles is None else _with_cycles(built.metadata, found.cycles)
    return Package(found.graph, built.tape, found.config, metadata, found.plan)


def _with_cycles(metadata: dict[str, Any], cycles: Cycles) -> dict[str, Any]:
    if len(cycles.steps) != len(metadata["steps"]):
        raise _inconsistent("cycles", len(cycles.steps), f"{len(metadata['steps'])} steps")
    return timed(metadata, cycles.queued, [StepCounters(*step) for step in cycles.steps])


def _inconsistent(attribute: str, value: object, allowed: str) -> SternaError:
    return SternaError(
        "its parts contradict each other", attribute=attribute, value=value, allowed=allowed,
        remedy="compile the graph again",
    )  # fmt: skip
