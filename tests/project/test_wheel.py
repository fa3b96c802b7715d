"""The wheel has all that the README's lines of Python need, outside a checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.engines import SIMULATORS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_lines_of_the_readme_run_from_the_wheel(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("sterna-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "site", wheel], check=True)
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    lines = f"import sterna\nassert 'site' in sterna.__file__\n{found[1]}"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "STERNA_BUILD_DIR": str(SIMULATORS)}
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Box(label=") >= 3
