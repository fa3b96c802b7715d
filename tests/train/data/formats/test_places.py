"""Files that a list names: where it says, or where they were moved to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.train.data.formats.places import Locator, label_folders


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def found(root: Path, *texts: str) -> list[str]:
    locator = Locator(root / "train.txt", [root])
    return [str(path.relative_to(root)) for path in locator.files(texts)]


@pytest.mark.parametrize(
    ("written", "here"),
    [
        ("obj/a.png", "obj/a.png"),
        ("./obj/a.png", "obj/a.png"),
        ("obj\\a.png", "obj/a.png"),
        ("data/obj/a.png", "obj/a.png"),
        ("/home/other/set/obj/a.png", "obj/a.png"),
        ("C:\\Users\\other\\obj\\a.png", "obj/a.png"),
        ("../obj/a.png", "obj/a.png"),
        ("data/a.png", "a.png"),
        ("obj/a.png", "obj/a.PNG"),
        ("obj/d%C3%A9cran.png", "obj/décran.png"),
        ("obj/décran.png", "obj/d%C3%A9cran.png"),
        ("obj/de\u0301cran.png", "obj/d\u00e9cran.png"),
        ("obj\\a.png", "obj\\a.png"),
    ],
)
def test_a_file_is_found_where_its_tail_says(tmp_path: Path, written: str, here: str) -> None:
    make(tmp_path / "set", here)
    assert found(tmp_path / "set", written) == [here]


def test_the_files_of_a_folder_stay_together(tmp_path: Path) -> None:
    """One that is missing is not taken from elsewhere."""
    make(tmp_path, "data/obj/a.png", "obj/b.png")
    assert found(tmp_path, "data/obj/a.png", "data/obj/b.png") == ["data/obj/a.png", "data/obj/b.png"]


def test_a_tail_that_fits_two_folders_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "obj/a.png", "a.png")
    with pytest.raises(SternaError, match=r"fits several folders; path = data/obj/a\.png; allowed: .*obj or "):
        found(tmp_path, "data/obj/a.png")
    assert found(tmp_path, "a.png") == ["a.png"]


def test_the_folder_with_most_of_the_files_is_meant(tmp_path: Path) -> None:
    """Numbered names occur in many folders."""
    make(tmp_path, "obj/1.png", "obj/2.png", "1.png")
    assert found(tmp_path, "data/obj/1.png", "data/obj/2.png") == ["obj/1.png", "obj/2.png"]


def test_steps_are_looked_at_one_after_the_other(tmp_path: Path) -> None:
    make(tmp_path, "b/a.png", "c/a.png")
    near, b, c = tmp_path / "near", tmp_path / "b", tmp_path / "c"
    assert Locator(tmp_path / "list", [near], [[b], [c]]).files(["a.png"]) == [b / "a.png"]
    with pytest.raises(SternaError, match="fits several folders"):
        Locator(tmp_path / "list", [near], [[b, c]]).files(["a.png"])


def test_a_name_that_fits_two_files_is_neither(tmp_path: Path) -> None:
    make(tmp_path, "obj/b b.png", "obj/b%20b.png", "obj/a.Png", "obj/a.PNG")
    assert found(tmp_path, "obj/b b.png") == ["obj/b b.png"]
    assert found(tmp_path, "obj/a.png") == ["obj/a.png"]  # which is not there


def test_what_is_nowhere_is_given_where_it_should_be(tmp_path: Path) -> None:
    long = "x" * 5000 + ".png"
    assert found(tmp_path, "obj/a.png", long) == ["obj/a.png", long]
    assert Locator(tmp_path, [tmp_path]).place(long) is None


def test_notes_say_what_is_not_where_it_is_written(tmp_path: Path) -> None:
    make(tmp_path, "obj/a.png")
    locator = Locator(tmp_path / "train.txt", [tmp_path])
    locator.files(["obj/a.png"])
    assert not locator.notes
    locator.files(["data/obj/a.png"])
    assert locator.notes == [f"train.txt: data/obj/a.png is read as {tmp_path}/obj/a.png"]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("images/train", ["labels/train", "images/train"]),
        ("train/images", ["train/labels", "train/images"]),
        ("images/set/images/a", ["images/set/labels/a", "images/set/images/a"]),
        ("Images", ["Labels", "Images"]),
        ("JPEGImages", ["labels", "JPEGImages"]),
        ("obj", ["obj"]),
    ],
)
def test_label_files_lie_in_the_parallel_folder_or_beside(tmp_path: Path, images: str, labels: list[str]) -> None:
    for name in (images, labels[0]):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    assert label_folders(tmp_path / images) == [tmp_path / name for name in labels]
