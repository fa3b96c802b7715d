from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.train.data import DataOptions, check, open_data, open_split
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
    assert len(splits.train) == 3  # a picture whose objects are all dropped still shows background
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


def test_a_class_that_training_does_not_see_is_refused_unless_classes_are_named(voc: Path) -> None:
    with pytest.raises(SternaError, match=r"p3\.jpg.*do not have; class = cat; allowed: dog"):
        open_data(options(voc, train_split="test", test_split="train"))
    chosen = open_data(options(voc, train_split="test", test_split="train", classes=("dog",)))
    assert check(chosen.test).left_out == 2


def test_a_split_without_objects_is_refused(voc: Path, tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="no labelled object"):
        open_data(options(voc, train_split="val", val_split="test", classes=("cat",)))
    with pytest.raises(SternaError, match="no labelled object"):
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
        "objects of classes that are not asked for, left out: 2",
        "classes without an object: horse",
    ]


def test_statistics_count_what_is_there(voc: Path) -> None:
    found = check(open_data(options(voc, height=256, width=512)).train)
    assert (found.pictures, found.empty, found.boxes) == (3, 0, {"cat": 2, "dog": 2})
    assert (found.small, found.medium, found.large) == (0, 0, 4)
    assert (found.thin, found.difficult, found.crowd) == (0, 1, 0)
    tiny = check(open_data(options(voc)).train.resized(4, 8))
    assert tiny.small == 4 and tiny.thin == 1
    assert check(open_data(options(voc)).train.resized(2, 2)).thin == 4
    assert tiny.warnings == ["objects thinner than 2 pixels, not trained on, counted in evaluation: 1"]
    assert [column.header for column in table({"train": found}, {}).columns] == ["", "train"]


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
