"""What is released: an sdist from which the wheel is made, and a wheel that works in an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import release
import sterna
from support.engines import SIMULATORS

ROOT = release.ROOT
#: The newest glibc that the wheel may need: that of Ubuntu 22.04. Debian 12 has 2.36.
NEWEST_GLIBC = (2, 35)
SCENE = "import PIL.Image, sterna; PIL.Image.fromarray(sterna.scene(7)).save('scene.png')"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist and the wheel."""
    return release.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment that holds the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    subprocess.run([*pip, "-c", ROOT / "constraints.txt", built[1]], check=True)
    return folder / "bin"


def said(*command: object, folder: Path) -> str:
    """What a command says that runs in `folder`, without what this process has set up for Python."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["STERNA_BUILD_DIR"] = str(SIMULATORS)
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_sdist_has_all_sources(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files", "python", "hw", "sim", "sw", "docs", "examples"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(listed.stdout.splitlines()) <= names
    assert {"pyproject.toml", "constraints.txt", "LICENSE", "THIRD_PARTY.md", "models/demo-nano.sterna-graph"} <= names
    assert not any(name.endswith((".so", ".pyc")) for name in names)


@pytest.mark.slow
def test_the_wheel_says_which_glibc_it_needs(built: tuple[Path, Path]) -> None:
    found = re.search(r"manylinux_(\d+)_(\d+)_x86_64\.whl$", built[1].name)
    assert found is not None, built[1].name
    assert (int(found[1]), int(found[2])) <= NEWEST_GLIBC


@pytest.mark.slow
def test_the_wheel_detects_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    said(installed / "python", "-c", SCENE, folder=tmp_path)
    assert "detect" in said(installed / "sterna", "--help", folder=tmp_path)
    assert sterna.__version__ in said(installed / "sterna", "--version", folder=tmp_path)
    said(installed / "sterna", "compile", "demo-nano", "--config", "nano", "-o", "demo.sterna", folder=tmp_path)
    lines = said(installed / "sterna", "detect", "demo.sterna", "scene.png", "-o", "-", folder=tmp_path)
    assert '"class": "vehicle"' in lines, lines


@pytest.mark.slow
def test_the_lines_of_the_readme_run_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    lines = f"import sterna\nassert {str(installed.parent)!r} in sterna.__file__\n{found[1]}"
    assert said(installed / "python", "-c", lines, folder=tmp_path).count("Box(label=") >= 3
