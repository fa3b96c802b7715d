"""The programs of `sw/fuzz`, built by clang."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sterna.errors import SternaError

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("package", "signature", "graph", "tape", "image", "jpeg")
#: What is needed beside g++, by the package of Debian that has it.
TOOLS = {"clang": "clang", "clang++": "clang", "llvm-cov": "llvm", "llvm-profdata": "llvm"}
#: What Debian calls the package that has libFuzzer, by the major version of clang.
RUNTIME = "libclang-rt-{}-dev"


def check_tools() -> None:
    """Raise SternaError for a tool that is missing."""
    for tool, package in TOOLS.items():
        if not shutil.which(tool):
            raise SternaError(f"{tool} is missing", remedy=f"install the package {package} (Debian's name)")
    version = _clang("-dumpversion").partition(".")[0]
    if not Path(_clang("-print-file-name=libclang_rt.fuzzer-x86_64.a")).is_absolute():
        raise SternaError(
            "clang lacks libFuzzer", remedy=f"install the package {RUNTIME.format(version)} (Debian's name)"
        )


def _clang(option: str) -> str:
    return subprocess.run(["clang", option], check=True, capture_output=True, text=True).stdout.strip()


def build(folder: Path, targets: Sequence[str] = TARGETS, sources: Path = ROOT / "sw") -> dict[str, Path]:
    """Build the programs `targets` of `sources` in `folder` with the sanitizers of addresses and undefined behaviour.

    Raises SternaError for a tool that is missing, or a build that fails.
    """
    check_tools()
    # cmake and ninja may be those of the Python environment.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in (
        ["cmake", "-G", "Ninja", "-S", sources, "--preset", "fuzz", "-B", folder],
        ["cmake", "--build", folder, "--target", *(f"fuzz_{name}" for name in targets)],
    ):
        done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)
            raise SternaError("the fuzzers cannot be built", where=str(sources), remedy="see the lines above")
    return {name: folder / "fuzz" / f"fuzz_{name}" for name in targets}
