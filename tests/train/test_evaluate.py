from __future__ import annotations

import numpy as np
import pytest

from sterna.run.boxes import Detections
from sterna.run.detector import to_integers
from sterna.train import evaluate
from sterna.train.frames import Frame

CLASSES = ("cat", "dog")


def frame(boxes: list[list[float]], classes: list[int], difficult: list[bool] | None = None) -> Frame:
    return Frame(
        np.zeros((100, 100, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
        np.array(difficult or [False] * len(classes), bool),
    )


def found(*rows: tuple[list[float], float, int]) -> Detections:
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int64),
    )


A, B = [10.0, 10.0, 30.0, 30.0], [50.0, 50.0, 90.0, 90.0]


def test_all_found_is_one_and_none_found_is_zero() -> None:
    frames = [frame([A, B], [0, 1])]
    assert evaluate.precision(frames, [found((A, 0.9, 0), (B, 0.8, 1))], CLASSES).map50 == pytest.approx(1.0)
    assert evaluate.precision(frames, [found()], CLASSES).map50 == 0.0
    assert evaluate.precision(frames, [found((A, 0.9, 1), (B, 0.8, 0))], CLASSES).map50 == 0.0


def test_half_of_the_boxes_found_is_half_the_curve() -> None:
    result = evaluate.precision([frame([A, B], [0, 0])], [found((A, 0.9, 0))], CLASSES)
    assert result.classes["cat"].ap50 == pytest.approx(51 / 101)  # recall points 0 .. 0.5 of 0 .. 1 in 101 steps


def test_a_better_scored_false_box_halves_the_precision() -> None:
    result = evaluate.precision([frame([A], [0])], [found((B, 0.9, 0), (A, 0.5, 0))], CLASSES)
    assert result.map50 == pytest.approx(0.5)


def test_iou_of_half_is_the_limit() -> None:
    just_in, just_out = [10.0, 10.0, 30.0, 20.5], [10.0, 10.0, 30.0, 19.5]
    assert evaluate.precision([frame([A], [0])], [found((just_in, 0.9, 0))], CLASSES).map50 == pytest.approx(1.0)
    assert evaluate.precision([frame([A], [0])], [found((just_out, 0.9, 0))], CLASSES).map50 == 0.0


def test_a_second_box_on_one_truth_is_false() -> None:
    frames = [frame([A], [0]), frame([B], [0])]
    twice = [found((A, 0.9, 0), (A, 0.8, 0)), found((B, 0.7, 0))]
    expected = (51 * 1.0 + 50 * 2 / 3) / 101
    assert evaluate.precision(frames, twice, CLASSES).map50 == pytest.approx(expected, abs=1e-3)


def test_difficult_boxes_do_not_count() -> None:
    frames = [frame([A, B], [0, 0], [False, True])]
    assert evaluate.precision(frames, [found((A, 0.9, 0))], CLASSES).map50 == pytest.approx(1.0)
    assert evaluate.precision(frames, [found((B, 0.95, 0), (A, 0.9, 0))], CLASSES).map50 == pytest.approx(1.0)


def test_boxes_of_one_picture_do_not_match_another() -> None:
    frames = [frame([A], [0]), frame([B], [0])]
    assert evaluate.precision(frames, [found((B, 0.9, 0)), found((A, 0.9, 0))], CLASSES).map50 == 0.0


def test_both_views_of_a_picture_agree() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3)).astype(np.uint8)
    real, integers = evaluate.to_real(images), to_integers(images)
    assert integers.dtype == np.int8 and integers.shape == (2, 3, 4, 6)
    np.testing.assert_array_equal(real.numpy() * 128, integers)
    assert integers[1, 2, 3, 4] == int(images[1, 3, 4, 2]) - 128
