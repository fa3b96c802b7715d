from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.train.data import same

#: The middle differs beyond the probed end, the end differs, or the size.
CONTENTS = tuple(head + b"x" * same.PROBE + tail for head in (b"a", b"b", b"bb") for tail in (b"", b"c"))


@given(kinds=st.lists(st.integers(0, len(CONTENTS) - 1), min_size=1, max_size=8))
def test_files_are_the_same_if_all_of_their_bytes_are(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    paths = [str(folder / str(number)) for number in range(len(kinds))]
    for path, kind in zip(paths, kinds, strict=True):
        Path(path).write_bytes(CONTENTS[kind])
    found = same.first_of_content([*paths, paths[0]])
    assert found == {path: paths[kinds.index(kind)] for path, kind in zip(paths, kinds, strict=True)}


def test_only_files_of_one_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in range(3):
        (tmp_path / str(size)).write_bytes(b"x" * size)
    monkeypatch.setattr(same, "_end", lambda path: pytest.fail(f"{path} is read"))
    assert len(same.first_of_content(map(str, tmp_path.iterdir()))) == 3


def test_what_splits_share_is_given_in_pairs(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "3")):
        (tmp_path / name).write_text(text)
    a, b, c, d = (str(tmp_path / name) for name in "abcd")
    assert same.shared({"train": [a, b], "val": [c, d], "test": [d, b]}) == {
        ("train", "val"): [(a, c)],
        ("train", "test"): [(b, b)],
        ("val", "test"): [(d, d)],
    }
