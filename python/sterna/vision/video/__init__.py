"""Videos: reading and writing them, tracks, counting lines and zones, unusual movement.

What it needs is in the extra `video`; nothing outside this folder imports it before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sterna.errors import SternaError


@contextmanager
def needed_for(what: str) -> Iterator[None]:
    """Around an import from this folder: raises SternaError if the extra is not installed. what: needs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SternaError(
            f"{what} needs a package that is not installed", attribute="package", value=error.name,
            remedy="pip install 'sterna[video]'",
        ) from None  # fmt: skip
