"""Where what is built is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.spec import paths


def test_build_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STERNA_BUILD_DIR", raising=False)
    assert paths.build_cache() == paths.ROOT / paths.BUILT
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.build_cache() == tmp_path / "sterna"
    monkeypatch.setenv("STERNA_BUILD_DIR", str(tmp_path / "b"))
    assert paths.build_cache() == tmp_path / "b"


def test_make_and_the_command_line_share_what_is_built() -> None:
    assert "STERNA_BUILD_DIR" not in (paths.ROOT / "Makefile").read_text("utf-8")
