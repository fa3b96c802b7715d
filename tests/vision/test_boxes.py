from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sterna.cli import main
from sterna.errors import SternaError
from sterna.vision import boxes, defaults
from sterna.vision.boxes import Detections

ANCHORS = [[1.0, 2.0], [3.0, 1.5]]
CLASSES = 2
FIELDS = 5 + CLASSES
DEFAULTS = {"threshold": defaults.SHOWN, "overlap": defaults.OVERLAP}


def quiet_head(height: int = 4, width: int = 6) -> np.ndarray:
    """A head whose boxes all hold nothing, int8 at 1/16."""
    head = np.zeros((len(ANCHORS) * FIELDS, height, width), np.int8)
    head.reshape(len(ANCHORS), FIELDS, height, width)[:, 4] = -128
    return head


def test_a_planted_box_is_found_where_it_was_planted() -> None:
    head = quiet_head()
    fields = head.reshape(len(ANCHORS), FIELDS, 4, 6)[1, :, 2, 3]
    fields[:] = (0, 16, 8, -8, 127, -40, 80)  # real: x 0, y 1, w 0.5, h -0.5, objectness 7.94, classes -2.5 and 5
    found = boxes.detect(head, ANCHORS, scale=1 / 16, threshold=0.25, overlap=0.45, limit=100)
    assert len(found) == 1
    assert found.classes[0] == 1
    score = 1 / (1 + np.exp(-127 / 16)) / (1 + np.exp(-7.5))
    assert found.scores[0] == pytest.approx(score, rel=1e-5)
    centre = np.array([3 + 0.5, 2 + 1 / (1 + np.exp(-1.0))])
    size = np.array([3.0 * np.exp(0.5), 1.5 * np.exp(-0.5)])
    expected = np.concatenate([centre - size / 2, centre + size / 2]) / [6, 4, 6, 4]
    np.testing.assert_allclose(found.boxes[0], expected.clip(0, 1), rtol=1e-5)


def test_pixels_of_the_image_come_back_with_one_factor_per_axis() -> None:
    found = Detections(
        np.array([[0.25, 0.5, 0.5, 1.0]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    ).in_pixels(height=200, width=400)
    np.testing.assert_array_equal(found.boxes, [[100, 100, 200, 200]])


def test_channels_that_do_not_fit_the_anchors_are_refused() -> None:
    with pytest.raises(SternaError, match=r"channels = 13.*2 \* \(5 \+ classes\)"):
        boxes.decode(np.zeros((13, 4, 4), np.int8), ANCHORS, threshold=0.25)
    with pytest.raises(SternaError, match="channels = 10"):
        boxes.decode(np.zeros((10, 4, 4), np.int8), ANCHORS, threshold=0.25)


def test_extreme_heads_give_finite_boxes_inside_the_image() -> None:
    found = boxes.decode(np.full((len(ANCHORS) * FIELDS, 3, 3), 1e4, np.float32), ANCHORS, threshold=0.25)
    assert len(found) == len(ANCHORS) * 9
    assert np.isfinite(found.boxes).all() and found.boxes.min() >= 0 and found.boxes.max() <= 1


def plain_decode(head: np.ndarray, threshold: float) -> list[tuple[float, int, list[float]]]:
    """Score, class and box of each that reaches the threshold, best first: the equations of the paper, box by box."""
    _, height, width = head.shape
    sigmoid = lambda value: 1 / (1 + math.exp(-value))  # noqa: E731
    found = []
    for number, (anchor_width, anchor_height) in enumerate(ANCHORS):
        for row in range(height):
            for column in range(width):
                x, y, w, h, objectness, *classes = head[number * FIELDS : (number + 1) * FIELDS, row, column].tolist()
                likely = [math.exp(value) / sum(math.exp(other) for other in classes) for value in classes]
                score = sigmoid(objectness) * max(likely)
                centre = ((column + sigmoid(x)) / width, (row + sigmoid(y)) / height)
                size = (anchor_width * math.exp(w) / width, anchor_height * math.exp(h) / height)
                box = [
                    centre[0] - size[0] / 2,
                    centre[1] - size[1] / 2,
                    centre[0] + size[0] / 2,
                    centre[1] + size[1] / 2,
                ]
                if score >= threshold:
                    found.append((score, likely.index(max(likely)), [min(max(edge, 0), 1) for edge in box]))
    return sorted(found, key=lambda each: -each[0])


@pytest.mark.parametrize("seed", range(5))
def test_decoding_equals_the_equations(seed: int) -> None:
    head = np.random.default_rng(seed).normal(0, 1.5, (len(ANCHORS) * FIELDS, 4, 6))
    wanted = plain_decode(head, 0.2)
    assert 3 < len(wanted) < 48
    for scale in (1.0, 0.25):
        found = boxes.decode(head / scale, ANCHORS, scale=scale, threshold=0.2)
        np.testing.assert_allclose(found.scores, [score for score, _, _ in wanted], rtol=1e-5)
        assert found.classes.tolist() == [kind for _, kind, _ in wanted]
        np.testing.assert_allclose(found.boxes, [box for _, _, box in wanted], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_a_head_has_the_zero_point_that_it_is_said_to_have(dtype: type[np.integer]) -> None:
    integers = np.random.default_rng(1).integers(-128, 128, (len(ANCHORS) * FIELDS, 4, 6)).astype(dtype)
    found = boxes.decode(integers, ANCHORS, scale=0.05, zero_point=-70, threshold=0.2)
    wanted = boxes.decode((integers.astype(np.float32) + 70) * np.float32(0.05), ANCHORS, threshold=0.2)
    assert len(wanted) > 5 and found.classes.tolist() == wanted.classes.tolist()
    np.testing.assert_allclose(found.boxes, wanted.boxes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-5)


def test_a_head_of_real_numbers_needs_no_scale() -> None:
    head = np.random.default_rng(0).normal(0, 1.5, (len(ANCHORS) * FIELDS, 4, 6))
    for plain, scaled in (
        (boxes.decode(head, ANCHORS, threshold=0.2), boxes.decode(head, ANCHORS, scale=1.0, threshold=0.2)),
        (
            boxes.detect(head, ANCHORS, threshold=0.2, overlap=0.45, limit=9),
            boxes.suppress(boxes.decode(head, ANCHORS, scale=1.0, threshold=0.2), overlap=0.45, limit=9),
        ),
    ):
        np.testing.assert_array_equal(plain.boxes, scaled.boxes)
        np.testing.assert_array_equal(plain.scores, scaled.scores)


def test_a_box_grows_to_e_to_the_8_anchors_at_most() -> None:
    head = quiet_head().astype(np.float32)
    head[:FIELDS, 1, 2] = (0, 0, 50, 50, 9, 9, 0)
    found = boxes.decode(head, [[1e-4, 1e-4], [1, 1]], threshold=0.5)
    np.testing.assert_allclose(
        (found.boxes[:, 2:] - found.boxes[:, :2]) * [6, 4], [[1e-4 * math.exp(8)] * 2], rtol=1e-4
    )


def test_what_is_shown_is_what_the_help_says() -> None:
    parameters = inspect.signature(main.detect).parameters
    shown = {name: eval(parameters[name].annotation, vars(main)).__metadata__[0].show_default for name in DEFAULTS}
    of_boxes = {name: text.partition(";")[0] for name, text in shown.items()}  # a default for classes may follow
    assert of_boxes == {name: str(value) for name, value in DEFAULTS.items()}
    assert DEFAULTS == {"threshold": 0.3, "overlap": 0.45}


def test_overlapping_boxes_of_one_class_leave_the_better_one() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [30, 30, 40, 40]], np.float32)
    found = Detections(corners, np.array([0.6, 0.9, 0.5, 0.3], np.float32), np.array([0, 0, 1, 0]))
    kept = boxes.suppress(found, overlap=0.45, limit=100)
    np.testing.assert_allclose(kept.scores, [0.9, 0.5, 0.3])
    np.testing.assert_array_equal(kept.classes, [0, 1, 0])
    assert len(boxes.suppress(found, overlap=0.95, limit=100)) == 4
    assert len(boxes.suppress(found, overlap=0.45, limit=1)) == 1


def test_an_overlap_that_is_just_allowed_is_kept() -> None:
    corners = np.array([[0, 0, 2, 1], [0, 0, 1, 1]], np.float32)  # IoU 0.5
    found = Detections(corners, np.array([0.6, 0.9], np.float32), np.zeros(2, np.int64))
    assert len(boxes.suppress(found, overlap=0.5, limit=9)) == 2
    assert boxes.suppress(found, overlap=0.49, limit=9).scores.tolist() == [np.float32(0.9)]


def test_a_score_that_just_reaches_the_threshold_is_kept() -> None:
    head = np.zeros((len(ANCHORS) * FIELDS, 3, 4), np.float32)  # objectness 1/2, each of two classes 1/2
    assert len(boxes.decode(head, ANCHORS, threshold=0.25)) == len(ANCHORS) * 12
    assert len(boxes.decode(head, ANCHORS, threshold=0.2501)) == 0


def test_a_dropped_box_drops_no_other() -> None:
    """The middle box falls to the left one; the right one overlaps only the middle one and stays."""
    corners = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    found = Detections(corners, np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64))
    np.testing.assert_allclose(boxes.suppress(found, overlap=0.4, limit=9).scores, [0.9, 0.7])


def test_the_limit_counts_boxes_of_all_classes_and_the_best_remain() -> None:
    corners = np.arange(6, dtype=np.float32)[:, None] * 20 + np.array([0, 0, 10, 10], np.float32)
    found = Detections(corners, np.array([3, 1, 6, 2, 5, 4], np.float32) / 10, np.arange(6) % 2)
    kept = boxes.suppress(found, overlap=0.45, limit=4)
    np.testing.assert_allclose(kept.scores, [0.6, 0.5, 0.4, 0.3])
    np.testing.assert_array_equal(kept.classes, [0, 0, 1, 0])


def test_nothing_in_gives_nothing_out() -> None:
    assert len(boxes.detect(quiet_head(), ANCHORS, scale=1 / 16, threshold=0.25, overlap=0.45, limit=100)) == 0


corner_boxes = hnp.arrays(np.float32, (8, 4), elements=st.floats(0, 50, width=32)).map(
    lambda box: np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], 1)
)


@given(corner_boxes, st.lists(st.floats(0, 1, width=32), min_size=8, max_size=8), st.floats(0.1, 0.9))
def test_suppression_keeps_no_two_overlapping_boxes_and_drops_none_without_cause(
    corners: np.ndarray, scores: list[float], overlap: float
) -> None:
    found = Detections(corners, np.array(scores, np.float32), np.arange(8) % 2)
    kept = boxes.suppress(found, overlap=overlap, limit=100)
    same_class = kept.classes[:, None] == kept.classes[None]
    overlaps = boxes.iou(kept.boxes, kept.boxes) * same_class
    np.fill_diagonal(overlaps, 0)
    assert (overlaps <= np.float32(overlap)).all()
    rivals = boxes.iou(found.boxes, kept.boxes) > overlap
    covered = rivals & (found.classes[:, None] == kept.classes[None]) & (kept.scores[None] >= found.scores[:, None])
    in_kept = (found.boxes[:, None] == kept.boxes[None]).all(2) & (found.scores[:, None] == kept.scores[None])
    assert (covered | in_kept).any(1).all()


def test_iou_of_known_boxes() -> None:
    a = np.array([[0, 0, 2, 2]], np.float32)
    b = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(boxes.iou(a, b), [[1, 1 / 3, 0, 0]], rtol=1e-6)
