"""Packages that only some of Sterna needs: the extras of pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sterna.errors import SternaError

VIDEO, INTEROP, CORRUPTIONS = "video", "interop", "corruptions"
NEEDED_FOR = {
    VIDEO: "videos",
    INTEROP: "ONNX models and high-level synthesis",
    CORRUPTIONS: "images made worse",
}
"""What each extra is for, by its name."""


def remedy(extra: str) -> str:
    """The command that installs the packages of `extra`."""
    return f"pip install 'sterna[{extra}]'"


@contextmanager
def needed_for(what: str, extra: str) -> Iterator[None]:
    """Around an import of packages of `extra`: raises SternaError if one is not installed. what: needs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SternaError(
            f"{what} needs a package that is not installed", attribute="package", value=error.name,
            remedy=remedy(extra),
        ) from None  # fmt: skip
