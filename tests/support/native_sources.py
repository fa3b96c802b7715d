"""libsterna's sources, copied to be changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from sterna.spec.paths import ROOT


def sources_copied(folder: Path) -> Path:
    """A copy in `folder` of `sw` and what its build reads beside it."""
    for name in ("sw", "sim/harness"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "python" / "sterna").mkdir(parents=True)
    shutil.copy(ROOT / "python" / "sterna" / "__init__.py", folder / "python" / "sterna")  # has the version
    return folder / "sw"
