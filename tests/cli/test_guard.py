"""What the system refuses reaches people in one line, with the file and what helps."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sterna.cli.guard import guarded
from sterna.cli.main import app


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "make room on the disk"),
        (errno.EROFS, "on a writable disk"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EACCES, "is accessible"),
    ],
)
def test_refusals_of_the_system(code: int, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise OSError(code, os.strerror(code), "some/file")

    assert guarded(command) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: some/file: {os.strerror(code)}; remedy: ") and remedy in said


def test_an_unnamed_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise OSError("no cause")

    assert guarded(command) == 2
    assert capsys.readouterr().err.startswith("error: no cause; remedy: ")


@pytest.mark.case(
    "names-that-are-no-text",
    kind="names",
    expected="a file whose name is not UTF-8 is read and its name shown by codes, without a traceback",
)
def test_names_that_cannot_be_printed(package_path: Path, images: Path, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/latin\xe9.png"
    Path(os.fsdecode(path)).write_bytes((images / "a.png").read_bytes())
    given = [sys.executable, "-m", "sterna", "compare", package_path, path, "--backends", "reference,reference"]
    done = subprocess.run(given, capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert b"latin\\udce9.png: 3 layers are equal" in done.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--threshold", "2"), "Invalid value for '--threshold'; allowed: less than or equal to 1 (see"),
        (("--threshold", "x"), "Invalid value for '--threshold'; allowed: a valid number (see"),
    ],
)
def test_wrong_values_of_options(given: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: app(["detect", "a.sterna", "a.png", *given], standalone_mode=False)) == 2
    assert capsys.readouterr().err == f"error: {said} sterna detect --help)\n"
