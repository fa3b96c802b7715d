"""Pascal VOC as people have it: names, lists, suffixes and folders of all kinds."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.train.data import ReadOptions
from sterna.train.data.formats.folder import Format, open_source
from sterna.train.data.formats.record import Record
from sterna.train.data.reading import Reading, read
from support import data_sets
from support.data_sets import voc_object

Got = Callable[[str], None]
SIZE = (48, 32)


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    Image.fromarray(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)).save(path, format=kind)


def labels(path: Path, kind: str = "dog", filename: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f"<filename>{filename}</filename>" if filename else ""
    path.write_text(f"<annotation>{name}{voc_object(kind, (4, 4, 20, 20))}</annotation>")


def voc(root: Path, pairs: dict[str, str], listed: str, filename: str = "") -> Path:
    """A folder with lists: image files with the names of their annotations, and the text of the list of `train`."""
    for file, name in pairs.items():
        image(root / "JPEGImages" / file)
        labels(root / f"Annotations/{name}.xml", name.replace(" ", "_"), filename)
    (root / "ImageSets/Main").mkdir(parents=True)
    (root / "ImageSets/Main/train.txt").write_text(listed)
    return root


def records(root: Path, split: str = "train") -> list[Record]:
    source = open_source(root)
    return [source.record(entry) for entry in source.entries(split)]


def shown(root: Path, split: str = "train") -> list[tuple[str, str]]:
    """The file of each image and the name of its only object."""
    return [(record.image.name, record.objects[0].name) for record in records(root, split)]


def reading(folder: Path, split: str = "train") -> Reading:
    return read(open_source(folder), [split], ReadOptions(missing_share=1), str(folder))[split]


@pytest.mark.case(
    "voc-suffixes-of-cameras",
    kind="layout",
    expected="images with suffixes such as .JPG, .PNG, .Jpeg and .jfif are read",
    source="Safety-Helmet-Wearing-Dataset#22",
)
@pytest.mark.parametrize("suffix", [".JPG", ".PNG", ".Jpeg", ".jfif", ".jpg"])
def test_suffixes_in_any_letters_are_read(tmp_path: Path, suffix: str, got: Got) -> None:
    file = f"IMG_0001{suffix}"
    assert shown(voc(tmp_path, {file: "IMG_0001"}, "IMG_0001\n", file)) == [(file, "IMG_0001")]
    assert records(tmp_path)[0].notes == ()
    got(f"read {file} with 1 object")


LISTS = {
    "kind": "text read ad hoc",
    "expected": "a line of a list means the image of that name, never another one",
    "source": "efficientdet-pytorch#16",
}


@pytest.mark.case("voc-lists-with-spaces-and-brackets", **LISTS)
@pytest.mark.parametrize(
    "line",
    [
        "scan (1)",
        '"scan (1)"',
        "'scan (1)'",
        "scan (1)  1",
        "scan (1) -1",
        "scan (1)\t0",
        "scan (1).jpg",
        "  scan (1) ",
    ],
)
def test_a_line_with_spaces_means_that_image(tmp_path: Path, line: str, got: Got) -> None:
    folder = voc(tmp_path, {"scan.jpg": "scan", "scan (1).jpg": "scan (1)"}, f"{line}\n")
    assert shown(folder) == [("scan (1).jpg", "scan_(1)")]
    got(f"line {line.strip()!r} beside an image scan.jpg: read scan (1).jpg")


@pytest.mark.case("voc-lists-with-spaces-and-brackets", **LISTS)
def test_a_line_that_may_mean_two_images_is_refused(tmp_path: Path, got: Got) -> None:
    folder = voc(tmp_path, {"scan.jpg": "scan", "scan 1.jpg": "scan 1"}, "scan 1\n")
    with pytest.raises(SternaError, match=r"train\.txt: line 1: .*line = scan 1; allowed: scan 1 or scan; .*quotes"):
        shown(folder)
    (folder / "ImageSets/Main/train.txt").write_text('"scan 1"\nscan\n"scan 1" 1\n')
    assert [file for file, _ in shown(folder)] == ["scan 1.jpg", "scan.jpg", "scan 1.jpg"]
    got("line 'scan 1' beside images scan.jpg and scan 1.jpg: refused, both named; '\"scan 1\"' is read")


@pytest.mark.case("voc-lists-with-spaces-and-brackets", **LISTS)
def test_accents_are_the_same_in_one_character_or_two(tmp_path: Path, got: Got) -> None:
    one, two = (unicodedata.normalize(form, "d\u00e9cran") for form in ("NFC", "NFD"))
    for root, file, label, line in (("a", one, two, two), ("b", two, one, one), ("c", two, two, f"{one}.jpg 1")):
        folder = voc(tmp_path / root, {f"{file}.jpg": label}, f"{line}\n", f"{one}.jpg")
        assert [record.notes for record in records(folder)] == [()]
    got("an accent in one character in the list and in two in the name of the file: read")


def test_a_name_that_is_not_there_is_refused_as_it_is_listed(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"image is missing.*JPEGImages/my scan\.jpg"):
        shown(voc(tmp_path, {"my.jpg": "my"}, "my scan 1\n"))


def test_lists_may_lie_in_image_sets_and_names_in_folders(tmp_path: Path) -> None:
    folder = voc(tmp_path, {"day/a.jpg": "day/a", "night/a.jpg": "night/a"}, "")
    (folder / "ImageSets/Main/train.txt").rename(folder / "ImageSets/train.txt")
    (folder / "ImageSets/train.txt").write_text("night/a\nday/a.jpg\n")
    assert shown(folder) == [("a.jpg", "night/a"), ("a.jpg", "day/a")]


FILENAME = {
    "kind": "what a file states is dropped",
    "expected": "<filename> that names an image is used or refused, one that names none is said not to be used",
}


@pytest.mark.case("voc-filename-other-than-the-annotation", **FILENAME)
def test_an_image_of_another_name_is_the_one_that_is_stated(tmp_path: Path, got: Got) -> None:
    for root in (voc(tmp_path / "lists", {"camera7.jpg": "a"}, "a\n", "D:\\shots\\camera7.jpg"), tmp_path / "plain"):
        image(tmp_path / "plain/camera7.jpg")
        labels(tmp_path / "plain/a.xml", "a", "/home/me/camera7.jpg")
        (record,) = records(root)
        assert record.image.name == "camera7.jpg" and "differs from the name" in record.notes[0]
    got("a.xml that names camera7.jpg, without an image a: read camera7.jpg, and said so")


@pytest.mark.case("voc-filename-other-than-the-annotation", **FILENAME)
def test_a_stated_image_that_is_not_there_is_said(tmp_path: Path, got: Got) -> None:
    (record,) = records(voc(tmp_path, {"a.jpg": "a"}, "a\n", "before_renaming.jpg"))
    assert record.image.name == "a.jpg" and "not used" in record.notes[0]
    got(f"read a.jpg, and said: {record.notes[0]}")


@pytest.mark.case("voc-filename-other-than-the-annotation", **FILENAME)
def test_two_images_of_which_one_is_stated_and_one_has_the_name_are_refused(tmp_path: Path, got: Got) -> None:
    folder = voc(tmp_path, {"a.jpg": "a", "b.jpg": "b"}, "a\n", "b.jpg")
    with pytest.raises(SternaError, match=r"a\.xml: .*filename = b\.jpg; allowed: a\.jpg") as refused:
        shown(folder)
    got(f"refused: {refused.value.what}")


@pytest.mark.case(
    "two-images-or-annotations-of-one-name",
    kind="the first of several",
    expected="the stated <filename> decides between images of one name; otherwise several are refused",
)
def test_of_two_images_of_one_name_the_stated_one_is_read(tmp_path: Path, got: Got) -> None:
    pairs = {"a.jpg": "a", "a.png": "a"}
    assert shown(voc(tmp_path / "stated", pairs, "a\n", "a.png")) == [("a.png", "a")]
    with pytest.raises(SternaError, match=r"several images with the same name; a = a\.jpg, a\.png"):
        shown(voc(tmp_path / "open", pairs, "a\n"))
    (tmp_path / "stated/Annotations/a.XML").write_text("<annotation/>")
    with pytest.raises(SternaError, match=r"several annotations with the same name; a = a\.XML, a\.xml"):
        shown(tmp_path / "stated")
    got("a.jpg and a.png: <filename> decides, refused without; a.xml and a.XML: refused")


PLAIN = {
    "kind": "layout",
    "expected": "images and annotations of the same names are read wherever they usually lie",
    "source": "AlexeyAB/darknet#1073",
}
LAYOUTS = {
    "side by side": ("a.jpg", "a.xml", "train"),
    "images, annotations": ("images/a.jpg", "annotations/a.xml", "train"),
    "JPEGImages, Annotations": ("JPEGImages/a.jpg", "Annotations/a.xml", "train"),
    "imgs, xml": ("imgs/a.jpg", "xml/a.xml", "train"),
    "images, annotations/xmls": ("images/a.jpg", "annotations/xmls/a.xml", "train"),
    "Roboflow": ("valid/a.jpg", "valid/a.xml", "val"),
    "folders of splits inside": ("images/test/a.jpg", "labels/test/a.xml", "test"),
    "folders of splits outside": ("train/images/a.jpg", "train/annotations/a.xml", "train"),
    "folders with years": ("images/val2017/a.jpg", "annotations/val2017/a.xml", "val"),
    "deeper": ("set/day/images/a.jpg", "set/day/labels/a.xml", "train"),
}


@pytest.mark.case("images-and-annotations-without-lists", **PLAIN)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_pairs_are_found_in_the_usual_folders(tmp_path: Path, layout: str, got: Got) -> None:
    file, annotation, split = LAYOUTS[layout]
    image(tmp_path / file)
    labels(tmp_path / annotation)
    source = open_source(tmp_path)
    assert (source.format, source.splits) == ("Pascal VOC", (split,))
    assert shown(tmp_path, split) == [("a.jpg", "dog")]
    got(f"{file} and {annotation}: read as split {split}")


def test_lists_of_a_folder_further_in_are_used(tmp_path: Path) -> None:
    voc(tmp_path / "VOCdevkit/VOC2012", {"a.jpg": "a", "b.jpg": "b"}, "b\n")
    assert [file for file, _ in shown(tmp_path)] == ["b.jpg"]
    voc(tmp_path / "VOCdevkit/VOC2007", {"a.jpg": "a"}, "a\n")
    with pytest.raises(SternaError, match=r"several Pascal VOC folders; got .*VOC2007, .*VOC2012; .*name one"):
        open_source(tmp_path)


def test_what_has_no_partner_is_left_out_and_counted(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"train/images/{name}.jpg")
    for name in ("a", "c"):
        labels(tmp_path / f"train/annotations/{name}.xml")
    image(tmp_path / "train/annotations/trimaps/a.png")
    image(tmp_path / "cover.jpg")
    (tmp_path / "train/README.txt").write_text("x")
    summary = reading(tmp_path).summary
    assert summary.images == 1
    assert [path.name for path in summary.unlabelled] == ["b.jpg"]
    assert [path.name for path in summary.without_image] == ["c.xml"]
    assert dict(summary.passed_over) == {
        "*.png": 1,
        "*.txt": 1,
        "images or annotations outside the folders of the splits": 1,
    }
    with pytest.raises(SternaError, match="1 of 2 images have no label file"):
        read(open_source(tmp_path), ["train"], ReadOptions(), str(tmp_path))


def test_images_that_no_list_names_are_counted(tmp_path: Path) -> None:
    folder = voc(tmp_path, {"a.jpg": "a", "b.jpg": "b"}, "a\n")
    assert reading(folder).summary.passed_over["images in no list"] == 1


@pytest.mark.case(
    "val-and-valid",
    kind="the first of several",
    expected="two folders that may be one split are refused",
)
def test_two_folders_of_one_split_are_refused(tmp_path: Path, got: Got) -> None:
    for split in ("train", "val", "valid"):
        image(tmp_path / split / "a.jpg")
        labels(tmp_path / split / "a.xml")
    with pytest.raises(SternaError, match=r"two folders for one split; val = val, valid"):
        print(open_source(tmp_path).splits)
    got("refused: two folders for one split; val = val, valid")


@pytest.mark.case(
    "a-folder-that-fits-several-formats",
    kind="the first of several",
    expected="refused with the formats that fit and how to choose one",
)
def test_a_folder_of_several_formats_is_refused(tmp_path: Path, got: Got) -> None:
    data_sets.write_voc(tmp_path)
    data_sets.write_coco(tmp_path)
    with pytest.raises(SternaError, match=r"fits several formats; format = voc, coco; .*--format, or name"):
        open_source(tmp_path)
    assert open_source(tmp_path, wanted=Format.VOC).format == "Pascal VOC"
    assert open_source(tmp_path, wanted=Format.COCO).format == "COCO"
    with pytest.raises(SternaError, match=r"not a data set in the format yolo; allowed: .*data\.yaml"):
        open_source(tmp_path, wanted=Format.YOLO)
    got("refused: fits several formats, voc and coco; read with --format")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<annotations/>", r"not a Pascal VOC annotation; root element = annotations; allowed: annotation"),
        ("<annotation><size><width>x</width></size></annotation>", r"size that is not a number.*width = x"),
        ("<annotation><object><name>dog</name><robndbox/></object></annotation>", r"\(dog\): .*bndbox; .*robndbox"),
        (
            "<annotation><object><name>dog</name><difficult>2</difficult><bndbox><xmin>1</xmin><ymin>1</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>",
            r"neither 0 nor 1; difficult = 2; allowed: 0 or 1",
        ),
    ],
)
def test_annotations_that_say_something_else_are_refused(tmp_path: Path, text: str, words: str) -> None:
    folder = voc(tmp_path, {"a.jpg": "a"}, "a\n")
    (folder / "Annotations/a.xml").write_text(text)
    with pytest.raises(SternaError, match=words):
        records(folder)


BOX = "<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>24</xmax><ymax>14</ymax></bndbox>"
OTHER = "<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>34</xmax><ymax>14</ymax></bndbox>"


def annotated(root: Path, inner: str) -> Path:
    """A folder with one image and one annotation."""
    image(root / "a.jpg")
    (root / "a.xml").write_text(f"<annotation>{inner}</annotation>")
    return root


@pytest.mark.case(
    "voc-elements-given-twice",
    kind="the first of several",
    expected="an annotation that says a thing twice, and not alike, is refused",
)
@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (f"<object><name>dog</name>{BOX}{OTHER}</object>", "xmax = 24 and 34"),
        (f"<object><name>dog</name><name>cat</name>{BOX}</object>", "name = dog and cat"),
        (f"<object><name>dog</name><difficult/><difficult>1</difficult>{BOX}</object>", "difficult = nothing and 1"),
        (f"<filename>a.jpg</filename><filename>b.jpg</filename><object><name>dog</name>{BOX}</object>", "a.jpg and b"),
        ("<size><width>48</width></size><size><width>32</width></size>", "size/width = 48 and 32"),
    ],
)
def test_what_is_given_twice_is_refused(tmp_path: Path, inner: str, words: str, got: Got) -> None:
    with pytest.raises(SternaError, match="is given twice, with different values") as refused:
        records(annotated(tmp_path, inner))
    assert words in str(refused.value)
    got(str(refused.value).partition("a.xml")[2].partition("; allowed")[0].lstrip(": "))


@pytest.mark.case(
    "voc-boxes-in-no-object",
    kind="lost objects",
    expected="an annotation with boxes in elements that are not called object is refused, not read as background",
)
@pytest.mark.parametrize("tag", ["Object", "item"])
def test_a_box_in_no_object_is_refused(tmp_path: Path, tag: str, got: Got) -> None:
    with pytest.raises(SternaError, match=f"a bndbox outside any object; its element = {tag}") as refused:
        records(annotated(tmp_path, f"<{tag}><name>dog</name>{BOX}</{tag}>"))
    got(str(refused.value).partition("a.xml: ")[2])


def test_a_part_of_an_object_is_no_object(tmp_path: Path) -> None:
    part = f"<part><name>head</name>{OTHER}</part>"
    (record,) = records(annotated(tmp_path, f"<object><name>dog</name>{BOX}{part}</object>"))
    assert [(thing.name, thing.box) for thing in record.objects] == [("dog", (4, 4, 24, 14))]


@pytest.mark.case(
    "boxes-that-cvat-turned",
    kind="stated and not used",
    expected="a box that CVAT says to be turned is read as the upright box around it",
)
def test_a_turned_box_is_the_box_around_it(tmp_path: Path, got: Got) -> None:
    rotation = "<attributes><attribute><name>rotation</name><value>{}</value></attribute></attributes>"
    objects = "".join(f"<object><name>dog</name>{BOX}{rotation.format(angle)}</object>" for angle in ("0.0", "270"))
    (record,) = records(annotated(tmp_path, objects))
    assert [thing.box for thing in record.objects] == [(4, 4, 24, 14), pytest.approx((9, 0, 19, 19))]
    assert record.notes == ("boxes with an attribute rotation are read as the boxes around the rotated ones",)
    got("Pascal VOC: a box of 20x10, turned by 270 degrees: 10x20, cut to the image, and a line that says so")


@pytest.mark.case(
    "links-to-folders",
    kind="lost objects",
    expected="images behind a link to a folder are read, and a link that leads back ends no program",
)
def test_images_and_annotations_behind_a_link_are_read(tmp_path: Path, got: Got) -> None:
    image(tmp_path / "disk/a.jpg")
    labels(tmp_path / "disk/a.xml")
    for part in ("images", "annotations"):
        (tmp_path / "set" / part).mkdir(parents=True)
        (tmp_path / "set" / part / "more").symlink_to(tmp_path / "disk")
    (record,) = records(tmp_path / "set")
    assert len(record.objects) == 1
    got("Pascal VOC without lists: an image and its annotation, both behind links, give 1 object")
