"""YOLO folders as Ultralytics, Darknet, CVAT, Roboflow, labelImg and Label Studio write them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from sterna.errors import FaultsError, SternaError
from sterna.train.data import DataOptions, ReadOptions, open_data
from sterna.train.data.formats.folder import open_source
from sterna.train.data.reading import Reading, read
from support import data_sets

Got = Callable[[object], None]
ROW = "1 0.5 0.5 0.25 0.5\n"
BOX = (15.0, 5.0, 25.0, 15.0)  # of ROW in an image of SIZE
SIZE = (40, 20)
NAMES = "names: [cat, dog]\n"
YAML = f"train: images/train\nval: images/val\n{NAMES}"


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, (9, 99, 199)).save(path, format="PNG")


def make(root: Path, files: dict[str, str | bytes | None]) -> Path:
    """Write these files; None stands for an image."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            image(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def reading(path: Path, split: str = "train", **options: object) -> Reading:
    return read(open_source(path), [split], ReadOptions.model_validate(options), str(path))[split]


def shown(path: Path, split: str = "train") -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """Objects of each image by its name."""
    source = open_source(path)
    records = [source.record(entry) for entry in source.entries(split)]
    return {
        record.image.name: [(thing.name, tuple(round(edge, 3) for edge in thing.box)) for thing in record.objects]
        for record in records
    }


DOG = [("dog", BOX)]


# Layouts

LAYOUTS: dict[str, dict[str, str | bytes | None]] = {
    "split in images and labels": {"data.yaml": YAML, "images/train/a.jpg": None, "labels/train/a.txt": ROW},
    "images and labels in split": {
        "data.yaml": f"train: train/images\nval: val/images\n{NAMES}",
        "train/images/a.jpg": None,
        "train/labels/a.txt": ROW,
    },
    "Roboflow": {
        "data.yaml": f"train: ../train/images\nval: ../valid/images\nnc: 2\n{NAMES}roboflow:\n  license: CC\n",
        "train/images/a.jpg": None,
        "train/labels/a.txt": ROW,
    },
    "labels beside images in a folder called images": {
        "data.yaml": f"train: images\n{NAMES}",
        "images/a.jpg": None,
        "images/a.txt": ROW,
    },
    "CVAT Ultralytics": {
        "data.yaml": "names:\n  0: cat\n  1: dog\npath: .\ntrain: train.txt\n",
        "train.txt": "data/images/train/a.jpg\n",
        "images/train/a.jpg": None,
        "labels/train/a.txt": ROW,
    },
    "CVAT YOLO 1.1": {
        "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
        "obj.names": "cat\ndog\n",
        "train.txt": "data/obj_train_data/a.jpg\n",
        "obj_train_data/a.jpg": None,
        "obj_train_data/a.txt": ROW,
    },
    "labelImg": {"classes.txt": "cat\ndog\n", "a.jpg": None, "a.txt": ROW},
    "labelImg with folders": {
        "labels/classes.txt": "cat\ndog\n",
        "images/a.jpg": None,
        "labels/a.txt": ROW,
    },
    "Label Studio": {
        "classes.txt": "cat\ndog\n",
        "notes.json": '{"categories": [], "info": {}}',
        "images/a.jpg": None,
        "labels/a.txt": ROW,
    },
    "classes and folders of splits": {
        "classes.txt": "cat\ndog\n",
        "train/images/a.jpg": None,
        "train/labels/a.txt": ROW,
        "valid/images/b.jpg": None,
    },
    "description of another name": {"coco-mine.yaml": YAML, "images/train/a.jpg": None, "labels/train/a.txt": ROW},
    "VOC folder with Darknet's labels": {
        "voc.names": "cat\ndog\n",
        "train.txt": "/home/other/VOC2007/JPEGImages/a.jpg\n",
        "VOC2007/JPEGImages/a.jpg": None,
        "VOC2007/labels/a.txt": ROW,
    },
    "suffixes in capitals": {"data.yaml": YAML, "images/train/a.JPG": None, "labels/train/a.txt": ROW},
    "jfif": {"data.yaml": YAML, "images/train/a.jfif": None, "labels/train/a.txt": ROW},
    "files that a Mac leaves": {
        "data.yaml": YAML,
        "images/train/a.jpg": None,
        "images/train/._a.jpg": b"\0\5\x16\7",
        "images/train/.DS_Store": b"\0\0",
        "labels/train/a.txt": ROW,
        "labels/train/._a.txt": b"\0\5\x16\7",
    },
}


@pytest.mark.case(
    "yolo-layouts",
    kind="layout",
    expected="images and labels are found in each usual layout",
    source="cvat-ai/cvat#8046",
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_usual_layouts_are_read(tmp_path: Path, layout: str, got: Got) -> None:
    found = shown(make(tmp_path / "my export", LAYOUTS[layout]))
    assert list(found.values()) == [DOG]
    assert not reading(tmp_path / "my export").summary.without_labels
    got(f"{layout}: {next(iter(found))} with 1 dog")


@pytest.mark.parametrize("file", ["obj.data", "obj.names"])
def test_a_description_can_be_named_instead_of_its_folder(tmp_path: Path, file: str) -> None:
    folder = make(tmp_path / "any", LAYOUTS["CVAT YOLO 1.1"])
    assert shown(folder / file) == {"a.jpg": DOG}
    folder = make(tmp_path / "labels only", LAYOUTS["labelImg with folders"])
    assert shown(folder / "labels/classes.txt") == {"a.jpg": DOG}


def test_a_description_in_a_folder_beside_the_data(tmp_path: Path) -> None:
    """As darknet's own, which counts paths from where it was started."""
    make(
        tmp_path,
        {
            "cfg/voc.data": "classes=2\ntrain=data/train.txt\nvalid=data/valid.txt\nnames=data/voc.names\n",
            "data/voc.names": "cat\ndog\n",
            "data/train.txt": "data/obj/a.jpg\n",
            "data/obj/a.jpg": None,
            "data/obj/a.txt": ROW,
        },
    )
    assert shown(tmp_path / "cfg/voc.data") == {"a.jpg": DOG}


# What data.yaml says


@pytest.mark.case(
    "yaml-names-as-written",
    kind="text",
    expected="class names are the text that data.yaml has",
    source="YAML 1.1 booleans and octal numbers",
)
@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        ("names: [on, off]", ("on", "off")),
        ("names: [yes, no, 010, 12:30, null, ~, 1.0]", ("yes", "no", "010", "12:30", "null", "~", "1.0")),
        ("names:\n  0: y\n  1: n\n", ("y", "n")),
        ("names: {1: b, 0: a}\nnc: 2", ("a", "b")),
        ("names: ['1e3', \"2001-01-01\"]", ("1e3", "2001-01-01")),
    ],
)
def test_class_names_are_the_text_that_is_written(tmp_path: Path, yaml: str, names: tuple[str, ...], got: Got) -> None:
    (tmp_path / "data.yaml").write_text(f"train: images\n{yaml}\n")
    assert open_source(tmp_path).classes("train") == names
    got(", ".join(names))


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("names: cat", "names = 'cat', nc not given"),
        ("names: [[cat], dog]", r"names = \[\['cat'\], 'dog'\]"),
        ("names: ['']", r"a class without a name; names = \(''"),
        ("names: []", "the list is empty"),
        ("nc: 2", "names = None, nc 2"),
        ("names: [cat]\nnc: one", "nc one"),
        ("names: [cat]\nnames: [dog]", "names is given twice"),
        ("names: [cat]\nkpt_shape: 17", "kpt_shape = '17'; allowed: .*17, 3"),
        ("names: [cat]\nval: {a: b}", "val = {'a': 'b'}; allowed: a path"),
        ("names: [cat]\ntrain: [a, [b]]", "train"),
        ("names: [cat]\nval: a\nvalid: b", r"a split is given under two names; val = \[\['a'\], \['b'\]\]"),
        ("names: [cat]\npath: /data/another_set", "path = '/data/another_set'.*or delete it"),
        ("names: [cat]\npath: [a]", r"path = \['a'\]"),
        ("names: " + "[" * 3000, "cannot be read as YAML"),
        ("a: &a [*a]\nnames: [cat]\ntrain: *a", "cannot be read as YAML .*recursive"),
    ],
)
def test_a_description_that_is_not_right_is_refused(tmp_path: Path, yaml: str, words: str) -> None:
    (tmp_path / "data.yaml").write_text(yaml if "train:" in yaml else f"train: images\n{yaml}\n")
    with pytest.raises(SternaError, match=words) as refused:
        open_source(tmp_path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 900


@pytest.mark.case(
    "yaml-keys-not-used", kind="stated and not used", expected="keys of data.yaml that are not used are printed"
)
def test_keys_that_are_not_used_are_said(tmp_path: Path, got: Got) -> None:
    make(tmp_path, LAYOUTS["split in images and labels"])
    (tmp_path / "data.yaml").write_text(YAML + "nc: 2\nflip_idx: [1, 0]\ndownload: https://here\n")
    console = Console(width=150, file=io.StringIO())
    open_data(DataOptions(data=str(tmp_path), val_split="train", height=32, width=32), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "data.yaml: not used: flip_idx, download" in text
    got("prints: data.yaml: not used: flip_idx, download")


def test_a_path_that_ends_in_the_name_of_the_folder_means_it(tmp_path: Path) -> None:
    folder = make(tmp_path / "coco8", LAYOUTS["split in images and labels"])
    (folder / "data.yaml").write_text(f"path: ../datasets/coco8\n{YAML}")
    assert shown(folder) == {"a.jpg": DOG}
    assert any("path ../datasets/coco8 is read as" in note for note in reading(folder).summary.notes)


def test_a_path_of_another_machine_is_read_by_its_tail_and_said(tmp_path: Path) -> None:
    make(tmp_path, LAYOUTS["split in images and labels"])
    (tmp_path / "data.yaml").write_text(f"train: /content/set/images/train\n{NAMES}")
    assert shown(tmp_path) == {"a.jpg": DOG}
    assert any("/content/set/images/train is read as" in note for note in reading(tmp_path).summary.notes)


# Several of one kind

SEVERAL = {
    "kind": "the first of several",
    "expected": "files that say different things of one data set are refused with their names; a stated one decides",
}


@pytest.mark.case("several-descriptions", **SEVERAL)
@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"dataset.yaml": YAML.replace("cat", "cow")}, "data.yaml, dataset.yaml"),
        ({"mine.yml": YAML.replace("cat", "cow")}, "data.yaml, mine.yml"),
        ({"obj.data": "names=obj.names\ntrain=t.txt\n", "obj.names": "cow\ndog\n"}, "data.yaml, obj.data"),
    ],
)
def test_several_descriptions_are_refused(tmp_path: Path, others: dict[str, str], named: str, got: Got) -> None:
    make(tmp_path, {**LAYOUTS["split in images and labels"], **others})
    with pytest.raises(SternaError, match=f"several files describe the data set differently; got {named}") as refused:
        open_source(tmp_path)
    assert shown(tmp_path / "data.yaml") == {"a.jpg": DOG}
    got(refused.value)


@pytest.mark.case("several-descriptions", **SEVERAL)
def test_several_lists_of_names_are_refused_unless_they_are_alike(tmp_path: Path, got: Got) -> None:
    make(tmp_path, {"obj.names": "cat\ndog\n", "train.txt": "a.jpg\n", "a.jpg": None, "a.txt": ROW})
    (tmp_path / "copy.names").write_text("cat\r\ndog\r\n")
    assert shown(tmp_path) == {"a.jpg": DOG}
    (tmp_path / "copy.names").write_text("dog\ncat\n")
    with pytest.raises(SternaError, match=r"differently; got copy\.names, obj\.names") as refused:
        open_source(tmp_path)
    got(refused.value)


@pytest.mark.parametrize("names", ["cat\n\ndog\n", "\ncat\ndog\n"])
def test_an_empty_line_between_names_is_a_class_without_one(tmp_path: Path, names: str) -> None:
    """Leaving it out would shift the numbers of the classes after it."""
    make(tmp_path, {"classes.txt": names, "a.jpg": None, "a.txt": ROW})
    with pytest.raises(SternaError, match="a class without a name"):
        open_source(tmp_path)
    (tmp_path / "classes.txt").write_text("cat\ndog\n\n \n")
    assert shown(tmp_path) == {"a.jpg": DOG}


def test_names_beside_data_of_another_format_are_not_yolo(tmp_path: Path) -> None:
    data_sets.write_voc(tmp_path)
    (tmp_path / "voc.names").write_text("cat\ndog\n")
    (tmp_path / "README.txt").write_text("1 2 3\n")
    assert open_source(tmp_path).format == "Pascal VOC"


def test_yaml_of_other_programs_describes_nothing(tmp_path: Path) -> None:
    make(
        tmp_path,
        {**LAYOUTS["split in images and labels"], "args.yaml": "names: 3\n", "broken.yaml": "[", "m.data": "x"},
    )
    assert shown(tmp_path) == {"a.jpg": DOG}


def test_two_lists_of_one_split_are_refused(tmp_path: Path) -> None:
    make(tmp_path, {"obj.names": "cat\ndog\n", "val.txt": "a.jpg\n", "valid.txt": "b.jpg\n"})
    with pytest.raises(SternaError, match="a split is given under two names; val = "):
        open_source(tmp_path)


@pytest.mark.case(
    "images-that-share-a-label-file",
    kind="the first of several",
    expected="a .jpg and a .png of one name, which would share a label file, are refused",
)
def test_images_that_share_a_label_file_are_refused(tmp_path: Path, got: Got) -> None:
    make(tmp_path, {**LAYOUTS["split in images and labels"], "images/train/a.png": None})
    with pytest.raises(FaultsError) as refused:
        reading(tmp_path)
    messages = [str(fault) for fault in refused.value.faults]
    for message, names in zip(messages, ("a.jpg and a.png", "a.png and a.jpg"), strict=True):
        assert f"two images have one label file; got {names}" in message
    got(messages[0])


def test_two_label_files_of_an_image_are_refused_if_they_differ(tmp_path: Path) -> None:
    make(tmp_path, {**LAYOUTS["split in images and labels"], "images/train/a.txt": ROW})
    assert shown(tmp_path) == {"a.jpg": DOG}
    (tmp_path / "images/train/a.txt").write_text("")
    with pytest.raises(SternaError, match=r"an image has two label files that differ"):
        reading(tmp_path)


# Partners


@pytest.mark.case(
    "label-names-in-per-cent-code",
    kind="a missing partner counts as empty",
    expected="label files whose names are in per-cent code meet their images, and it is said",
    source="label-studio#1266",
)
def test_label_files_in_per_cent_code_meet_their_images(tmp_path: Path, got: Got) -> None:
    make(tmp_path, {"data.yaml": f"train: images\n{NAMES}", "images/a.png": None, "labels/a.txt": ROW})
    for name, label in (("décran", "d%C3%A9cran"), ("b b", "b%20b"), ("e\u0301", "é")):
        image(tmp_path / f"images/{name}.png")
        (tmp_path / f"labels/{label}.txt").write_text(ROW)
    assert all(things == DOG for things in shown(tmp_path).values())
    summary = reading(tmp_path).summary
    assert (len(summary.without_labels), len(summary.without_image)) == (0, 0)
    (said,) = [f"{note}: {count}" for note, count in summary.notes.items()]
    assert said == "label files whose names are spelt differently from those of their images: 3"
    got(said)


def test_files_that_are_used_are_not_passed_over(tmp_path: Path) -> None:
    make(tmp_path, {**LAYOUTS["CVAT YOLO 1.1"], "train.txt": "a.jpg\n", "a.jpg": None, "a.txt": ROW})
    summary = reading(tmp_path).summary
    assert summary.passed_over == {"images in no list": 1} and summary.without_image == []


BESIDE = {
    "kind": "lost objects",
    "expected": "images that lie beside those of a data set and that no split has are counted",
}


@pytest.mark.case("images-that-no-list-names", **BESIDE)
def test_images_that_no_list_of_darknet_names_are_counted(tmp_path: Path, got: Got) -> None:
    lists = {"obj.names": "cat\ndog\n", "train.txt": "obj/a.jpg\n", "valid.txt": "obj/b.jpg\n"}
    make(
        tmp_path,
        lists | {f"obj/{name}.{kind}": None if kind == "jpg" else ROW for name in "abcd" for kind in ("jpg", "txt")},
    )
    for split in ("train", "val"):
        assert reading(tmp_path, split).summary.passed_over == {"images in no list": 2}
    got("darknet: 2 images with labels in no list: 'files ignored: images in no list: 2'")


@pytest.mark.case("images-that-no-list-names", **BESIDE)
def test_images_in_no_folder_of_a_split_are_counted(tmp_path: Path, got: Got) -> None:
    make(tmp_path, LAYOUTS["split in images and labels"])
    (tmp_path / "data.yaml").unlink()
    make(tmp_path, {"classes.txt": "cat\ndog\n", "images/extra/c.jpg": None, "labels/extra/c.txt": ROW})
    assert reading(tmp_path).summary.passed_over == {"images in no list": 1}
    got("YOLO folders train and extra: the image in extra is counted as one that no list names")


@pytest.mark.case(
    "links-to-folders",
    kind="lost objects",
    expected="images behind a link to a folder are read, and a link that leads back ends no program",
)
def test_links_to_folders_are_followed(tmp_path: Path, got: Got) -> None:
    folder = make(tmp_path / "set", LAYOUTS["split in images and labels"])
    make(tmp_path / "other", {"images/b.jpg": None, "labels/b.txt": ROW})
    for part in ("images", "labels"):
        (folder / part / "train/more").symlink_to(tmp_path / "other" / part)
        (folder / part / "train/back").symlink_to(folder)
    assert shown(folder) == {"a.jpg": DOG, "b.jpg": DOG}
    got("2 images, one of them behind a link")


def test_images_in_folders_of_systems_are_no_data(tmp_path: Path) -> None:
    make(tmp_path, LAYOUTS["split in images and labels"])
    for place in (".ipynb_checkpoints", "@eaDir/a.jpg", "__MACOSX"):
        make(tmp_path, {f"images/train/{place}/a.jpg": None})
    summary = reading(tmp_path).summary
    assert (summary.images, dict(summary.passed_over)) == (1, {"of the system": 3})


def test_a_folder_in_place_of_a_label_file_is_refused(tmp_path: Path) -> None:
    make(tmp_path, {**LAYOUTS["split in images and labels"], "images/train/b.jpg": None})
    (tmp_path / "labels/train/b.txt").mkdir()
    with pytest.raises(SternaError, match=r"b\.txt: the list of objects cannot be read \(Is a directory\)"):
        reading(tmp_path)


def test_what_has_no_partner_is_counted(tmp_path: Path) -> None:
    make(tmp_path, LAYOUTS["split in images and labels"])
    make(tmp_path, {"images/train/b.jpg": None, "labels/train/c.txt": ROW, "labels/train/sub/d.txt": ROW})
    make(tmp_path, {"labels/train/classes.txt": "cat\n", "images/train/notes.json": "{}"})
    summary = reading(tmp_path, missing_share=1.0).summary
    assert [path.name for path in summary.without_labels] == ["b.jpg"]
    assert [path.name for path in summary.without_image] == ["c.txt", "d.txt"]
    assert dict(summary.passed_over) == {"*.txt": 1, "*.json": 1}


def test_label_files_of_other_splits_have_a_partner(tmp_path: Path) -> None:
    make(tmp_path, {"obj.names": "cat\ndog\n", "train.txt": "obj/a.jpg\n", "valid.txt": "obj/b.jpg\n"})
    make(tmp_path, {f"obj/{name}.{kind}": None if kind == "jpg" else ROW for name in "ab" for kind in ("jpg", "txt")})
    summary = reading(tmp_path).summary
    assert not summary.without_image and not summary.passed_over


@pytest.mark.case(
    "yolo-repeated-list-lines",
    kind="a row stated twice",
    expected="lines that name an image again are read as a weight of the image",
    source="AlexeyAB/darknet#1453",
)
def test_an_image_that_is_listed_again_is_the_same_entry(tmp_path: Path, got: Got) -> None:
    make(tmp_path, {"obj.names": "cat\ndog\n", "train.txt": "a.jpg\nb.jpg\nb.jpg\n./b.jpg\n"})
    make(tmp_path, {"a.jpg": None, "a.txt": ROW, "b.jpg": None, "b.txt": ROW})
    entries = open_source(tmp_path).entries("train")
    assert len(entries) == 4 and len(set(entries)) == 2
    got(f"{len(entries)} lines, {len(set(entries))} images")


# Rows that may be two things


@pytest.mark.case(
    "yolo-pose-rows",
    kind="stated and not used",
    expected="with kpt_shape the first four numbers are the box; without it, rows that may be poses are refused",
    source="ultralytics#17489",
)
def test_rows_that_may_be_poses_are_refused_without_kpt_shape(tmp_path: Path, got: Got) -> None:
    pose = ROW.strip() + " 0.45 0.40 0.55 0.40 0.50 0.50 0.46 0.60 0.54 0.60\n"
    make(tmp_path, {**LAYOUTS["split in images and labels"], "labels/train/a.txt": ROW + pose})
    with pytest.raises(
        SternaError, match=r"a\.txt: line 2: the rows may be polygons, or boxes with .*poses"
    ) as refused:
        reading(tmp_path)
    got(refused.value)
    (tmp_path / "data.yaml").write_text(f"{YAML}kpt_shape: [5, 2]\n")
    assert shown(tmp_path) == {"a.jpg": DOG}  # the same box twice
    (tmp_path / "data.yaml").write_text(f"{YAML}kpt_shape: [0, 0]\n")
    assert len(shown(tmp_path)["a.jpg"]) == 2


def test_a_label_file_that_is_no_text_is_a_fault_of_its_image_only(tmp_path: Path) -> None:
    make(tmp_path, {**LAYOUTS["split in images and labels"], "images/train/b.jpg": None, "labels/train/b.txt": b"\0"})
    with pytest.raises(SternaError, match=r"b\.txt: the list of objects is not text.*--skip-bad"):
        reading(tmp_path)
    assert len(reading(tmp_path, skip_bad=True).summary.bad) == 1


def test_rows_of_several_lengths_are_polygons(tmp_path: Path) -> None:
    rows = "0 0.5 0.5 0.4 0.4 0.4 0.4 0.6 0.6 0.5 0.6\n0 0.5 0.5 0.4 0.4 0.4 0.4 0.6 0.6 0.5 0.6 0.5 0.7\n"
    make(tmp_path, {**LAYOUTS["split in images and labels"], "labels/train/a.txt": rows})
    assert [box for _, box in shown(tmp_path)["a.jpg"]] == [(16, 8, 24, 12), (16, 8, 24, 14)]
