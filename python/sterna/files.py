"""Files that are put in place whole: a stop at any moment leaves the old or the new one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sterna.errors import SternaError


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a neighbour of `path`, then put it in its place. Raises SternaError if it cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        with suppress(OSError):
            partial.unlink()
        raise SternaError(
            f"the file cannot be written ({getattr(error, 'strerror', None) or error})",
            where=str(path),
            remedy="make room or choose another folder",
        ) from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` as the file `path`, atomically. Raises SternaError if it cannot be written."""
    write_atomically(path, lambda partial: partial.write_bytes(data))
