"""Which pixels labels are of, when an image has an EXIF orientation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.train.data.formats.canvas import Exif, canvas
from sterna.train.data.formats.folder import open_source
from sterna.train.data.formats.record import Record
from sterna.vision import image_files
from support.data_sets import voc_annotation, voc_object

SIZE, BOX = (80, 40), (10, 4, 30, 12)  # of the pixels as stored
EXIF = {
    "kind": "what a file states is dropped",
    "expected": "boxes lie on their objects, by the size in the labels or by --exif; what nothing tells is warned of",
    "source": "labelImg#376, #198",
}


def draw(path: Path, orientation: int) -> Path:
    """An image with a white object at BOX of its stored pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def write(root: Path, kind: str, orientation: int, size: tuple[int, int]) -> Path:
    """A data set of one image, labelled on its stored pixels; `size` is what the labels say."""
    left, top, right, bottom = BOX
    if kind == "voc":
        draw(root / "JPEGImages/a.png", orientation)
        for part in ("Annotations", "ImageSets/Main"):
            (root / part).mkdir(parents=True)
        (root / "ImageSets/Main/train.txt").write_text("a\n")
        (root / "Annotations/a.xml").write_text(voc_annotation(voc_object("dog", BOX), *size))
    elif kind == "coco":
        draw(root / "train/a.png", orientation)
        content = {
            "images": [{"id": 1, "file_name": "a.png", "width": size[0], "height": size[1]}],
            "annotations": [{"image_id": 1, "category_id": 1, "bbox": [left, top, right - left, bottom - top]}],
            "categories": [{"id": 1, "name": "dog"}],
        }
        (root / "annotations").mkdir()
        (root / "annotations/instances_train.json").write_text(json.dumps(content))
    else:
        draw(root / "images/a.png", orientation)
        (root / "labels").mkdir()
        row = ((left + right) / 160, (top + bottom) / 80, (right - left) / 80, (bottom - top) / 40)
        (root / "labels/a.txt").write_text(f"0 {' '.join(map(str, row))}\n")
        (root / "data.yaml").write_text("train: images\nnames: [dog]\n")
    return root


def read(root: Path, exif: Exif = Exif.UPRIGHT) -> Record:
    source = open_source(root, exif)
    return source.record(source.entries("train")[0])


def white(record: Record) -> float:
    """How much of the only object's box shows the object: 1 if it lies right."""
    pixels = np.asarray(image_files.read(record.image))
    left, top, right, bottom = (round(edge) for edge in record.objects[0].box)
    assert pixels.shape[:2] == record.size[::-1] and (right - left) * (bottom - top) == 160
    return float(pixels[top:bottom, left:right].mean() / 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["voc", "coco", "yolo"])
@pytest.mark.case("labels-on-the-pixels-as-stored", **EXIF)
def test_boxes_of_stored_pixels_are_turned_with_them(
    tmp_path: Path, kind: str, orientation: int, got: Callable[[str], None]
) -> None:
    record = read(write(tmp_path, kind, orientation, (0, 0)), Exif.STORED)
    assert white(record) == 1
    assert bool(record.notes) == (orientation != 1)
    if orientation == 3:
        got(f"{kind}, turned by 180 degrees, --exif stored: all of the box is on the object; says: {record.notes[0]}")


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["voc", "coco"])
@pytest.mark.case("labels-on-the-pixels-as-stored", **EXIF)
def test_a_size_in_the_labels_tells_which_way_up_they_are(
    tmp_path: Path, kind: str, orientation: int, got: Callable[[str], None]
) -> None:
    record = read(write(tmp_path / "stored", kind, orientation, SIZE))
    assert white(record) == 1 and "as stored" in record.notes[0]
    record = read(write(tmp_path / "upright", kind, orientation, (40, 80)), Exif.STORED)
    assert record.objects[0].box == BOX and "upright" in record.notes[0]
    got(f"{kind}, on its side: the size in the labels decides, and the summary says so")
    with pytest.raises(SternaError, match=r"size = 41x80; allowed: 40x80 or 80x40"):
        read(write(tmp_path / "other", kind, orientation, (41, 80)))


@pytest.mark.parametrize("said", [(None, None), SIZE], ids=["no size", "a size that fits both ways"])
def test_what_labels_do_not_tell_is_said(tmp_path: Path, said: tuple[int | None, int | None]) -> None:
    """Of an image turned by 180 degrees, even labels with a size do not tell."""
    image = draw(tmp_path / "a.jpg", 3)
    told = "an EXIF orientation; labels do not say which way up, taken as stored (--exif upright, --exif stored)"
    assert canvas(image, image, Exif.STORED, said).notes == (told,)


def test_without_an_orientation_there_is_nothing_to_say(tmp_path: Path) -> None:
    image = draw(tmp_path / "a.png", 1)
    assert canvas(image, image, Exif.STORED) == (image, SIZE, SIZE, 1, ())


@pytest.mark.case(
    "files-of-several-images",
    kind="the first of several",
    expected="of a file of several images, such as a scan of several pages, the first is read, which is said",
)
def test_a_file_of_several_images_is_told_of(tmp_path: Path, got: Callable[[str], None]) -> None:
    path = tmp_path / "scan.tif"
    Image.new("RGB", SIZE).save(path, save_all=True, append_images=[Image.new("RGB", (9, 9))])
    found = canvas(path, tmp_path, Exif.UPRIGHT)
    assert (found.size, found.notes) == (SIZE, ("files with several images, of which the first is read",))
    got(f"warning: {found.notes[0]}: 1 image")
