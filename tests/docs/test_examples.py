"""The examples run, the notebook too, and are listed."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import sterna
from sterna.registry import Registry
from support import data_sets
from support.engines import SIMULATORS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def _images(folder: Path) -> list[str]:
    for seed in (7, 8):
        Image.fromarray(sterna.scene(seed)).save(folder / f"{seed}.png")
    return [str(folder)]


def _data(folder: Path) -> list[str]:
    short = [f"{stage}_epochs=1" for stage in ("float", "ternary", "quantised", "integer")]
    return [str(data_sets.write_yolo(folder)), str(folder / "run"), "height=32", "width=32", "batch=1", *short]


def _run(folder: Path) -> list[str]:
    return [str(folder / "run")]


#: What each script is given, and what it says.
SCRIPTS: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "change_rtl": (_run, r"differs first in layer 'pool1', image 0, channel 0, row \d+"),
    "compare_backends": (lambda folder: [], r"(?s)bit-identical.*conv1.*sum"),
    "compare_engines": (lambda folder: [], "7x7 lanes, 2 clusters of 4 PEs: "),
    "detect": (_images, r"(?s)7\.png: vehicle 0\..*8\.png: "),
    "new_network": (_run, "(?m)^bit-identical$"),
    "new_pattern": (_run, r"most nonzeros in four: 2\n[\d,]+ cycles per frame"),
    "new_schedule": (_run, r"epoch 1: density 1\.00\n(?s:.*)epoch 4: density 0\.2"),
    "train_on_folder": (_data, r"integer network: \d\.\d+\n.*detector\.sterna: [\d,]+ cycles"),
}
#: They build a simulator, or take as long.
SLOW = ("change_rtl", "new_network", "new_schedule")


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


def test_every_example_is_listed() -> None:
    listed = re.findall(r"^\| \[(.+?)\]\(\1\) \|", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb"))


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_is_short_and_says_what_it_shows(script: Path) -> None:
    text = script.read_text("utf-8")
    assert text.startswith('"""') and text.count("\n") <= 40


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow if each in SLOW else ()) for each in SCRIPTS]
)
def test_a_script_runs(name: str, tmp_path: Path) -> None:
    arguments, said = SCRIPTS[name]
    out = run([str(EXAMPLES / f"{name}.py"), *arguments(tmp_path)], tmp_path)
    assert re.search(said, out), out
    if name == "detect":
        assert {path.name for path in (tmp_path / "boxes").iterdir()} == {"7.png", "8.png"}


@pytest.mark.parametrize(
    ("kind", "names"), [("network", sterna.networks), ("pattern", sterna.patterns), ("schedule", sterna.schedules)]
)
def test_a_new_thing_is_registered_by_importing_its_file(
    kind: str, names: Registry[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_registered", {})
    before = list(names)
    runpy.run_path(str(EXAMPLES / f"new_{kind}.py"), run_name="theirs")
    assert len([name for name in names if name not in before and names[name]]) == 1


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    run(["-"], tmp_path, "\n".join(cells(notebook, "code")))


def test_notebooks_are_kept_without_outputs() -> None:
    for notebook in EXAMPLES.glob("*.ipynb"):
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            assert not cell.get("outputs") and not cell.get("execution_count")
