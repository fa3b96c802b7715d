"""The tests of the C++ library itself, as it is built for release and with sanitizers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "sw"
SANITIZED = ("asan", "ubsan", "tsan")


def run(program: str, *arguments: str) -> None:
    """Run a program of the environment's CMake."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning:" not in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("preset", ["release", *(pytest.param(each, marks=pytest.mark.slow) for each in SANITIZED)])
def test_library(preset: str) -> None:
    run("cmake", "--preset", preset)
    run("cmake", "--build", "--preset", preset)
    run("ctest", "--preset", preset)
