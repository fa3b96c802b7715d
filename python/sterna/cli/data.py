"""`sterna data`: what a data set holds, and all its faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from sterna.errors import SternaError
from sterna.train.data import DataOptions, check_data
from sterna.train.data.class_folders import check_classes, fits
from sterna.train.data.options import HARD_SCENES, SCENES


def check_folder(folder: Path, splits: str | None, options: Mapping[str, object]) -> None:
    """Print what `splits` A,B of the data set in `folder` hold, as training would see it with `options`, fields of
    DataOptions."""
    if str(folder) in (SCENES, HARD_SCENES) and not folder.exists():
        raise SternaError(
            "generated scenes have no files to check", where=str(folder), remedy="give the folder of a data set"
        )
    chosen = [name.strip() for name in (splits or "").split(",") if name.strip()]
    checked = DataOptions.model_validate({"data": str(folder), **options}, context="data")
    check = check_classes if fits(folder) else check_data
    check(checked, chosen, Console())
