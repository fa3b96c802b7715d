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
from sterna.files import write_bytes
from sterna.train import load_options, recipes, run_folder, train
from sterna.train.options import TrainOptions
from sterna.train.report.history import EpochLine

MARK = "commit"  # file in the folder of a run: the commit that it was trained at
RUNS = ROOT / "build" / "results"
BCCD, TOLL_ROAD, VOC = "BCCD", "TOLLROAD", "VOC"  # data sets, and what the environment calls their folders
#: Size of the images where trainings are compared with each other: a quarter of the recipe's pixels.
SMALL = {"height": 96, "width": 128}


def data(name: str = BCCD) -> Path:
    """The folder of the data set `name`; raises SternaError if the environment names none."""
    folder = os.environ.get(name)
    if not folder:
        raise SternaError("no data folder is named", where="results", remedy=f"make results-NAME {name}=FOLDER")
    return Path(folder)


def summary(folder: Path) -> dict[str, Any]:
    """The metrics of the run in `folder`."""
    return _read(folder / run_folder.SUMMARY)


def origin(folder: Path) -> dict[str, str]:
    """Columns of a row that say where the run in `folder` was trained: machine and commit."""
    return {"trained_on": str(summary(folder)["device"]), "commit": (folder / MARK).read_text("utf-8")}


def log(folder: Path) -> list[EpochLine]:
    """The epochs of the run in `folder`."""
    return _read(folder / run_folder.LOG)


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def folder_of(name: str) -> Path:
    """The folder of the run `name`, its path under build/results; emptied if it holds a run of another commit."""
    folder = RUNS / name
    mark = folder / MARK
    if not mark.is_file() or mark.read_text("utf-8") != commit():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_bytes(mark, commit().encode())
    return folder


def run(name: str, options: Callable[[Path], TrainOptions]) -> Path:
    """The folder of a finished run of `options`, which are given the folder; `name` is its path under build/results.

    A run of this name that $TRAINED holds is taken as it is, whatever commit it was trained at.
    """
    brought = _brought(name)
    if brought is not None:
        return brought
    folder = folder_of(name)
    if not (folder / run_folder.SUMMARY).is_file():
        begun = (folder / run_folder.OPTIONS).is_file()
        train(load_options(folder) if begun else options(folder), Console())
    return folder


def _brought(name: str) -> Path | None:
    """The folder of the finished run `name` in $TRAINED, where runs lie that were trained elsewhere, if it is there."""
    folders = os.environ.get("TRAINED")
    if not folders:
        return None
    folder = Path(folders) / name
    return folder if (folder / MARK).is_file() and (folder / run_folder.SUMMARY).is_file() else None


def finished(name: str) -> bool:
    """Whether `run` would find a finished run of this name, and train nothing."""
    folder = RUNS / name
    kept = (folder / run_folder.SUMMARY).is_file() and (folder / MARK).read_text("utf-8") == commit()
    return kept or _brought(name) is not None


def bccd(name: str, **changes: Any) -> Path:
    """The folder of a finished run of `recipes.bccd` with `changes`."""
    return run(name, lambda folder: recipes.bccd(data(), folder, **changes))
