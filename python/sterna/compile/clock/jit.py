"""Compiles the cycle model with numba, and caches the result for later processes."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numba

from sterna.errors import SternaError
from sterna.spec import config, tape
from sterna.spec.paths import build_cache

Function = TypeVar("Function", bound=Callable[..., Any])

#: What decides what is compiled: this package, and the constants that it takes from others.
_SOURCES = (*sorted(Path(__file__).parent.glob("*.py")), Path(tape.__file__), Path(config.__file__))
_SETTINGS: Any = numba.config


def cache_folder() -> Path | None:
    """A folder next to the built simulators; None if it cannot be written: then every process compiles again."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES))
    folder = build_cache() / "clock" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


_FOLDER = cache_folder()


@contextmanager
def cache_in_use() -> Iterator[None]:
    """Around calls of compiled functions: raises SternaError if their cache is damaged or its disk is full."""
    try:
        yield
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise SternaError(
            f"cannot use the cached cycle model ({error})", where=str(_FOLDER),
            remedy="remove that folder, and free space on its disk",
        ) from error  # fmt: skip


def compiled(function: Function) -> Function:
    """`function` compiled by numba, from the cache if the sources have not changed.

    numba looks only at the file of a function, not at those of constants and functions that it uses: so the cache has a
    folder for each state of all sources.
    """
    folder = _FOLDER
    before = _SETTINGS.CACHE_DIR
    _SETTINGS.CACHE_DIR = "" if folder is None else str(folder)
    try:
        compiled_function: Any = numba.njit(cache=folder is not None, error_model="numpy", nogil=True)(function)
    finally:
        _SETTINGS.CACHE_DIR = before
    result: Function = compiled_function
    return result
