"""Compiling the cycle model: numba, with what it compiled kept for the next process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES = Path(__file__).parent


def compiled(function: Function) -> Function:
    """`function` compiled by numba, from the cache if this package's sources are what they were.

    numba looks only at the file of a function, not at those of constants and functions that it uses: so the cache has a
    folder for each state of all sources.
    """
    folder = _cache_folder()
    before = config.CACHE_DIR
    config.CACHE_DIR = "" if folder is None else str(folder)
    try:
        result: Function = numba.njit(cache=folder is not None, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before
    return result


def _cache_folder() -> Path | None:
    """A folder that can be written, or None: then every process compiles anew."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sterna" / "clock"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_SOURCES.glob("*.py"))))
    folder = base / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
