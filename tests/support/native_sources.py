"""libsterna's sources, built with sanitizers, or copied to be changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sterna.spec.paths import ROOT


def sources_copied(folder: Path) -> Path:
    """A copy in `folder` of `sw` and what its build reads beside it."""
    for name in ("sw", "sim/harness"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "python" / "sterna").mkdir(parents=True)
    shutil.copy(ROOT / "python" / "sterna" / "__init__.py", folder / "python" / "sterna")  # has the version
    return folder / "sw"


def package_reader(build: Path) -> Path:
    """The program sw/tests/read_packages.cpp, built in `build` with sanitizers.

    They end it at the first access outside, and count what is allocated.
    """
    options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DSTERNA_SANITIZE=address,undefined", "-DSTERNA_TESTS=ON"]
    target = "read_packages"
    # Those of the Python environment, if it has them.
    tools = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in (["-G", "Ninja", "-S", ROOT / "sw", "-B", build, *options], ["--build", build, "--target", target]):
        subprocess.run(["cmake", *command], env=tools, check=True, capture_output=True)
    return build / "tests" / target
