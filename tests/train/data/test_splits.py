from __future__ import annotations

import io
import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sterna.errors import SternaError
from sterna.train.data import DataOptions, Dataset, check, open_data, open_split
from sterna.train.data.statistics import object_sizes, table
from support import data_sets


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_sets.write_voc(tmp_path_factory.mktemp("data") / "voc")


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_sets.write_coco(tmp_path_factory.mktemp("data") / "coco")


def options(folder: Path, **changes: object) -> DataOptions:
    return DataOptions.model_validate({"data": str(folder), "height": 32, "width": 64, **changes})


def names(data: object, index: int) -> list[str]:
    return [data.classes[kind] for kind in data.labels(index).classes]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", data_sets.WRITERS)
def test_classes_kept_are_numbered_as_named_and_others_dropped(tmp_path: Path, kind: str) -> None:
    folder = data_sets.WRITERS[kind](tmp_path / "set")
    splits = open_data(options(folder, classes=("dog",)))
    assert splits.train.classes == splits.val.classes == splits.test.classes == ("dog",)
    assert [names(splits.train, index) for index in range(3)] == [["dog"], ["dog"], []]
    assert len(splits.train) == 3  # an image whose objects are all dropped still shows background
    np.testing.assert_allclose(splits.train.labels(0).boxes, [[0, 0, 32, 16]], atol=1e-4)
    swapped = open_data(options(folder, classes=("dog", "cat"))).train
    assert swapped.classes == ("dog", "cat") and names(swapped, 0) == ["dog", "cat"]


def test_names_are_changed_before_classes_are_chosen(voc: Path, coco: Path) -> None:
    for folder in (voc, coco):
        both = open_data(options(folder, rename={"cat": "pet", "dog": "pet"})).train
        assert both.classes == ("pet",) and names(both, 0) == ["pet", "pet"]
        chosen = {"rename": {"cat": "lion"}, "classes": ("lion",)}
        one = open_data(options(folder, **chosen, test_split="train"))
        assert names(one.train, 0) == ["lion"] and check(one.train).left_out == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("cat", "bird")}, "no such class; classes = bird; allowed: cat, dog"),
        ({"rename": {"bird": "dog"}}, "no such class; rename = bird; allowed: cat, dog"),
        ({"rename": {"cat": "lion"}, "classes": ("cat",)}, "classes = cat; allowed: lion, dog"),
        ({"train_split": "all"}, "split = all; allowed: test, train, val"),
        ({"val_split": "all"}, "split = all; allowed: test, train, val"),
        ({"test_split": "all"}, "split = all; allowed: test, train, val"),
    ],
)
def test_what_the_data_set_does_not_have_is_refused(
    voc: Path, coco: Path, change: dict[str, object], message: str
) -> None:
    for folder in (voc, coco):
        with pytest.raises(SternaError, match=message):
            open_data(options(folder, **change))


def test_a_class_that_is_named_twice_is_refused(voc: Path) -> None:
    with pytest.raises(SternaError, match="cat is named twice; classes = cat,dog,cat"):
        DataOptions(data=str(voc), classes="cat,dog,cat")


def test_a_class_that_training_does_not_see_is_refused_unless_classes_are_named(voc: Path) -> None:
    with pytest.raises(SternaError, match=r"p3\.jpg.*do not have; class = cat; allowed: dog"):
        open_data(options(voc, train_split="test", test_split="train"))
    chosen = open_data(options(voc, train_split="test", test_split="train", classes=("dog",)))
    assert check(chosen.test).left_out == 2


def test_a_split_without_objects_is_refused(voc: Path, tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"split test: no labelled object .* = cat; allowed: dog; remedy"):
        open_data(options(voc, train_split="val", val_split="test", classes=("cat",)))
    with pytest.raises(SternaError, match="split test: no labelled object"):
        open_split(voc, "test", 32, 32, ("bird",))


def test_the_split_to_watch_and_to_judge_by_stand_in_for_each_other(tmp_path: Path) -> None:
    folder = data_sets.write_coco(tmp_path)
    whole = open_data(options(folder))
    assert (len(whole.val), len(whole.test)) == (1, 2)
    (folder / "annotations/instances_test2017.json").unlink()
    assert len(open_data(options(folder)).test) == 1
    folder = data_sets.write_coco(tmp_path / "other")
    (folder / "annotations/instances_val2017.json").unlink()
    assert len(open_data(options(folder)).val) == 2


def test_an_evaluation_leaves_out_what_the_network_does_not_know(voc: Path) -> None:
    data = open_split(voc, "train", 32, 64, ("cat", "horse"))
    assert data.classes == ("cat", "horse") and names(data, 0) == ["cat"]
    assert check(data).warnings == [
        "objects of classes not in --classes, left out: 2",
        "classes without an object: horse",
    ]


def test_statistics_count_what_is_there(voc: Path) -> None:
    found = check(open_data(options(voc, height=256, width=512)).train)
    assert (found.images, found.empty, found.boxes) == (3, 0, {"cat": 2, "dog": 2})
    assert (found.small, found.medium, found.large) == (0, 0, 4)
    assert (found.thin, found.difficult, found.crowd) == (0, 1, 0)
    tiny = check(open_data(options(voc)).train.resized(4, 8))
    assert tiny.small == 4 and tiny.thin == 1
    assert check(open_data(options(voc)).train.resized(2, 2)).thin == 4
    assert tiny.warnings == ["objects thinner than 2 pixels: not trained on, but counted in evaluation: 1"]
    assert [column.header for column in table({"train": found}, {}, "Data").columns] == ["", "train"]


def test_statistics_tell_difficult_from_crowd(coco: Path) -> None:
    found = check(open_data(options(coco)).train)
    assert (found.difficult, found.crowd) == (0, 1)


def test_sizes_of_objects_leave_out_what_is_not_learnt(voc: Path, coco: Path) -> None:
    for folder in (voc, coco):  # each marks one object of four, the one as difficult, the other as crowd
        np.testing.assert_allclose(object_sizes(open_data(options(folder)).train), [[32, 16], [32, 16], [16, 16]])
    narrow = open_data(options(voc)).train.resized(4, 7)  # the last of the three becomes thin
    np.testing.assert_allclose(object_sizes(narrow), [[3.5, 2], [3.5, 2]])


def test_generated_scenes_come_in_three_splits() -> None:
    scenes = {"train_scenes": 3, "val_scenes": 1, "test_scenes": 2, "workers": 0}
    splits = open_data(DataOptions.model_validate({"height": 64, "width": 64, **scenes}))
    assert (len(splits.train), len(splits.val), len(splits.test)) == (3, 1, 2)
    assert splits.train[1].image.shape == (64, 64, 3)
    large = splits.train.resized(128, 96)
    assert large[1].image.shape == (128, 96, 3)
    np.testing.assert_allclose(large.labels(1).boxes, splits.train.labels(1).boxes * [1.5, 2, 1.5, 2], rtol=1e-6)
    np.testing.assert_array_equal(splits.train.labels(1).boxes, splits.train[1].boxes)


def plain(folder: Path, contents: Sequence[int]) -> Path:
    """A folder of images with annotations beside them, without splits; images of one number are the same."""
    for number, content in enumerate(contents):
        data_sets.draw(folder, content)
        (folder / f"{data_sets.name(content)}.jpg").rename(folder / f"{number:03}.jpg")
        (folder / f"{number:03}.xml").write_text(
            data_sets.voc_annotation(data_sets.voc_object("dog", (0, 0, 9 + number, 9)))
        )
    return folder


def widths(data: Dataset) -> list[int]:
    """Which images a data set has, told by the width of their objects."""
    return sorted(round(float(data.labels(index).boxes[0, 2]) / 2) - 9 for index in range(len(data)))


SHARES = {
    "kind": "layout",
    "expected": "without splits val and test, shares are held back by the seed, and no image is in two of them",
}


@pytest.mark.case("a-folder-without-splits", **SHARES)
def test_shares_of_a_folder_without_splits_are_held_back(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = plain(tmp_path, range(20))
    shares = {"height": 64, "width": 160, "val_share": 0.1, "test_share": 0.2}
    splits = open_data(options(folder, **shares))
    parts = [widths(part) for part in (splits.train, splits.val, splits.test)]
    assert [len(part) for part in parts] == [14, 2, 4] and sorted(itertools.chain(*parts)) == list(range(20))
    again = open_data(options(folder, **shares))
    assert [widths(part) for part in (again.train, again.val, again.test)] == parts
    assert widths(open_data(options(folder, **shares, seed=1)).val) != parts[1]
    alone = open_data(options(folder, **(shares | {"test_share": 0})))
    assert widths(alone.val) == widths(alone.test) == parts[1]
    got("20 images, --val-share 0.1 --test-share 0.2: 14 to train on, 2 and 4 held back, the same ones each time")


@pytest.mark.case("a-folder-without-splits", **SHARES)
def test_the_same_image_is_not_held_back_and_trained_on(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = plain(tmp_path, [number % 7 for number in range(21)])
    splits = open_data(options(folder, height=64, width=160, val_share=0.15, test_share=0.15))
    contents = [{width % 7 for width in widths(part)} for part in (splits.train, splits.val, splits.test)]
    assert sorted(kind for part in contents for kind in part) == list(range(7))
    got("21 files with 7 contents: the copies of each are in one split")


@pytest.mark.case("a-folder-without-splits", **SHARES)
def test_a_folder_without_splits_is_refused_with_what_to_do(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = plain(tmp_path, range(3))
    with pytest.raises(SternaError, match=r"splits = train; .*--val-share 0\.1 --test-share 0\.1") as refused:
        open_data(options(folder))
    got(f"without shares refused: {refused.value.what}")
    with pytest.raises(SternaError, match=r"too few different images.*images = 3"):
        open_data(options(folder, val_share=0.5, test_share=0.5))


def test_a_share_beside_a_split_is_refused(voc: Path) -> None:
    with pytest.raises(SternaError, match=r"has such a split; val_share = 0\.1; allowed: 0, with split val"):
        open_data(options(voc, val_share=0.1))


def told(folder: Path, **changes: object) -> str:
    console = Console(width=120, file=io.StringIO())
    open_data(options(folder, **changes), console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.case(
    "the-same-image-in-two-splits",
    kind="layout",
    expected="images that are in several splits, byte for byte, are counted and warned of",
)
def test_images_in_several_splits_are_warned_of(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = data_sets.write_voc(tmp_path)
    assert "identical to" not in told(folder)
    shutil.copy(folder / "JPEGImages/p0.jpg", folder / "JPEGImages/p3.jpg")
    line = next(line for line in told(folder).splitlines() if "identical to" in line)
    assert line == "warning: images of val that are identical to images of train: 1 (p3.jpg is p0.jpg)"
    got(line)


@pytest.mark.case(
    "a-split-for-two-purposes",
    kind="a missing partner counts as empty",
    expected="a split that is used for two purposes is said",
)
def test_stand_ins_are_said(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = data_sets.write_voc(tmp_path)
    (folder / "ImageSets/Main/val.txt").unlink()
    line = "note: split test is used both for validation and for the final metrics"
    assert line in told(folder)
    got(line)
    assert "warning: split train is trained on and used for the final metrics" in told(folder, test_split="train")


@pytest.mark.case(
    "a-class-without-objects",
    kind="a missing partner counts as empty",
    expected="a class without an object in a split is warned of",
)
def test_a_class_without_objects_is_warned_of(tmp_path: Path, got: Callable[[str], None]) -> None:
    line = "warning: test: classes without an object: cat"
    assert line in told(data_sets.write_voc(tmp_path))
    got(line)


def test_what_several_splits_have_is_said_once(tmp_path: Path) -> None:
    folder = data_sets.write_voc(tmp_path)
    lists = folder / "ImageSets/Main"
    shutil.copy(lists / "test.txt", lists / "val.txt")
    assert "warning: val, test: classes without an object: cat" in told(folder)


def test_sizes_of_objects_are_those_of_the_training(tmp_path: Path) -> None:
    folder = data_sets.write_voc(tmp_path)
    assert "Data at 32x64" in told(folder, height=32, width=64)
    assert "objects below 32² pixels" in told(folder, height=32, width=64)
