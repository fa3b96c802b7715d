"""Images are found in folders, each once, and what is passed over is told to whoever asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.vision import image_search


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.jpg", "deep/c.png", ".hidden/d.png", "out/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


def names(found: list[Path]) -> list[str]:
    return [path.name for path in found]


def test_a_folder(folder: Path) -> None:
    said: list[str] = []
    assert names(image_search.find([folder], say=said.append)) == ["a.jpg", "b.png"]
    assert said == [f"{folder}: 2 images; not read: 2 sub-folders (--recursive reads them), 1 file of other kinds"]


def test_folders_in_folders(folder: Path) -> None:
    assert set(names(image_search.find([folder], recursive=True))) == {"a.jpg", "b.png", "c.png", "e.png"}
    assert "e.png" not in names(image_search.find([folder], recursive=True, apart=folder / "out"))


def test_each_once(folder: Path) -> None:
    said: list[str] = []
    assert names(image_search.find([folder / "b.png", folder, folder / "b.png"], say=said.append)) == ["b.png", "a.jpg"]
    assert said[-1] == "2 images named twice: read once"


def test_all_that_cannot_be_read_are_named(folder: Path) -> None:
    image_search.check([folder / "b.png"])
    (folder / "b.png").write_text("no image")
    (folder / "a.jpg").write_text("nor this")
    with pytest.raises(SternaError, match=r"b\.png"):
        image_search.check([folder / "b.png"])
    with pytest.raises(SternaError, match="2 faults"):
        image_search.check(image_search.find([folder]))
