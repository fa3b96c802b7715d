from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from sterna.errors import FaultsError, SternaError
from sterna.train.data import Splits
from sterna.train.data.class_folders import (
    ClassImages,
    check_classes,
    counts,
    fits,
    open_class_split,
    open_classes,
)
from sterna.train.data.options import DataOptions
from sterna.vision import maps


def put(folder: Path, *names: str, size: tuple[int, int] = (6, 4)) -> None:
    """Images, each of a grey of its own."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size, 10 * number).save(path)


def opened(folder: Path, console: Console | None = None, **changes: object) -> Splits:
    return open_classes(DataOptions(data=str(folder), height=8, width=10, **changes), console=console)  # type: ignore[arg-type]


def test_classes_are_the_folders_of_the_training_images(tmp_path: Path) -> None:
    put(tmp_path, "train/b/1.png", "train/a/2.jpg", "train/a/1.png", "valid/b/1.png", "test/a/1.png", "test/b/2.png")
    (tmp_path / "train" / ".hidden").mkdir()
    (tmp_path / "train" / "a" / "notes.txt").write_text("no image")
    found = opened(tmp_path)
    assert isinstance(found.train, ClassImages) and found.train.classes == ("a", "b")
    assert [path.name for path in found.train.paths] == ["1.png", "2.jpg", "1.png"]
    assert found.train.kinds.tolist() == [0, 0, 1] and found.train.kinds.dtype == np.int64
    assert [counts(each) for each in (found.val, found.test)] == [{"a": 0, "b": 1}, {"a": 1, "b": 1}]
    frame = found.train[2]
    assert frame.image.shape == (8, 10, 3) and frame.image.dtype == np.uint8 and not frame.image.any()
    assert frame.boxes.tolist() == [[0, 0, 10, 8]] and frame.classes.tolist() == [1]
    assert found.train.resized(4, 5)[2].boxes.tolist() == [[0, 0, 5, 4]]


@pytest.mark.parametrize("only", ["val", "test"])
def test_one_split_beside_the_training_images_is_enough(tmp_path: Path, only: str) -> None:
    put(tmp_path, "train/a/1.png", "train/b/1.png", f"{only}/a/1.png")
    found = opened(tmp_path)
    assert found.val is found.test and len(found.val) == 1


def test_images_without_splits_are_held_back(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{number}.png" for name in ("a", "b") for number in range(10)))
    console = Console(width=100, record=True)
    found = opened(tmp_path, console, val_share=0.2, test_share=0.1)
    assert [len(each) for each in (found.train, found.val, found.test)] == [14, 4, 2]
    assert "split val is a share of 0.2 of split train" in console.export_text()
    assert len(opened(tmp_path, val_share=0.2, train_share=0.5).train) == 8


def test_classes_are_chosen_and_renamed(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.png", "train/b/1.png", "train/c/1.png", "val/c/2.png", "val/d/1.png")
    found = opened(tmp_path, rename="c=x", classes="x,a")
    assert found.train.classes == ("x", "a") and counts(found.train) == {"x": 1, "a": 1}
    assert counts(found.val) == {"x": 1, "a": 0}
    with pytest.raises(SternaError, match="classes = c; allowed: a, b, x"):
        opened(tmp_path, rename="c=x", classes="c")
    alone = open_class_split(tmp_path, "val", 8, 8, ("a", "c"))
    assert counts(alone) == {"a": 0, "c": 1}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), r"holds no images in folders of classes; allowed: SPLIT/CLASS/IMAGE"),
        (("train/a/1.png", "test/a/1.png"), r"has no two classes; classes = a"),
        (("train/a/1.png", "train/b/1.png"), r"no split for validation .*hold images back with --val-share"),
        (("train/a/1.png", "train/b/1.png", "val/c/1.png"), r"val: holds a class .* class = c; allowed: a, b"),
        (("train/a/1.png", "train/b/1.png", "val/1.png"), r"no split for validation"),
        (("data.yaml.d/1.png",), r"holds no images in folders"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    put(tmp_path, *names)
    with pytest.raises(SternaError, match=message):
        opened(tmp_path)


def test_data_with_boxes_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "train/images/1.png", "train/labels/1.png")
    assert fits(tmp_path)
    (tmp_path / "data.yaml").write_text("train: train/images\nval: train/images\nnames: [cat, dog]\n")
    assert not fits(tmp_path)
    with pytest.raises(SternaError, match=r"are not images in folders of classes; data = a data set of boxes \(yolo\)"):
        opened(tmp_path)


def test_damaged_images_are_all_named_before_training(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.png", "train/a/2.png", "train/b/1.png", "val/a/3.png")
    for name in ("train/a/1.png", "val/a/3.png"):
        (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(FaultsError) as refused:
        opened(tmp_path)
    assert [Path(str(fault.where)).name for fault in refused.value.faults] == ["1.png", "3.png"]
    assert "--skip-bad" in str(refused.value)
    put(tmp_path, "val/b/1.png")
    console = Console(width=200, record=True)
    assert len(opened(tmp_path, console, skip_bad=True).train) == 2
    assert "left out" in console.export_text()


def test_a_damaged_body_is_found_if_images_are_decoded(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.bmp", "train/b/1.png", "val/a/1.png", size=(64, 64))
    cut = tmp_path / "train" / "a" / "1.bmp"
    cut.write_bytes(cut.read_bytes()[:-30])
    assert len(opened(tmp_path).train) == 2
    with pytest.raises(SternaError, match=r"1\.bmp: the image cannot be read"):
        opened(tmp_path, decode=True)


def test_a_check_shows_every_split(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.png", "train/b/2.png")
    put(tmp_path, "val/a/1.png")
    console = Console(width=100, record=True)
    check_classes(DataOptions(data=str(tmp_path)), (), console)
    said = console.export_text()
    assert "train" in said and "val" in said and "identical" in said
    with pytest.raises(SternaError, match="no such split; split = best; allowed: train, val"):
        check_classes(DataOptions(data=str(tmp_path)), ["best"], console)


def put_map(folder: Path, name: str, values: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=True)


def test_maps_of_other_channels_are_read_as_they_are(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (8, 9, 5)).astype(np.uint8)
    for name in ("train/a/1.npy", "train/b/1.npy", "test/b/1.npy"):
        put_map(tmp_path, name, values)
    put(tmp_path, "train/a/1.png")
    found = open_classes(DataOptions(data=str(tmp_path), height=8, width=9), 5)
    assert len(found.train) == 2
    np.testing.assert_array_equal(found.test[0].image, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 2, 5), np.uint8), r"another kind; dtype, shape = uint8 \(3, 2, 5\); allowed: uint8 \(2, 3, 5\)"),
        (np.zeros((2, 3, 5), np.int8), "is a map of another kind; dtype, shape = int8"),
        (np.array([{}], object), r"1\.npy: is no readable map; allowed: an array of numpy, \.npy"),
    ],
)
def test_other_maps_are_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    put_map(tmp_path, "1.npy", values)
    with pytest.raises(SternaError, match=message):
        maps.read(tmp_path / "1.npy", (2, 3, 5))


def test_a_damaged_map_is_refused(tmp_path: Path) -> None:
    put_map(tmp_path, "whole.npy", np.zeros((2, 3, 5), np.uint8))
    whole = (tmp_path / "whole.npy").read_bytes()
    for damaged in (b"", b"no map", whole[:40], whole[:-1], whole.replace(b"(2, 3, 5)", b"(2, 3, 9999999)")):
        (tmp_path / "1.npy").write_bytes(damaged)
        with pytest.raises(SternaError, match=r"is no readable map"):
            maps.read(tmp_path / "1.npy", (2, 3, 5))
    with pytest.raises(SternaError, match=r"none\.npy: is no readable map"):
        maps.read(tmp_path / "none.npy", (2, 3, 5))
