"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna import files
from sterna.errors import SternaError


def test_written_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "value"
    files.write_bytes(path, b"one")
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value"
    files.write_bytes(path, b"old")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(SternaError, match="disk full"):
        files.write_atomically(path, fail)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"
