"""Values that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.estimate.kept import kept


def test_a_value_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []
    for _ in range(2):
        assert kept(tmp_path / "new" / "value.json", lambda: made.append(1) or {"a": [1, 2]}) == {"a": [1, 2]}
    assert made == [1]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["value.json"]


@pytest.mark.parametrize("damaged", [b"", b'{"a": [1', b"\xff\xfe"])
def test_a_damaged_file_is_made_again(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "value.json"
    path.write_bytes(damaged)
    assert kept(path, lambda: 3) == 3
    assert path.read_text() == "3"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        kept(tmp_path / "file" / "value.json", lambda: 3)
