from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.train import anchors
from sterna.train.frames import Frame, augment
from sterna.train.data.scenes import SceneSequence, SceneSet
from sterna.train.data.street import PERSON, VEHICLE
from sterna.train.voc import VocSet

LABEL = """<annotation><size><width>80</width><height>40</height></size>{}</annotation>"""
OBJECT = """<object><name>{}</name><difficult>{}</difficult>
<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"""


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (tmp_path / part).mkdir(parents=True)
    for number in range(2):
        pixels = np.full((40, 80, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "JPEGImages" / f"p{number}.jpg")
        objects = OBJECT.format("dog", 0, 1, 1, 40, 20) + OBJECT.format("cat", number, 41, 21, 80, 40)
        (tmp_path / "Annotations" / f"p{number}.xml").write_text(LABEL.format(objects))
    (tmp_path / "ImageSets/Main/train.txt").write_text("p0\np1 1\n\n")
    (tmp_path / "ImageSets/Main/test.txt").write_text("p1\n")
    return tmp_path


def test_voc_boxes_come_in_pixels_of_the_resized_picture(voc: Path) -> None:
    data = VocSet(voc, "train", 32, 64)
    assert data.classes == ("cat", "dog") and len(data) == 2
    frame = data[1]
    assert frame.image.shape == (32, 64, 3) and frame.image.dtype == np.uint8
    np.testing.assert_allclose(frame.boxes, [[0, 0, 32, 16], [32, 16, 64, 32]])
    assert frame.classes.tolist() == [1, 0] and frame.difficult.tolist() == [False, True]


def test_a_box_too_thin_to_see_counts_as_difficult(voc: Path) -> None:
    thin = OBJECT.format("dog", 0, 9, 9, 9, 30) + OBJECT.format("dog", 0, 9, 9, 20, 30)
    (voc / "Annotations/p0.xml").write_text(LABEL.format(thin))
    assert VocSet(voc, "train", 32, 64)[0].difficult.tolist() == [True, False]


def edit(path: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).write_text(text) and None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: shutil.rmtree(folder / "Annotations"), "no folder Annotations"),
        (lambda folder: (folder / "ImageSets/Main/train.txt").unlink(), "split = train; allowed: test"),
        (edit("ImageSets/Main/train.txt", "\n"), "image set is empty"),
        (edit("ImageSets/Main/train.txt", "p0\nmissing\n"), r"picture = missing\.jpg"),
        (lambda folder: (folder / "Annotations/p1.xml").unlink(), r"p1\.xml: the annotation is missing"),
        (edit("Annotations/p0.xml", "<annotation>"), r"p0\.xml: the annotation cannot be read"),
        (edit("Annotations/p0.xml", LABEL.format(OBJECT.format("dog", 0, 9, 1, 8, 5))), "bndbox = dog 9 1 8 5"),
        (edit("Annotations/p0.xml", LABEL.format(OBJECT.format("", 0, 1, 1, 9, 5))), r"\(no name\)"),
        (edit("Annotations/p0.xml", LABEL.format(OBJECT.format("dog", 0, "x", 1, 9, 5))), "bndbox = dog x"),
        (edit("JPEGImages/p0.jpg", "no picture"), r"p0\.jpg: the picture cannot be read"),
    ],
)
def test_a_damaged_voc_folder_is_refused_by_name(voc: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(voc)
    with pytest.raises(SternaError, match=message):
        data = VocSet(voc, "train", 32, 64)
        for index in range(len(data)):
            data[index]


def test_a_class_that_training_does_not_know_is_refused(voc: Path) -> None:
    with pytest.raises(SternaError, match="name = dog; allowed: cat"):
        VocSet(voc, "test", 32, 64, ("cat",))


def test_an_image_set_without_objects_has_no_classes(voc: Path) -> None:
    (voc / "Annotations/p1.xml").write_text(LABEL.format(""))
    with pytest.raises(SternaError, match="no labelled object"):
        VocSet(voc, "test", 32, 64)


def test_scenes_are_the_same_for_the_same_seed_and_different_otherwise() -> None:
    first, again = (SceneSet(3, "train", 4, 96, 96)[2] for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.boxes, again.boxes)
    for other in (SceneSet(4, "train", 4, 96, 96), SceneSet(3, "test", 4, 96, 96)):
        assert not np.array_equal(first.image, other[2].image)
    assert not np.array_equal(first.image, SceneSet(3, "train", 4, 96, 96)[1].image)


@pytest.mark.parametrize(("height", "width"), [(160, 160), (96, 224)])
def test_scenes_hold_both_classes_and_boxes_inside_the_picture(height: int, width: int) -> None:
    scenes = SceneSet(0, "val", 12, height, width)
    frames = [scenes[index] for index in range(len(scenes))]
    kinds = np.concatenate([frame.classes for frame in frames])
    assert (kinds == VEHICLE).sum() > 10 and (kinds == PERSON).sum() > 10
    for frame in frames:
        assert frame.image.shape == (height, width, 3)
        assert (frame.boxes[:, 2:] > frame.boxes[:, :2]).all()
        assert (frame.boxes >= 0).all() and (frame.boxes <= [width, height, width, height]).all()


def test_things_move_and_the_street_stays() -> None:
    sequence = SceneSequence((0, 2, 5), 160, 160)
    now, later = sequence.frame(0), sequence.frame(3)
    np.testing.assert_array_equal(now.image, sequence.frame(0).image)
    changed = (np.abs(now.image.astype(int) - later.image).max(2) > 25).mean()
    assert 0.002 < changed < 0.4
    assert not np.array_equal(now.boxes, later.boxes)


def marked(boxes: np.ndarray) -> Frame:
    """White boxes on black, so that a picture shows where its boxes are."""
    image = np.zeros((64, 96, 3), np.uint8)
    for left, top, right, bottom in boxes.astype(int):
        image[top:bottom, left:right] = 255
    return Frame(image, boxes.astype(np.float32), np.zeros(len(boxes), np.int64), np.zeros(len(boxes), bool))


@pytest.mark.parametrize("seed", range(8))
def test_augmented_boxes_stay_on_their_objects(seed: int) -> None:
    frame = augment(marked(np.array([[30, 20, 50, 34]])), np.random.default_rng(seed))
    assert len(frame.boxes) == 1
    rows, columns = np.nonzero(frame.image.max(2) > 140)
    shown = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    # Outside of the picture is grey and may be bright, hence only the box itself is compared where it is unambiguous.
    left, top, right, bottom = frame.boxes[0].round().astype(int)
    inside = frame.image[top + 1 : bottom - 1, left + 1 : right - 1]
    assert inside.min() > 110, shown
    ring = frame.image[max(0, top - 3) : bottom + 3, max(0, left - 3) : right + 3]
    assert ring.shape[0] > inside.shape[0] and (ring[0].max() < inside.min() or ring[-1].max() < inside.min())


def test_augmentation_depends_on_its_generator_only() -> None:
    frame = marked(np.array([[30, 20, 50, 34]]))
    first, again, other = (augment(frame, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)


def test_anchors_find_separate_clusters() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[1.0, 1.0], [2.0, 6.0], [7.0, 2.5]])
    sizes = np.concatenate([centre * rng.uniform(0.95, 1.05, (50, 2)) for centre in centres])
    found = anchors.cluster(sizes, 3, seed=0)
    np.testing.assert_allclose(found, centres[np.argsort(centres.prod(1))], rtol=0.03)
    np.testing.assert_array_equal(found, anchors.cluster(sizes, 3, seed=0))


def test_too_few_boxes_for_anchors_are_refused() -> None:
    with pytest.raises(SternaError, match="different box sizes = 1; allowed: at least 5"):
        anchors.cluster(np.ones((9, 2)), 5, seed=0)
