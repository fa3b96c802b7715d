"""libsterna on 64-bit ARM: built by a cross compiler, its tests run in an emulated processor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sterna.spec.paths import ROOT
from support.native_sources import sources_copied

TESTS = ("emulator_test", "graph_test", "scaling_test", "vision_test")
#: What is needed beside the usual, by the package of Debian that has it.
TOOLS = {"aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"}


def built(folder: Path, sources: Path) -> Path:
    """The build of `sources` for ARM."""
    for tool, package in TOOLS.items():
        assert shutil.which(tool), f"{tool} is missing: install the package {package} (Debian's name)"
    # cmake and ninja may be those of the Python environment.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in (
        ["-G", "Ninja", "-S", sources, "--preset", "aarch64", "-B", folder, "-DSTERNA_TESTS=ON"],
        ["--build", folder, "--target", *TESTS],
    ):
        subprocess.run(["cmake", *command], cwd=sources, env=environment, check=True, capture_output=True)
    return folder


def run(test: Path) -> subprocess.CompletedProcess[str]:
    """What a test says in the emulated processor."""
    words = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", test]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_tests_pass_on_arm(tmp_path: Path) -> None:
    build = built(tmp_path / "build", ROOT / "sw")
    for name in TESTS:
        done = run(build / "tests" / name)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_planted_error_in_neon_is_found(tmp_path: Path) -> None:
    sources = sources_copied(tmp_path)
    kernels = sources / "src" / "emulator" / "neon.cpp"
    text = kernels.read_text("utf-8")
    assert text.count("vrhaddq_u8") == 1
    kernels.write_text(text.replace("vrhaddq_u8", "vhaddq_u8"), "utf-8")  # a mean that is rounded down
    done = run(built(tmp_path / "build", sources) / "tests" / "emulator_test")
    assert done.returncode == 1 and "does not hold: run(graph" in done.stderr
