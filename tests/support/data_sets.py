"""The same labelled images, written as each format has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog")
SIZE = (80, 40)
SPLITS = {"train": (0, 1, 2), "val": (3,), "test": (4, 5)}


class Thing(NamedTuple):
    """An object; marked: as difficult in Pascal VOC, as crowd in COCO."""

    name: str
    box: tuple[int, int, int, int]
    marked: bool = False


#: What each image shows; the last one of all shows nothing.
IMAGES = (
    [Thing("dog", (0, 0, 40, 20)), Thing("cat", (40, 20, 80, 40))],
    [Thing("dog", (10, 5, 30, 25))],
    [Thing("cat", (64, 8, 80, 40), True)],
    [Thing("cat", (2, 3, 44, 33)), Thing("dog", (50, 10, 70, 30))],
    [Thing("dog", (20, 0, 60, 40))],
    [],
)


def name(number: int) -> str:
    return f"p{number}"


def draw(folder: Path, number: int) -> None:
    """A noisy image of its number."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    Image.fromarray(pixels).save(folder / f"{name(number)}.jpg")


def write_voc(root: Path) -> Path:
    for part in ("Annotations", "ImageSets/Main"):
        (root / part).mkdir(parents=True)
    for split, numbers in SPLITS.items():
        (root / "ImageSets/Main" / f"{split}.txt").write_text("".join(f"{name(number)} 1\n" for number in numbers))
    for number, things in enumerate(IMAGES):
        draw(root / "JPEGImages", number)
        objects = "".join(voc_object(*thing) for thing in things)
        (root / "Annotations" / f"{name(number)}.xml").write_text(voc_annotation(objects))
    return root


def voc_annotation(objects: str, width: object = SIZE[0], height: object = SIZE[1]) -> str:
    size = f"<size><width>{width}</width><height>{height}</height></size>"
    return f"<annotation>{size}{objects}</annotation>"


def voc_object(kind: str, box: tuple[object, ...], difficult: bool = False) -> str:
    left, top, right, bottom = box
    left, top = (edge + 1 if isinstance(edge, int) else edge for edge in (left, top))  # VOC counts from 1
    corners = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
    return f"<object><name>{kind}</name><difficult>{int(difficult)}</difficult><bndbox>{corners}</bndbox></object>"


def coco_content(numbers: tuple[int, ...]) -> dict[str, list[dict[str, object]]]:
    annotations = [(number, thing) for number in numbers for thing in IMAGES[number]]
    return {
        "images": [
            {"id": 100 + number, "file_name": f"{name(number)}.jpg", "width": SIZE[0], "height": SIZE[1]}
            for number in numbers
        ],
        "annotations": [
            {
                "id": index,
                "image_id": 100 + number,
                "category_id": 7 + CLASSES.index(thing.name),
                "bbox": [*thing.box[:2], thing.box[2] - thing.box[0], thing.box[3] - thing.box[1]],
                "iscrowd": int(thing.marked),
                "segmentation": [],
            }
            for index, (number, thing) in enumerate(annotations)
        ],
        "categories": [{"id": 7 + index, "name": kind, "supercategory": "pet"} for index, kind in enumerate(CLASSES)],
    }


def write_coco(root: Path) -> Path:
    """As the challenge publishes it."""
    (root / "annotations").mkdir(parents=True)
    for split, numbers in SPLITS.items():
        (root / f"annotations/instances_{split}2017.json").write_text(json.dumps(coco_content(numbers)))
        for number in numbers:
            draw(root / f"{split}2017", number)
    (root / "annotations/captions_train2017.json").write_text("{}")
    return root


def write_roboflow(root: Path) -> Path:
    """COCO as Roboflow exports it, with a category that only groups the others."""
    for split, numbers in SPLITS.items():
        folder = root / {"val": "valid"}.get(split, split)
        for number in numbers:
            draw(folder, number)
        content = coco_content(numbers)
        content["categories"].insert(0, {"id": 0, "name": "pet", "supercategory": "none"})
        (folder / "_annotations.coco.json").write_text(json.dumps(content))
    return root


def write_labels(folder: Path, number: int) -> None:
    """YOLO rows; an image without objects gets an empty file."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for thing in IMAGES[number]:
        left, top, right, bottom = thing.box
        centre = ((left + right) / 2 / SIZE[0], (top + bottom) / 2 / SIZE[1])
        row = (*centre, (right - left) / SIZE[0], (bottom - top) / SIZE[1])
        rows.append(f"{CLASSES.index(thing.name)} {' '.join(f'{share:.7f}' for share in row)}\n")
    (folder / f"{name(number)}.txt").write_text("".join(rows))


def write_yolo(root: Path) -> Path:
    """As Ultralytics publishes data sets."""
    for split, numbers in SPLITS.items():
        for number in numbers:
            draw(root / "images" / split, number)
            write_labels(root / "labels" / split, number)
    index = "path: .\ntrain: images/train\nval: images/val\ntest: images/test\nnames:\n  0: cat\n  1: dog\n"
    (root / "data.yaml").write_text(index)
    return root


def write_darknet(root: Path) -> Path:
    """As Darknet takes it: labels beside images, paths from the folder above."""
    for split, numbers in SPLITS.items():
        for number in numbers:
            draw(root / "obj", number)
            write_labels(root / "obj", number)
        listed = "".join(f"{root.name}/obj/{name(number)}.jpg\n" for number in numbers)
        (root / f"{ {'val': 'valid'}.get(split, split) }.txt").write_text(listed)
    (root / "obj.names").write_text("cat\ndog\n")
    return root


WRITERS = {
    "voc": write_voc,
    "coco": write_coco,
    "roboflow": write_roboflow,
    "yolo": write_yolo,
    "darknet": write_darknet,
}
