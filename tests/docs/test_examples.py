"""The examples run, the notebook too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.engines import SIMULATORS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
#: What each script is given, and what it says.
SCRIPTS = {
    "detect": ([], "vehicle"),
    "compare_engines": ([], "7x7 lanes, 2 clusters of 4 PEs: "),
    "own_network": (["run"], "bit-identical: {"),
}


def run(arguments: list[str], folder: Path, text: str | None = None) -> str:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "python"), "STERNA_BUILD_DIR": str(SIMULATORS), "MPLBACKEND": "agg",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(notebook: Path, kind: str) -> list[str]:
    return [
        "".join(cell["source"])
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]
        if cell["cell_type"] == kind
    ]


def test_every_script_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs(name: str, tmp_path: Path) -> None:
    arguments, said = SCRIPTS[name]
    out = run([str(EXAMPLES / f"{name}.py"), *arguments], tmp_path)
    assert said in out and "False" not in out


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    run(["-"], tmp_path, "\n".join(cells(notebook, "code")))


def test_notebooks_are_kept_without_outputs() -> None:
    for notebook in EXAMPLES.glob("*.ipynb"):
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            assert not cell.get("outputs") and not cell.get("execution_count")
