from __future__ import annotations

import math

import numpy as np
import pytest

from sterna.vision import drawing
from sterna.vision.boxes import Detections

FACTOR = drawing.READABLE // 100  # an image of 100 x 100 is enlarged by it


def test_truths_lie_around_their_boxes_and_labels_above_the_found() -> None:
    ground = np.full((100, 100, 3), 90, np.uint8)
    found = Detections(np.array([[40, 60, 80, 90]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
    truths = np.array([[10.0, 20.0, 30.0, 40.0]])
    drawn = np.asarray(drawing.boxes(ground, found, ["cat"], truths)).astype(int)
    assert drawn.shape == (100 * FACTOR, 100 * FACTOR, 3)
    white = np.argwhere((drawn[: 50 * FACTOR] == 255).all(2))
    assert white.min(0).tolist() == [20 * FACTOR - 2, 10 * FACTOR - 2]
    assert white.max(0).tolist() == [40 * FACTOR + 2, 30 * FACTOR + 2]
    coloured = np.argwhere(drawn[..., 0] > drawn[..., 2] + 50)
    top, left = coloured.min(0)
    assert left == 40 * FACTOR and 60 * FACTOR - 30 < top < 60 * FACTOR, "the label stands on the box"
    assert (drawn[30 * FACTOR, 20 * FACTOR] == 90).all() and (drawn[75 * FACTOR, 60 * FACTOR] == 90).all()


def labelled(left: int, top: int) -> tuple[int, int, int, int]:
    """First and last row and column, as drawn, of the label and the box of 20 x 20 pixels at this corner."""
    ground = np.full((100, 100, 3), 90, np.uint8)
    box = np.array([[left, top, left + 20, top + 20]], np.float32)
    found = Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64))
    drawn = np.asarray(drawing.boxes(ground, found, ["a long name of a class"])).astype(int)
    rows, columns = np.nonzero(drawn[..., 0] > drawn[..., 2] + 50)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def test_a_label_stays_in_the_image() -> None:
    first_row, last_row, first_column, last_column = labelled(75, 0)
    assert (first_row, last_row) == (0, 20 * FACTOR), "below the upper edge, where above it is no room"
    assert first_column < 75 * FACTOR and last_column == 100 * FACTOR - 1, "moved left, not cut off"
    first_row, _, first_column, last_column = labelled(10, 50)
    assert first_row < 50 * FACTOR and first_column == 10 * FACTOR and last_column > 30 * FACTOR


def test_classes_have_colours_of_their_own() -> None:
    colours = [drawing.colour(kind) for kind in range(8)]
    assert all(max(colour) == 255 and min(colour) == 38 for colour in colours), "bright and saturated"
    assert len(set(colours)) == 8


def test_a_sheet_holds_all_images_row_by_row() -> None:
    images = [drawing.Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    sheet = np.asarray(drawing.sheet(images, 2))
    assert sheet.shape == (3 * drawing.GAP + 20, 3 * drawing.GAP + 40, 3)
    assert sheet[drawing.GAP, drawing.GAP].tolist() == [255, 0, 0] and sheet[
        -drawing.GAP - 1, drawing.GAP
    ].tolist() == [0, 0, 255]
    assert (
        sheet[drawing.GAP, -drawing.GAP - 1].tolist() == [0, 255, 0]
        and sheet[-drawing.GAP - 1, -1].tolist() == [255] * 3
    )


def test_a_label_is_as_large_as_its_text_with_a_narrow_edge() -> None:
    font = drawing.ImageFont.load_default(size=max(11, 100 * FACTOR // 45))
    ruler = drawing.ImageDraw.Draw(drawing.Image.new("RGB", (1, 1)))
    _, _, width, height = ruler.textbbox((0, 0), "a long name of a class 100%", font=font)
    first_row, _, first_column, last_column = labelled(10, 50)
    assert first_row == math.ceil(50 * FACTOR - height - 2)
    assert last_column - first_column == int(width + 4)
    narrow = Detections(np.array([[10, 50, 12, 70]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
    drawn = np.asarray(drawing.boxes(np.full((100, 100, 3), 90, np.uint8), narrow, ["a long name of a class"]))
    assert np.flatnonzero(drawn[:, first_column + int(width), 2] != 90).max() == 50 * FACTOR, "it ends on the box"


@pytest.mark.parametrize(("kind", "ink"), [(0, 255), (2, 0)])
def test_text_is_dark_on_bright_and_bright_on_dark(kind: int, ink: int) -> None:
    assert drawing._bright(drawing.colour(kind)) == (ink == 0)
    found = Detections(np.array([[10, 50, 90, 70]], np.float32), np.ones(1, np.float32), np.array([kind]))
    drawn = np.asarray(drawing.boxes(np.full((100, 100, 3), 90, np.uint8), found, ["cat", "cat", "cat"])).astype(int)
    assert (abs(drawn - ink) < 16).all(2).any() and not (abs(drawn - (255 - ink)) < 16).all(2).any()


def test_green_becomes_bright_where_its_luma_passes_140() -> None:
    assert drawing._bright((0, 239, 0)) and not drawing._bright((0, 238, 0))


def test_letters_and_lines_stay_small_on_large_images() -> None:
    """A small object of a 4K frame is not covered by its own label."""
    found = Detections(np.array([[1000, 500, 1080, 540]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
    drawn = np.asarray(drawing.boxes(np.full((2160, 3840, 3), 90, np.uint8), found, ["cat"])).astype(int)
    rows, columns = np.nonzero(np.abs(drawn - 90).max(2) > 30)
    assert rows.min() > 450 and columns.max() < 1150
    assert (drawn[506:534, 1006:1074] == 90).all()
