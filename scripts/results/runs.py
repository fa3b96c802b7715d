"""Training runs for the results: each in a folder of its own, and gone on with if it was interrupted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from results.record import ROOT, commit
from sterna.errors import SternaError
from sterna.train import load_options, recipes, run_folder, train
from sterna.train.history import EpochLine
from sterna.train.options import TrainOptions

RUNS = ROOT / "build" / "results"
#: Size of the pictures where trainings are compared with each other: a quarter of the recipe's pixels.
SMALL = {"height": 96, "width": 128}


def data() -> Path:
    """The folder of the data set; raises SternaError if the environment names none."""
    folder = os.environ.get("BCCD")
    if not folder:
        raise SternaError("no data folder is named", where="results", remedy="make results-NAME BCCD=FOLDER")
    return Path(folder)


def summary(folder: Path) -> dict[str, Any]:
    """The figures of the run in `folder`."""
    return _read(folder / run_folder.SUMMARY)


def log(folder: Path) -> list[EpochLine]:
    """The epochs of the run in `folder`."""
    return _read(folder / run_folder.LOG)


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def folder_of(name: str) -> Path:
    """The folder of the run `name`, its path under build/results; emptied if it holds a run of another commit."""
    folder = RUNS / name
    mark = folder / "commit"
    if not mark.is_file() or mark.read_text() != commit():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(commit())
    return folder


def run(name: str, options: Callable[[Path], TrainOptions]) -> Path:
    """The folder of a finished run of `options`, which are given the folder; `name` is its path under build/results."""
    folder = folder_of(name)
    if not (folder / run_folder.SUMMARY).is_file():
        begun = (folder / run_folder.OPTIONS).is_file()
        train(load_options(folder) if begun else options(folder), Console())
    return folder


def bccd(name: str, **changes: Any) -> Path:
    """The folder of a finished run of `recipes.bccd` with `changes`."""
    return run(name, lambda folder: recipes.bccd(data(), folder, **changes))
