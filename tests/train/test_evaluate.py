from __future__ import annotations

import numpy as np
import pytest

from sterna.run.boxes import Detections, iou
from sterna.run.detector import to_integers
from sterna.train import evaluate
from sterna.train.data.frames import Frame
from sterna.train.evaluate import RECALL

CLASSES = ("cat", "dog")


def frame(boxes: list[list[float]], classes: list[int], difficult: list[bool] | None = None) -> Frame:
    return Frame(
        np.zeros((100, 100, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
        np.array(difficult or [False] * len(classes), bool),
        np.zeros(len(classes), bool),
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


def test_ap_is_the_mean_over_ten_overlaps() -> None:
    loose = [10.0, 10.0, 30.0, 24.4]  # 20 x 14.4 of 20 x 20: IoU 0.72 counts at 0.50, 0.55 .. 0.70, five of ten
    result = evaluate.precision([frame([A], [0])], [found((loose, 0.9, 0))], CLASSES)
    assert result.map50 == pytest.approx(1.0)
    assert result.map == result.classes["cat"].ap == pytest.approx(0.5)


SMALL, MEDIUM, LARGE = [0.0, 0.0, 20.0, 20.0], [30.0, 0.0, 80.0, 50.0], [0.0, 0.0, 98.0, 98.0]


@pytest.mark.parametrize(("kept", "means"), [(SMALL, (1, 0, 0)), (MEDIUM, (0, 1, 0)), (LARGE, (0, 0, 1))])
def test_areas_are_measured_apart(kept: list[float], means: tuple[float, ...]) -> None:
    frames = [frame([SMALL, MEDIUM, LARGE], [0, 0, 0])]
    result = evaluate.precision(frames, [found((kept, 0.9, 0))], CLASSES)
    assert (result.small, result.medium, result.large) == pytest.approx(means)
    assert result.map == pytest.approx(34 / 101)  # one of three boxes: recall points 0 .. 0.33


def test_an_area_without_truths_has_no_precision() -> None:
    result = evaluate.precision([frame([SMALL], [0])], [found((SMALL, 0.9, 0))], CLASSES)
    assert (result.small, result.medium, result.large) == (pytest.approx(1.0), None, None)


def test_without_truths_nothing_is_measured() -> None:
    result = evaluate.precision([frame([], [])], [found((A, 0.9, 0))], CLASSES)
    assert (result.map50, result.map, result.classes) == (0.0, 0.0, {})


def test_the_curve_steps_down_at_the_recall_of_each_false_box() -> None:
    frames = [frame([A, B], [0, 0])]
    curve = evaluate.precision(frames, [found((A, 0.9, 0), (SMALL, 0.8, 0), (B, 0.7, 0))], CLASSES).classes["cat"].curve
    np.testing.assert_allclose(curve.precision, np.where(RECALL <= 0.5, 1.0, 2 / 3))
    np.testing.assert_allclose(curve.score, np.where(RECALL <= 0.5, 0.9, 0.7))


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner, size = rng.uniform(0, 60, (count, 2)), rng.uniform(15, 40, (count, 2))
    return np.concatenate([corner, corner + size], 1).astype(np.float32)


def random_case(seed: int) -> tuple[list[Frame], list[Detections]]:
    """Truths of both classes in five pictures, most of them found roughly, and false boxes."""
    rng = np.random.default_rng(seed)
    frames, detections = [], []
    for _ in range(5):
        truths, kinds = random_boxes(rng, 4), rng.integers(0, 2, 4)
        near = truths[:3] + rng.normal(0, 2, (3, 4))
        rows = np.concatenate([near, random_boxes(rng, 3)])
        frames.append(frame(truths.tolist(), kinds.tolist()))
        scores = rng.permutation(30)[:6] / 30 + 0.01
        kinds = np.concatenate([kinds[:3], rng.integers(0, 2, 3)])
        detections.append(found(*zip(rows.tolist(), scores.tolist(), kinds.tolist(), strict=True)))
    return frames, detections


def plain_ap50(frames: list[Frame], detections: list[Detections], kind: int) -> float:
    """Average precision by the book: boxes in order of score, each takes the truth that it overlaps best."""
    order = sorted(
        (-float(each.scores[index]), number, index)
        for number, each in enumerate(detections)
        for index in np.flatnonzero(each.classes == kind)
    )
    taken = {
        (number, int(truth)) for number, each in enumerate(frames) for truth in np.flatnonzero(each.classes != kind)
    }
    right = []
    for _, number, index in order:
        overlaps = iou(detections[number].boxes[[index]], frames[number].boxes)[0]
        free = [truth for truth in range(len(overlaps)) if (number, truth) not in taken and overlaps[truth] >= 0.5]
        right.append(bool(free))
        if free:
            taken.add((number, max(free, key=lambda truth: overlaps[truth])))
    hits = np.cumsum(right)
    recall = hits / sum(int((each.classes == kind).sum()) for each in frames)
    precision = hits / np.arange(1, len(hits) + 1)
    return float(np.mean([precision[recall >= point].max(initial=0.0) for point in RECALL]))


@pytest.mark.parametrize("seed", range(20))
def test_precision_equals_a_plain_computation(seed: int) -> None:
    frames, detections = random_case(seed)
    classes = evaluate.precision(frames, detections, CLASSES).classes
    for kind, name in enumerate(CLASSES):
        assert classes[name].ap50 == pytest.approx(plain_ap50(frames, detections, kind))
        curve = classes[name].curve
        assert np.mean(curve.precision) == pytest.approx(classes[name].ap50)
        assert (np.diff(curve.precision) <= 0).all() and (np.diff(curve.score) <= 0).all()
        assert classes[name].ap <= classes[name].ap50


def test_precision_survives_json() -> None:
    result = evaluate.precision(*random_case(0), CLASSES)
    assert evaluate.Precision.model_validate_json(result.model_dump_json()) == result


def test_both_views_of_a_picture_agree() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3)).astype(np.uint8)
    real, integers = evaluate.to_real(images), to_integers(images)
    assert integers.dtype == np.int8 and integers.shape == (2, 3, 4, 6)
    np.testing.assert_array_equal(real.numpy() * 128, integers)
    assert integers[1, 2, 3, 4] == int(images[1, 3, 4, 2]) - 128
