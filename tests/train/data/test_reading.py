"""What opening a data set tells: nothing is lost without a word, and all faults are named at once."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sterna.errors import FaultsError, SternaError
from sterna.train.data import DataOptions, ReadOptions, open_data, open_split
from sterna.train.data.formats.folder import open_source
from sterna.train.data.reading import Reading, read
from sterna.train.data.summary import Summary
from support import data_sets
from support.data_sets import voc_annotation, voc_object


def reading(folder: Path, split: str = "train", **options: object) -> Reading:
    return read(open_source(folder), [split], ReadOptions.model_validate(options), str(folder))[split]


def printed(folder: Path, **options: object) -> str:
    console = Console(width=120, file=io.StringIO())
    open_data(DataOptions.model_validate({"data": str(folder), "height": 32, "width": 64, **options}), console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def yolo_of(folder: Path, count: int, labels: Callable[[int], str | None]) -> Path:
    """A YOLO folder with `count` images in one split; labels gives the text of a label file, None for no file."""
    (folder / "labels").mkdir(parents=True)
    for number in range(count):
        data_sets.draw(folder / "images", number)
        if (text := labels(number)) is not None:
            (folder / f"labels/{data_sets.name(number)}.txt").write_text(text)
    (folder / "data.yaml").write_text("train: images\nval: images\nnames: [cat, dog]\n")
    return folder


ROW = "1 0.5 0.5 0.25 0.5\n"
NAMES = {
    "kind": "a missing partner counts as empty",
    "expected": "images without labels and labels without images are counted, and refused above --missing-share",
    "source": "label-studio#1266",
}


@pytest.mark.case("names-of-images-and-labels-do-not-meet", **NAMES)
def test_names_that_do_not_meet_are_refused(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = yolo_of(tmp_path, 4, lambda number: ROW if number < 2 else None)
    for number in (2, 3):
        (folder / f"labels/p%2{number}.txt").write_text(ROW)
    with pytest.raises(FaultsError) as refused:
        reading(folder)
    messages = [str(fault) for fault in refused.value.faults]
    assert "2 of 4 images have no label file" in messages[0] and "p2.jpg" in messages[0]
    assert "2 of 4 label files have no image" in messages[1] and "p%22.txt" in messages[1]
    got(f"refused: {messages[0].partition(';')[0]}; {messages[1].partition(';')[0]}")
    summary = reading(folder, missing_share=0.5).summary
    assert (len(summary.without_labels), len(summary.without_image)) == (2, 2)


@pytest.mark.case("names-of-images-and-labels-do-not-meet", **NAMES)
def test_a_few_images_without_labels_are_background_and_said(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = yolo_of(tmp_path, 20, lambda number: ROW if number < 18 else None)
    assert len(reading(folder).summary.without_labels) == 2
    text = printed(folder)
    assert "without a label file, taken as background" in text and "p18.jpg, p19.jpg" in text
    got("with 2 of 20 images without a label file, prints: without a label file, taken as background: 2")


REPEATED = {
    "kind": "a row stated twice",
    "expected": "a row that stands twice is one object, and counted in the summary",
    "source": "ultralytics/yolov5#10149",
}


@pytest.mark.case("a-label-row-twice", **REPEATED)
@pytest.mark.parametrize("kind", ["voc", "coco", "yolo", "darknet"])
def test_an_object_that_is_stated_twice_is_one(tmp_path: Path, kind: str, got: Callable[[str], None]) -> None:
    folder = data_sets.WRITERS[kind](tmp_path / "set")
    before = reading(folder).summary
    if kind == "voc":
        row = voc_object("dog", (10, 5, 30, 25))
        (folder / "Annotations/p1.xml").write_text(voc_annotation(row * 2))
    elif kind == "coco":
        path = folder / "annotations/instances_train2017.json"
        content = json.loads(path.read_text())
        content["annotations"].append({**content["annotations"][0], "id": 99})
        path.write_text(json.dumps(content))
    else:
        path = next(folder.rglob("p1.txt"))
        path.write_text(path.read_text() * 2)
    after = reading(folder).summary
    assert (after.objects, after.repeated) == (before.objects, 1)
    assert "repeated objects, counted once" in printed(folder)
    got(f"{kind}: one object, 1 repeated object counted once")


def damage_voc(folder: Path) -> None:
    """Three faults in two of three images."""
    (folder / "Annotations/p0.xml").write_text(
        voc_annotation(voc_object("dog", (9, 1, 7, 5)) + voc_object("", (1, 1, 5, 5)))
    )
    (folder / "Annotations/p1.xml").write_text("<annotation>")


FAULTS = {
    "kind": "one fault a run",
    "expected": "all faults of a data set in one list, and --skip-bad leaves the faulty images out and says so",
    "source": "labelImg#445",
}


@pytest.mark.case("several-faulty-records", **FAULTS)
def test_all_faults_are_named_at_once(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = data_sets.write_voc(tmp_path)
    damage_voc(folder)
    (folder / "JPEGImages/p3.jpg").write_text("no image")
    with pytest.raises(FaultsError) as refused:
        open_data(DataOptions(data=str(folder), height=32, width=64))
    messages = [str(fault) for fault in refused.value.faults]
    for message, words in zip(messages, ("swapped edges", "without a name", "p1.xml", "p3.jpg"), strict=True):
        assert words in message
    assert str(refused.value).startswith(f"{folder}: 4 faults") and "--skip-bad" in str(refused.value)
    got("lists 4 faults, a line each, then how many and: correct them, or leave the images out with --skip-bad")


@pytest.mark.case("several-faulty-records", **FAULTS)
def test_faulty_images_can_be_left_out(tmp_path: Path, got: Callable[[str], None]) -> None:
    folder = data_sets.write_voc(tmp_path)
    damage_voc(folder)
    kept = reading(folder, skip_bad=True)
    assert kept.table.images == [str(folder / "JPEGImages/p2.jpg")] and len(kept.summary.bad) == 2
    data_sets.write_voc(tmp_path / "two")
    (tmp_path / "two/Annotations/p1.xml").write_text("<annotation>")
    text = printed(tmp_path / "two", skip_bad=True)
    assert "faulty images, left out" in text and "p1.xml: the annotation cannot be read" in text
    got("--skip-bad leaves 2 of 3 images out and names each with its fault")


def test_a_single_fault_is_one_line_that_knows_the_way_out(tmp_path: Path) -> None:
    folder = data_sets.write_voc(tmp_path)
    (folder / "Annotations/p1.xml").write_text("<annotation>")
    with pytest.raises(SternaError, match=r"p1\.xml: .*remedy: write it again as XML, or leave .* out with --skip-bad"):
        reading(folder)


def test_a_split_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    folder = data_sets.write_voc(tmp_path)
    (folder / "Annotations/p3.xml").write_text("<annotation>")
    with pytest.raises(SternaError, match=r"val: all images of the split are faulty.*p3\.xml"):
        open_split(folder, "val", 32, 64, ("cat",), options=ReadOptions(skip_bad=True))


WEIGHTS = {
    "kind": "what a file states is dropped",
    "expected": "an image that a list names several times weighs as much in training, and is judged by once",
    "source": "AlexeyAB/darknet#1453",
}


@pytest.mark.case("a-list-that-repeats-images", **WEIGHTS)
@pytest.mark.parametrize("kind", ["voc", "darknet"])
def test_an_image_that_is_listed_again_weighs_more(tmp_path: Path, kind: str, got: Callable[[str], None]) -> None:
    folder = data_sets.WRITERS[kind](tmp_path / "set")
    listed = next(folder.rglob("train.txt"))
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join([*lines, lines[1], lines[1]]) + "\n")
    options = DataOptions(data=str(folder), height=32, width=64, test_split="train")
    splits = open_data(options)
    assert (len(splits.train), len(splits.test)) == (5, 3)
    assert splits.train.labels(3).boxes.tolist() == splits.train.labels(1).boxes.tolist()
    assert reading(folder).summary.listed_again == 2
    got(f"{kind}: a list of 5 lines and 3 images: 5 images per training epoch, 3 to judge by, 'listed again: 2'")


@pytest.mark.case(
    "files-that-systems-leave",
    kind="layout",
    expected="a Mac's ._ files and other files beside images are passed over, and counted in the summary",
)
@pytest.mark.parametrize("kind", ["voc", "yolo", "darknet"])
def test_other_files_are_passed_over_and_counted(tmp_path: Path, kind: str, got: Callable[[str], None]) -> None:
    folder = data_sets.WRITERS[kind](tmp_path / "set")
    beside = next(folder.rglob("p0.jpg")).parent
    for name in ("._p0.jpg", ".DS_Store", "Thumbs.db", "film.gif"):
        (beside / name).write_bytes(b"x")
    summary = reading(folder).summary
    assert summary.images == 3 and summary.passed_over["of the system"] == 3 and summary.passed_over["*.gif"] == 1
    got(f"{kind}: 3 images read; passed over: of the system 3, *.gif 1")


def test_an_image_that_cannot_be_decoded_is_found_if_asked_for(tmp_path: Path) -> None:
    folder = data_sets.write_voc(tmp_path)
    broken = folder / "JPEGImages/p1.jpg"
    broken.write_bytes(broken.read_bytes()[:1000])
    assert reading(folder).summary.images == 3
    with pytest.raises(SternaError, match=r"p1\.jpg: the image cannot be read .*--skip-bad"):
        reading(folder, decode=True)
    assert reading(folder, decode=True, skip_bad=True).summary.images == 2


def test_notes_are_counted_in_words() -> None:
    assert Summary(notes=Counter({"a": 2, "b": 1, "c": 0})).warnings == ["a: 2 images", "b: 1 image", "c"]
