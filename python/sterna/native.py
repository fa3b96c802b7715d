"""libsterna's module for Python, or a refusal that says what to do where it is missing."""

from __future__ import annotations

from sterna.errors import SternaError

try:
    from sterna import _native as libsterna
except ImportError as error:
    raise SternaError(
        f"the C++ module is missing or unusable ({error})", where="libsterna",
        remedy="in a checkout: make setup; otherwise reinstall sterna with pip",
    ) from error  # fmt: skip

__all__ = ["libsterna"]
