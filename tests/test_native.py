"""Where libsterna's module is missing, a refusal says what to do."""

from __future__ import annotations

import importlib
import sys

import pytest

import sterna
from sterna import native
from sterna.errors import SternaError


def test_a_module_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(sterna, "_native")
        patch.setitem(sys.modules, "sterna._native", None)
        with pytest.raises(SternaError, match=r"libsterna: .* is missing or unusable .*; remedy: .*make setup"):
            importlib.reload(native)
    assert importlib.reload(native).libsterna.available_simd()
