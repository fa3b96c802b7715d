from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sterna.errors import FaultsError, SternaError
from sterna.train.data import ReadOptions
from sterna.train.data.parts import open_images
from support import data_sets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        data_sets.draw(tmp_path / "deeper", number)
    for name in ("film.gif", "._p0.jpg", ".DS_Store", "notes.txt"):
        (tmp_path / name).write_text("x")
    return tmp_path


@pytest.mark.case(
    "unlabelled-folder-with-other-files",
    kind="layout",
    expected="images are read from all folders within, and what is passed over is told",
)
def test_what_is_passed_over_is_told(folder: Path, got: Callable[[str], None]) -> None:
    console = Console(width=300, file=io.StringIO())
    assert len(open_images(folder, ("cat",), 32, 64, ReadOptions(), console)) == 3
    told = console.file.getvalue().strip()  # type: ignore[attr-defined]
    assert told == f"images without labels in {folder}: 3, ignored: 1 *.gif, 1 *.txt, 2 of the system"
    got(told.replace(str(folder), "FOLDER"))


def test_images_that_cannot_be_read_are_all_named_or_left_out(folder: Path) -> None:
    for name in ("p0.jpg", "p2.jpg"):
        (folder / "deeper" / name).write_text("no image")
    with pytest.raises(FaultsError, match=r"2 faults.*--skip-bad") as refused:
        open_images(folder, ("cat",), 32, 64, ReadOptions())
    assert [Path(str(fault.where)).name for fault in refused.value.faults] == ["p0.jpg", "p2.jpg"]
    console = Console(width=300, file=io.StringIO())
    assert len(open_images(folder, ("cat",), 32, 64, ReadOptions(skip_bad=True), console)) == 1
    assert console.file.getvalue().count("left out") == 2  # type: ignore[attr-defined]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"no images to learn from; unlabelled = "):
        open_images(tmp_path, ("cat",), 32, 64, ReadOptions())
