"""Compiles the cycle model by numba, with what it compiled kept for the next process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

from sterna.run.simulator import default_build_dir

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES = Path(__file__).parent
_SETTINGS: Any = numba.config


def compiled(function: Function) -> Function:
    """`function` compiled by numba, from the cache if this package's sources are what they were.

    numba looks only at the file of a function, not at those of constants and functions that it uses: so the cache has a
    folder for each state of all sources.
    """
    folder = _cache_folder()
    before = _SETTINGS.CACHE_DIR
    _SETTINGS.CACHE_DIR = "" if folder is None else str(folder)
    try:
        compiled_function: Any = numba.njit(cache=folder is not None, error_model="numpy")(function)
    finally:
        _SETTINGS.CACHE_DIR = before
    result: Function = compiled_function
    return result


@cache
def _cache_folder() -> Path | None:
    """A folder beside the built simulators; None if it cannot be written: then every process compiles anew."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_SOURCES.glob("*.py"))))
    folder = default_build_dir() / "clock" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
