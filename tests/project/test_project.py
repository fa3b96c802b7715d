"""What people and programs rely on around the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text("utf-8")
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_make_targets_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = set(re.findall(r"(?:^|`)make ([a-z][a-z0-9_-]*)", text, re.MULTILINE)) - {"results-"}
    assert targets >= {"demo", "test", "lint"}
    for target in targets:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"make {target}: {done.stderr}"


@pytest.mark.parametrize(("missing", "remedy"), [("g++", "apt install"), ("perl", "apt install"), ("python", "3.11")])
def test_setup_says_what_is_missing(missing: str, remedy: str, tmp_path: Path) -> None:
    for tool in {"g++", "make", "perl", "sh", "grep", "python3.11", "python3"} - {missing}:
        found = shutil.which(tool)
        if found and not tool.startswith(missing):
            (tmp_path / tool).symlink_to(found)
    done = subprocess.run(
        [str(ROOT / "scripts" / "setup.sh"), str(tmp_path / "venv")],
        cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and remedy in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "venv").exists()
