"""Versions of the software that made a result."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version

from sterna import __version__
from sterna.spec.paths import ROOT

PACKAGES = ("torch", "brevitas", "numpy", "pycocotools")


def versions() -> dict[str, str]:
    """Version by name: sterna, its commit in a checkout, python, and the packages that results depend on."""
    known = {"sterna": __version__}
    commit = _commit()
    if commit:
        known["commit"] = commit
    return known | {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _commit() -> str | None:
    """The commit that is checked out, with `-dirty` if files differ from it; None outside a checkout."""
    if not (ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
