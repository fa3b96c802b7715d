"""`sterna data`: what a data set holds, and all its faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from sterna.train.data import DataOptions, check_data
from sterna.train.data.options import validated


def check(folder: Path, splits: str | None, options: Mapping[str, object]) -> None:
    """Print what `splits` A,B of the data set in `folder` hold, as training would see it with `options`, fields of
    DataOptions."""
    chosen = [name.strip() for name in (splits or "").split(",") if name.strip()]
    check_data(validated(DataOptions, {"data": str(folder), **options}, "data"), chosen, Console())
