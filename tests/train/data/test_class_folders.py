from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.train.data.class_folders import open_classes, read_map


def put(folder: Path, *names: str, size: tuple[int, int] = (6, 4)) -> None:
    """Images, each of a grey of its own."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size, 10 * number).save(path)


def test_classes_are_the_folders_of_the_training_images(tmp_path: Path) -> None:
    put(tmp_path, "train/b/1.png", "train/a/2.jpg", "train/a/1.png", "val/b/1.png", "test/a/1.png", "test/b/2.png")
    (tmp_path / "train" / ".hidden").mkdir()
    (tmp_path / "train" / "a" / "notes.txt").write_text("no image")
    found = open_classes(tmp_path, 3, 5)
    assert found.train.classes == ("a", "b")
    assert [path.name for path in found.train.paths] == ["1.png", "2.jpg", "1.png"]
    assert found.train.labels.tolist() == [0, 0, 1] and found.train.labels.dtype == np.int64
    assert found.val.labels.tolist() == [1] and found.test.labels.tolist() == [0, 1]
    image = found.train[2]
    assert image.shape == (3, 5, 3) and image.dtype == np.uint8 and not image.any()


@pytest.mark.parametrize("only", ["val", "test"])
def test_one_split_beside_the_training_images_is_enough(tmp_path: Path, only: str) -> None:
    put(tmp_path, "train/a/1.png", "train/b/1.png", f"{only}/a/1.png")
    found = open_classes(tmp_path, 4, 4)
    assert found.val is found.test and len(found.val) == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), r"train: there is no such folder; allowed: SPLIT/CLASS/IMAGE"),
        (("train/a/1.png", "test/a/1.png"), r"train: has no two classes; folders = a"),
        (("train/a/1.png", "train/b/1.png"), r"holds no images but those for training; .*allowed: val or test"),
        (("train/a/1.png", "train/b/1.png", "val/c/1.png"), r"val: holds a class .* class = c; allowed: a, b"),
        (("train/a/1.png", "train/b/1.png", "val/1.png"), r"val: holds no images"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    put(tmp_path, *names)
    with pytest.raises(SternaError, match=message):
        open_classes(tmp_path, 4, 4)


def test_a_damaged_image_is_refused_when_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/1.png")
    (tmp_path / "train" / "a" / "1.png").write_bytes(b"no image")
    with pytest.raises(SternaError, match=r"1\.png: is not a readable image"):
        _ = open_classes(tmp_path, 4, 4).train[0]


def put_map(folder: Path, name: str, values: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=True)


def test_maps_of_other_channels_are_read_as_they_are(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (2, 3, 5)).astype(np.uint8)
    for name in ("train/a/1.npy", "train/b/1.npy", "test/b/1.npy"):
        put_map(tmp_path, name, values)
    put(tmp_path, "train/a/1.png")
    found = open_classes(tmp_path, 2, 3, 5)
    assert len(found.train) == 2
    np.testing.assert_array_equal(found.test[0], values)


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
        read_map(tmp_path / "1.npy", (2, 3, 5))


def test_a_damaged_map_is_refused(tmp_path: Path) -> None:
    put_map(tmp_path, "whole.npy", np.zeros((2, 3, 5), np.uint8))
    whole = (tmp_path / "whole.npy").read_bytes()
    for damaged in (b"", b"no map", whole[:40], whole[:-1], whole.replace(b"(2, 3, 5)", b"(2, 3, 9999999)")):
        (tmp_path / "1.npy").write_bytes(damaged)
        with pytest.raises(SternaError, match=r"is no readable map"):
            read_map(tmp_path / "1.npy", (2, 3, 5))
    with pytest.raises(SternaError, match=r"none\.npy: is no readable map"):
        read_map(tmp_path / "none.npy", (2, 3, 5))
