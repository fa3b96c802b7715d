"""Every format: what is read, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sterna.errors import SternaError
from sterna.train.data import DataOptions, open_data
from sterna.train.data.formats.folder import open_source
from sterna.train.data.labelled import LabelledSet, Table
from support import data_sets
from support.data_sets import CLASSES, IMAGES, SPLITS, WRITERS, voc_annotation, voc_object

Damage = Callable[[Path], object]
FORMATS = ("voc", "coco", "yolo")
AS_CALLED = {"voc": "Pascal VOC", "coco": "COCO", "roboflow": "COCO", "yolo": "YOLO", "darknet": "YOLO"}


def read(folder: Path, split: str) -> LabelledSet:
    """A split at the size of its images."""
    source = open_source(folder)
    table = Table.pack(source.record(entry) for entry in source.entries(split))
    return LabelledSet(table, *reversed(data_sets.SIZE), source.classes(split) or sorted(table.names))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_data_set_is_read_as_it_was_written(tmp_path: Path, kind: str) -> None:
    folder = WRITERS[kind](tmp_path / "set")
    source = open_source(folder)
    assert source.format == AS_CALLED[kind] and set(source.splits) == set(SPLITS)
    for split, numbers in SPLITS.items():
        data = read(folder, split)
        assert len(data) == len(numbers)
        for frame, number in zip((data[index] for index in range(len(data))), numbers, strict=True):
            things = IMAGES[number]
            image = next(path for path in folder.rglob(f"p{number}.jpg"))
            np.testing.assert_array_equal(frame.image, np.asarray(Image.open(image)))
            wanted = np.array([thing.box for thing in things]).reshape(-1, 4)
            np.testing.assert_allclose(frame.boxes, wanted, atol=1e-4)
            assert [data.classes[kind] for kind in frame.classes] == [thing.name for thing in things]
            marked, none = [thing.marked for thing in things], [False] * len(things)
            # YOLO can say neither.
            assert frame.difficult.tolist() == (marked if AS_CALLED[kind] == "Pascal VOC" else none)
            assert frame.crowd.tolist() == (marked if AS_CALLED[kind] == "COCO" else none)


def test_images_and_boxes_are_resized_without_keeping_their_aspect(tmp_path: Path) -> None:
    data = read(data_sets.write_voc(tmp_path), "val").resized(96, 64)
    image = Image.open(tmp_path / "JPEGImages/p3.jpg").resize((64, 96), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(data[0].image, np.asarray(image))
    wanted = np.array([thing.box for thing in IMAGES[3]]) * np.tile([64 / 80, 96 / 40], 2)
    np.testing.assert_array_equal(data[0].boxes, wanted.astype(np.float32))
    for mine, other in zip(data[0].labels, data.labels(0), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", ["coco", "roboflow", "yolo", "darknet"])
def test_the_same_data_in_each_format_gives_the_same_splits(tmp_path: Path, kind: str) -> None:
    voc, other = (
        open_data(DataOptions(data=str(WRITERS[name](tmp_path / name)), height=32, width=64)) for name in ("voc", kind)
    )
    for split in SPLITS:
        mine, theirs = getattr(voc, split), getattr(other, split)
        assert mine.classes == theirs.classes == CLASSES and len(mine) == len(theirs)
        for index in range(len(mine)):
            np.testing.assert_array_equal(mine[index].image, theirs[index].image)
            np.testing.assert_array_equal(mine[index].classes, theirs[index].classes)
            np.testing.assert_allclose(mine[index].boxes, theirs[index].boxes, atol=1e-4)


edges = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 40), st.integers(0, 40))
boxes = st.lists(
    edges.map(lambda e: (min(e[:2]), min(e[2:]), max(e[:2]), max(e[2:]))), min_size=1, max_size=5, unique=True
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(boxes=boxes)
def test_any_box_inside_an_image_survives_each_format(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, boxes: list[tuple[int, int, int, int]]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(data_sets, "IMAGES", [[data_sets.Thing("dog", box) for box in boxes]])
        patch.setattr(data_sets, "SPLITS", {"train": (0,)})
        for kind in WRITERS:
            # VOC counts inclusively and cannot write a box of no area.
            if AS_CALLED[kind] != "Pascal VOC" or all(box[0] < box[2] and box[1] < box[3] for box in boxes):
                labels = read(WRITERS[kind](tmp_path_factory.mktemp("any") / "set"), "train").labels(0)
                np.testing.assert_allclose(labels.boxes, boxes, atol=1e-4)


def test_a_file_can_be_named_instead_of_its_folder(tmp_path: Path) -> None:
    data_sets.write_coco(tmp_path)
    data_sets.write_yolo(tmp_path)
    assert open_source(tmp_path / "data.yaml").format == "YOLO"
    one = open_source(tmp_path / "annotations/instances_val2017.json")
    assert one.splits == ("val",) and len(one.entries("val")) == 1


def test_years_stay_in_the_name_where_they_tell_splits_apart(tmp_path: Path) -> None:
    data_sets.write_coco(tmp_path)
    shutil.copy(tmp_path / "annotations/instances_train2017.json", tmp_path / "annotations/instances_train2014.json")
    assert open_source(tmp_path).splits == ("test2017", "train2014", "train2017", "val2017")


def test_names_in_a_list_and_paths_as_roboflow_writes_them(tmp_path: Path) -> None:
    data_sets.write_yolo(tmp_path / "images")
    shutil.move(tmp_path / "images/images", tmp_path / "train/images")
    shutil.move(tmp_path / "images/labels", tmp_path / "train/labels")
    (tmp_path / "data.yaml").write_text(
        "train: ../train/images/train\nval: [train/images/val]\nnc: 2\nnames: [cat, dog]\n"
    )
    assert open_source(tmp_path).splits == ("train", "val")
    assert len(read(tmp_path, "train")) == 3 and len(read(tmp_path, "val")) == 1


def test_a_polygon_of_yolo_is_the_box_around_it(tmp_path: Path) -> None:
    data_sets.write_yolo(tmp_path)
    (tmp_path / "labels/val/p3.txt").write_text("1 0.25 0.5 0.5 0.25 0.75 0.75\n")
    np.testing.assert_allclose(read(tmp_path, "val").labels(0).boxes, [[20, 10, 60, 30]])


def test_a_pixel_too_far_is_cut_off_and_a_box_of_no_area_is_thin(tmp_path: Path) -> None:
    data_sets.write_coco(tmp_path)
    change_coco(lambda content: content["annotations"][0].update(bbox=[-1, 0, 82, 20]))(tmp_path)
    change_coco(lambda content: content["annotations"][1].update(bbox=[5, 5, 0, 20]))(tmp_path)
    labels = read(tmp_path, "train").labels(0)
    np.testing.assert_allclose(labels.boxes, [[0, 0, 80, 20], [5, 5, 5, 25]])
    assert labels.thin.tolist() == [False, True] and not (labels.difficult | labels.crowd).any()


def test_a_thin_box_is_not_learnt_and_is_not_difficult(tmp_path: Path) -> None:
    data_sets.write_voc(tmp_path)
    write("Annotations/p0.xml", voc_annotation(voc_object("dog", (9, 9, 10, 30)) + voc_object("cat", (9, 9, 20, 30))))(
        tmp_path
    )
    labels = read(tmp_path, "train").labels(0)
    assert labels.thin.tolist() == [True, False] and labels.learnt.tolist() == [False, True]
    assert not labels.difficult.any()


def test_an_image_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    data_sets.write_yolo(tmp_path)
    path = tmp_path / "images/val/p3.jpg"
    image = Image.open(path)
    upright = np.asarray(image)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise
    image.rotate(90, expand=True).save(path, exif=exif, quality=100, subsampling=0)
    data = read(tmp_path, "val")
    assert data[0].image.shape == (40, 80, 3)
    assert np.abs(data[0].image.astype(int) - upright).mean() < 6
    np.testing.assert_allclose(data[0].boxes[0], IMAGES[3][0].box, atol=1e-4)


def write(path: str, text: str) -> Damage:
    return lambda folder: (folder / path).write_text(text)


def remove(path: str) -> Damage:
    return lambda folder: shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()


def cut(path: str) -> Damage:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:400])


def change_coco(change: Callable[[dict[str, list[dict[str, object]]]], object]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / "annotations/instances_train2017.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


def voc_box(*box: object, kind: str = "dog") -> Damage:
    return write("Annotations/p0.xml", voc_annotation(voc_object(kind, box)))


def box_of(*box: float) -> Damage:
    return change_coco(lambda content: content["annotations"][0].update(bbox=list(box)))


def row(text: str) -> Damage:
    return write("labels/train/p0.txt", f"0 0.5 0.5 0.25 0.25\n{text}\n")


def yaml(text: str) -> Damage:
    return write("data.yaml", text)


#: What is done to a good data set, and the words that its refusal must hold.
REFUSALS: dict[str, list[tuple[Damage, tuple[str, ...]]]] = {
    "voc": [
        (remove("Annotations"), ("no folder Annotations", "Pascal VOC")),
        (remove("ImageSets/Main/train.txt"), ("split = train", "allowed: test, val")),
        (write("ImageSets/Main/train.txt", "\n"), ("train.txt", "the split is empty")),
        (write("ImageSets/Main/train.txt", "p0\nnone\n"), ("train.txt", "image is missing", "none.jpg")),
        (remove("Annotations/p1.xml"), ("p1.xml", "the annotation is missing")),
        (write("Annotations/p0.xml", "<annotation>"), ("p0.xml", "cannot be read")),
        (voc_box(9, 1, 7, 5), ("p0.xml: object 1 (dog)", "swapped edges", "box = 10 2 7 5")),
        (voc_box("x", 1, 9, 5), ("p0.xml: object 1 (dog)", "not numbers", "box = x 2 9 5")),
        (voc_box("nan", 1, 9, 5), ("p0.xml: object 1 (dog)", "not numbers", "box = nan 2 9 5")),
        (voc_box(1, 1, 90, 5), ("p0.xml: object 1 (dog)", "outside", "box = 2 2 90 5", "80x40")),
        (voc_box(81, 1, 99, 5), ("p0.xml: object 1 (dog)", "outside", "80x40")),
        (voc_box(1, 1, 9, 5, kind=""), ("p0.xml: object 1", "without a name")),
        (write("Annotations/p0.xml", voc_annotation("", 40, 80)), ("p0.xml", "size = 40x80", "allowed: 80x40")),
        (write("JPEGImages/p0.jpg", "no image"), ("p0.jpg", "not a readable image")),
    ],
    "coco": [
        (remove("train2017"), ("instances_train2017.json", "images are not found", "train2017")),
        (remove("train2017/p1.jpg"), ("instances_train2017.json", "image is missing", "p1.jpg")),
        (cut("annotations/instances_train2017.json"), ("instances_train2017.json", "Invalid JSON")),
        (change_coco(lambda content: content.pop("images")), ("images", "Field required")),
        (change_coco(lambda content: content["images"].clear()), ("the split is empty",)),
        (change_coco(lambda content: content["annotations"][0].pop("image_id")), ("annotations.0.image_id",)),
        (change_coco(lambda content: content["annotations"][0].update(bbox="1")), ("annotations.0.bbox", "array")),
        (box_of(1, 2, 3), ("annotation 0 of p0.jpg (dog)", "not four numbers; bbox = [1.0, 2.0, 3.0]")),
        (box_of(1, 2, -3, 4), ("annotation 0 of p0.jpg (dog)", "swapped edges", "[1.0, 2.0, -3.0, 4.0]")),
        (box_of(1, float("nan"), 3, 4), ("annotation 0 of p0.jpg (dog)", "not numbers", "nan")),
        (box_of(60, 2, 30, 4), ("annotation 0 of p0.jpg (dog)", "outside", "80x40")),
        (
            change_coco(lambda content: content["annotations"][0].update(category_id=9)),
            ("category_id = 9", "allowed: 7, 8"),
        ),
        (change_coco(lambda content: content["annotations"][0].update(image_id=5)), ("image_id = 5",)),
        (change_coco(lambda content: content["images"][1].update(id=100)), ("duplicate image id", "= 100")),
        (change_coco(lambda content: content["categories"][1].update(name="cat")), ("duplicate category", "= cat")),
        (change_coco(lambda content: content["images"][0].update(width=81)), ("size = 81x40", "allowed: 80x40")),
    ],
    "yolo": [
        (yaml("train: images/train\nnames: [cat, dog"), ("data.yaml", "cannot be read as YAML")),
        (yaml("- train\n"), ("data.yaml", "no names and paths")),
        (yaml("train: images/train\nnames: {0: cat, 2: dog}\n"), ("data.yaml", "names = {'0': 'cat', '2': 'dog'}")),
        (yaml("train: images/train\nnames: [cat, dog]\nnc: 3\n"), ("data.yaml", "nc 3")),
        (yaml("train: images/train\nnames: [cat, cat]\n"), ("data.yaml", "duplicate class name")),
        (yaml("train: photos\nnames: [cat, dog]\n"), ("data.yaml", "path = photos")),
        (yaml("val: images/val\nnames: [cat, dog]\n"), ("data.yaml", "split = train", "allowed: val")),
        (remove("labels/train"), ("images/train", "no image of the split has a label file", "labels/train/p0.txt")),
        (row("2 0.5 0.5 0.1 0.1"), ("p0.txt: line 2", "class = 2", "allowed: 0..1")),
        (row("-1 0.5 0.5 0.1 0.1"), ("p0.txt: line 2", "class = -1", "allowed: 0..1")),
        (row("dog 0.5 0.5 0.1 0.1"), ("p0.txt: line 2", "row = dog 0.5")),
        (row("1 0.5 0.5 0.1"), ("p0.txt: line 2", "row = 1 0.5 0.5 0.1")),
        (row("1 40 20 10 10"), ("p0.txt: line 2 (dog)", "outside", "box = 40 20 10 10", "shares")),
        (row("1 0.5 nan 0.1 0.1"), ("p0.txt: line 2 (dog)", "not numbers")),
        (row("1 0.5 0.5 -0.1 0.1"), ("p0.txt: line 2 (dog)", "swapped edges")),
        (
            lambda folder: (folder / "labels/train/p0.txt").write_bytes(b"\xff\xfe0"),
            ("p0.txt", "the list of objects says that it is utf-16-le"),
        ),
        (cut("images/train/p1.jpg"), ("p1.jpg", "cannot be read")),
    ],
}


@pytest.mark.parametrize(
    ("kind", "damage", "words"),
    [
        pytest.param(kind, damage, words, id=f"{kind}-{number}-{words[-1][:20]}")
        for kind, cases in REFUSALS.items()
        for number, (damage, words) in enumerate(cases)
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, kind: str, damage: Damage, words: tuple[str, ...]) -> None:
    folder = WRITERS[kind](tmp_path)
    damage(folder)
    with pytest.raises(SternaError) as refused:
        data = read(folder, "train")
        for index in range(len(data)):
            data[index]
    message = str(refused.value)
    assert all(word in message for word in words), message
    assert "\n" not in message and ("remedy: " in message or "allowed: " in message), message


def test_a_folder_of_no_format_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"JPEGImages.*_annotations\.coco\.json.*data\.yaml.*\*\.names"):
        open_source(tmp_path)
    with pytest.raises(SternaError, match=r"none: no such data set; remedy: give the folder of a data set, or .* it$"):
        open_source(tmp_path / "none")


def test_an_image_of_16_bits_is_refused(tmp_path: Path) -> None:
    data_sets.write_yolo(tmp_path)
    Image.fromarray(np.zeros((40, 80), np.uint16)).save(tmp_path / "images/train/deep.png")
    with pytest.raises(SternaError, match=r"deep\.png.*more than 8 bits"):
        read(tmp_path, "train")
