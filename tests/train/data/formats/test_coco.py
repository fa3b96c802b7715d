"""COCO as Roboflow, Label Studio, CVAT and others write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sterna.errors import FaultsError, SternaError
from sterna.train.data import DataOptions, ReadOptions, open_data
from sterna.train.data.formats.folder import open_source
from sterna.train.data.reading import Reading, read

Got = Callable[[object], None]
SIZE = (40, 20)
BOX = [10, 5, 20, 10]
EDGES = (10.0, 5.0, 30.0, 15.0)
DENT = [("dent", EDGES)]
ROBOFLOW = "roboflow/rf-detr#1303"


def annotation(image: int = 1, category: int = 3, **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": BOX} | more


def content(*annotations: dict[str, Any], names: tuple[str, ...] = ("a.jpg",), **more: Any) -> dict[str, Any]:
    images = [{"id": number, "file_name": name} for number, name in enumerate(names, 1)]
    return {"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "dent"}]} | more


def write(root: Path, described: dict[str, Any], file: str = "annotations/instances_train.json", *images: str) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(described))
    for image in images or ("images/a.jpg",):
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE, (9, 99, 199)).save(root / image)
    return root


def reading(path: Path, split: str = "train", **options: object) -> Reading:
    return read(open_source(path), [split], ReadOptions.model_validate(options), str(path))[split]


def shown(path: Path, split: str = "train") -> list[tuple[str, tuple[float, ...]]]:
    """Objects of all images of a split."""
    source = open_source(path)
    return [(thing.name, thing.box) for entry in source.entries(split) for thing in source.record(entry).objects]


GROUPS = {
    "kind": "format",
    "expected": "a category that only groups others is no class, also if it has the name of one",
    "source": ROBOFLOW,
}


@pytest.mark.case("coco-groups", **GROUPS)
@pytest.mark.parametrize(
    ("categories", "classes"),
    [
        ([(0, "dent", "none"), (3, "dent", "dent")], ("dent",)),
        ([(3, "dent", "dent"), (0, "dent", "none")], ("dent",)),
        ([(0, "car", "none"), (3, "dent", "car"), (4, "rust", "car")], ("dent", "rust")),
        ([(3, "dent", "dent")], ("dent",)),
        ([(9, "rust", None), (3, "dent", "none")], ("rust", "dent")),
    ],
)
def test_a_category_that_only_groups_others_is_no_class(
    tmp_path: Path, categories: list[tuple[int, str, str | None]], classes: tuple[str, ...], got: Got
) -> None:
    listed = [{"id": number, "name": name, "supercategory": above} for number, name, above in categories]
    write(tmp_path, content(annotation(), categories=listed))
    assert open_source(tmp_path).classes("train") == classes and shown(tmp_path) == DENT
    got(f"{', '.join(f'{name} in {above}' for _, name, above in categories)}: classes {', '.join(classes)}")


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    listed = [{"id": number, "name": "dent"} for number in (3, 4)]
    write(tmp_path, content(annotation(), annotation(category=4), categories=listed))
    with pytest.raises(SternaError, match="duplicate category name; category name = dent"):
        shown(tmp_path)


MASKS = {
    "kind": "format",
    "expected": "an annotation with a mask only has the box around its polygon; without one it is left out and counted",
    "source": ROBOFLOW,
}


@pytest.mark.case("coco-mask-without-box", **MASKS)
@pytest.mark.parametrize("empty", [{"bbox": []}, {"bbox": None}, {}])
def test_the_box_around_a_mask_stands_for_a_missing_box(tmp_path: Path, empty: dict[str, Any], got: Got) -> None:
    mask = {key: value for key, value in annotation().items() if key != "bbox"} | empty
    polygons = [[10, 5, 20, 15, 12, 6], [30, 7, 28, 7, 28, 9]]
    write(tmp_path, content(mask | {"segmentation": polygons}))
    assert shown(tmp_path) == DENT
    got(f"{empty or 'no bbox'}: the box around its polygons")


@pytest.mark.case("coco-mask-without-box", **MASKS)
@pytest.mark.parametrize("mask", [{"counts": "xyz", "size": [20, 40]}, [], None, [[1, 2]], [[1, 2, 3, 4, 5, "x"]], 7])
def test_an_object_without_box_and_polygon_is_left_out_and_counted(tmp_path: Path, mask: object, got: Got) -> None:
    write(tmp_path, content(annotation(), annotation(id=2, bbox=[], segmentation=mask)))
    summary = reading(tmp_path).summary
    assert summary.objects == 1 and sum(summary.left_out.values()) == 1
    got(next(f"{key}: {value}" for key, value in summary.rows().items() if key.startswith("objects left out")))


PLACES = {"kind": "layout", "expected": "images are found by the names that programs write", "source": ROBOFLOW}


@pytest.mark.case("coco-file-names", **PLACES)
@pytest.mark.parametrize(
    ("file", "name", "image"),
    [
        ("result.json", "images\\a.jpg", "images/a.jpg"),
        ("result.json", "../../label-studio/data/media/a.jpg", "images/a.jpg"),
        ("annotations/instances_train.json", "a.jpg", "images/train/a.jpg"),
        ("annotations/instances_train.json", "sub/a.jpg", "images/sub/a.jpg"),
        ("annotations/instances_train.json", "https://here/train2017/a.jpg", "train2017/a.jpg"),
        ("annotations/instances_train.json", "d%C3%A9cran.jpg", "images/décran.jpg"),
        ("annotations/instances_train.json", "a.jpg", "train/a.JPG"),
        ("annotations/instances_train.json", "train/a.jpg", "a.jpg"),
        ("train/_annotations.coco.json", "a.jpg", "train/a.jpg"),
        ("annotations/instances_Train.json", "a.jpg", "images/Train/a.jpg"),
    ],
)
def test_images_are_found_by_the_names_that_programs_write(
    tmp_path: Path, file: str, name: str, image: str, got: Got
) -> None:
    write(tmp_path, content(annotation(), names=(name,)), file, image)
    assert shown(tmp_path, "result" if file == "result.json" else "train") == DENT
    got(f"{name} of {file} is {image}")


def test_images_in_two_folders_are_refused(tmp_path: Path) -> None:
    write(tmp_path, content(annotation()), "annotations/instances_train.json", "train/a.jpg", "images/train/a.jpg")
    with pytest.raises(SternaError, match=r"fits several folders; path = a\.jpg"):
        shown(tmp_path)


def test_json_of_other_programs_is_no_annotation_file(tmp_path: Path) -> None:
    write(tmp_path, content(annotation()), "result.json")
    (tmp_path / "notes.json").write_text('{"categories": [], "info": {}}')
    assert open_source(tmp_path).splits == ("result",)


@pytest.mark.case(
    "coco-order-of-categories",
    kind="format",
    expected="class numbers go by name where validation lists its categories in another order, with gaps between ids",
)
def test_class_numbers_go_by_name(tmp_path: Path, got: Got) -> None:
    train = [{"id": 90, "name": "dent"}, {"id": 7, "name": "rust"}]
    val = [{"id": 1, "name": "rust"}, {"id": 2, "name": "dent"}]
    write(tmp_path, content(annotation(category=90), annotation(category=7, bbox=[0, 0, 9, 9]), categories=train))
    other = content(annotation(category=2), categories=val)
    write(tmp_path, other, "annotations/instances_val.json")
    data = open_data(DataOptions(data=str(tmp_path), height=32, width=32))
    assert data.train.classes == data.val.classes == ("dent", "rust")
    assert data.train.labels(0).classes.tolist() == [0, 1] and data.val.labels(0).classes.tolist() == [0]
    got("dent is class 0 in both")


def test_an_image_that_is_listed_again_is_one(tmp_path: Path) -> None:
    described = content(annotation())
    described["images"] *= 2
    assert reading(write(tmp_path, described)).summary.images == 1


@pytest.mark.case("coco-keys-not-used", kind="stated and not used", expected="keys that are not used are said once")
def test_what_is_stated_and_not_used_is_said_once(tmp_path: Path, got: Got) -> None:
    polygon = [[10, 5, 30, 5, 30, 15]]
    twice = annotation(keypoints=[1, 2, 2], segmentation=polygon), annotation(keypoints=[], bbox=[0, 0, 5, 5])
    groups = [{"id": 0, "name": "car"}, {"id": 3, "name": "dent", "supercategory": "car"}]
    write(tmp_path, content(*twice, info={}, licenses=[], categories=groups))
    notes = list(reading(tmp_path).summary.notes)
    assert notes == [
        "instances_train.json: not used: keypoints, segmentation",
        "instances_train.json: categories that only group others are not classes: car",
        "instances_train.json: 1 annotations share an id with another one; all are read",
    ]
    got(notes[0])


def test_what_states_nothing_of_objects_is_not_said(tmp_path: Path) -> None:
    """As exports write it: empty masks, and where the file is from."""
    empty = annotation(segmentation=[], keypoints=None)
    write(tmp_path, content(empty, info={"year": "2023"}, licenses=[{"id": 1, "name": "Public Domain"}]))
    assert not reading(tmp_path).summary.notes


@pytest.mark.case(
    "coco-annotations-without-image",
    kind="one fault a run",
    expected="annotations of images that are not listed and images that are missing are all named at once",
)
def test_annotations_and_images_without_the_other_are_all_named(tmp_path: Path, got: Got) -> None:
    described = content(annotation(), annotation(8), annotation(9), names=("a.jpg", "b.jpg", "c.jpg"))
    write(tmp_path, described)
    with pytest.raises(FaultsError) as refused:
        reading(tmp_path)
    messages = [str(fault) for fault in refused.value.faults]
    assert ["b.jpg" in messages[0], "c.jpg" in messages[1]] == [True, True]
    assert ["image_id = 8" in messages[2], "image_id = 9" in messages[3]] == [True, True]
    summary = reading(tmp_path, skip_bad=True).summary
    assert (summary.images, summary.objects, len(summary.bad)) == (1, 1, 4)
    got("; ".join(message.partition("; remedy")[0].rpartition("json: ")[2] for message in messages))


def test_all_faults_of_the_form_are_named(tmp_path: Path) -> None:
    described = content(*({"id": number, "bbox": BOX} for number in range(30)))
    with pytest.raises(FaultsError, match="21 faults") as refused:
        reading(write(tmp_path, described))
    assert "annotations.0.image_id" in str(refused.value.faults[0])
    assert "and 40 more faults like these" in str(refused.value.faults[-1])


@pytest.mark.case("coco-keys-not-used", kind="stated and not used", expected="keys that are not used are said once")
def test_a_key_that_nobody_has_heard_of_is_said_too(tmp_path: Path, got: Got) -> None:
    attributes = {"occluded": False, "rotation": 0.0}
    (note,) = reading(write(tmp_path, content(annotation(bbox_mode=0, attributes=attributes)))).summary.notes
    assert note == "instances_train.json: not used: bbox_mode, occluded"
    got(note)


def test_a_mask_that_is_used_is_not_called_unused(tmp_path: Path) -> None:
    polygon = [[10, 5, 30, 5, 30, 15]]
    write(tmp_path, content(annotation(bbox=[], segmentation=polygon), annotation(id=2, segmentation=polygon)))
    (note,) = reading(tmp_path).summary.notes
    assert note == "instances_train.json: 1 annotations without a box get the box around their polygons"


def test_blanks_around_a_class_name_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, content(annotation(), categories=[{"id": 3, "name": " dent\n"}]))
    assert shown(tmp_path) == DENT and open_source(tmp_path).classes("train") == ("dent",)


@pytest.mark.parametrize("wrong", [{"image_id": "1"}, {"category_id": "3"}])
def test_a_text_in_place_of_a_number_is_shown_as_one(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(SternaError, match=r"(image|category)_id = '[13]'"):
        reading(write(tmp_path, content(annotation() | wrong)))


BESIDE = {
    "kind": "lost objects",
    "expected": "images that lie beside those of a data set and that no split has are counted",
}


@pytest.mark.case("images-that-no-list-names", **BESIDE)
def test_images_that_no_file_lists_are_counted(tmp_path: Path, got: Got) -> None:
    write(tmp_path, content(annotation()), "annotations/instances_train.json", "images/a.jpg", "images/c.jpg")
    assert reading(tmp_path).summary.passed_over == {"images in no list": 1}
    other = content(annotation(), names=("c.jpg", "b.jpg"))
    write(tmp_path, other, "annotations/instances_val.json", "images/b.jpg", "images/d.jpg")
    found = reading(tmp_path).summary.passed_over["images in no list"]
    assert found == 1, "c.jpg is in the other split"
    got("COCO: 'files ignored: images in no list: 1'")


@pytest.mark.case(
    "boxes-that-cvat-turned",
    kind="stated and not used",
    expected="a box that CVAT says to be turned is read as the upright box around it",
)
def test_a_turned_box_is_the_box_around_it(tmp_path: Path, got: Got) -> None:
    write(tmp_path, content(annotation(attributes={"rotation": 90.0})))
    ((name, box),) = shown(tmp_path)
    assert name == "dent" and box == pytest.approx((15, 0, 25, 20)), "20x10 about 20, 10"
    (note,) = reading(tmp_path).summary.notes
    assert note == "boxes with an attribute rotation are read as the boxes around the rotated ones"
    got("COCO: a box of 20x10, turned by 90 degrees: 10x20, and a line that says so")


@pytest.mark.case(
    "json-key-twice",
    kind="first of several",
    expected="a key that a file of annotations has twice in one object is refused by its name",
)
@pytest.mark.parametrize(
    ("key", "again"),
    [("annotations", '{"annotations": [], '), ("bbox", '"bbox": [0, 0, 1, 1], "bbox"')],
)
def test_a_key_that_stands_there_twice_is_refused(tmp_path: Path, key: str, again: str, got: Got) -> None:
    root = write(tmp_path, content(annotation()))
    path = root / "annotations/instances_train.json"
    path.write_text(path.read_text().replace("{" if again[0] == "{" else f'"{key}"', again, 1))
    with pytest.raises(SternaError, match=rf"instances_train\.json: a key is given twice.*key = {key};") as refused:
        shown(root)
    got(str(refused.value).replace(str(tmp_path), ""))


def test_the_same_key_in_several_objects_is_none_twice(tmp_path: Path) -> None:
    other = annotation(id=2, bbox=[0, 0, 5, 5])
    assert len(shown(write(tmp_path, content(annotation(), other)))) == 2
