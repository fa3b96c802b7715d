"""COCO's metrics against a slow computation of their definition (cocodataset.org/#detection-eval)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sterna.train.data.frames import Labels
from sterna.train.report import coco_precision
from sterna.vision.boxes import Detections
from support.found import found, frame, random_images

MOST = 100
OVERLAPS = [0.5 + 0.05 * step for step in range(10)]
AREAS = [(0, 1e10), (0, 32**2), (32**2, 96**2), (96**2, 1e10)]
POINTS = [point / 100 for point in range(101)]

Box = list[float]
Images = list[tuple[Labels, Detections]]


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def shared(a: Box, b: Box) -> float:
    width, height = (min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis]) for axis in (0, 1))
    return width * height if width > 0 and height > 0 else 0.0


def overlap(box: Box, truth: Box, crowd: bool) -> float:
    common = shared(box, truth)
    return common / (area(box) if crowd else area(box) + area(truth) - common)


def matched(labels: Labels, detections: Detections, kind: int, least: float, limits: tuple[float, float], most: int):
    """Score and verdict (True, False, None: not counted) of each box of a class, and the objects to be found."""
    truths = [
        (box, bool(difficult), bool(crowd), bool(difficult or crowd or not limits[0] <= area(box) <= limits[1]))
        for box, each, difficult, crowd in zip(labels.boxes.tolist(), *labels[1:], strict=True)
        if each == kind
    ]
    taken: set[int] = set()
    rows = [
        (score, box)
        for box, score, each in zip(
            detections.boxes.tolist(), detections.scores.tolist(), detections.classes, strict=True
        )
        if each == kind
    ]
    verdicts = []
    for score, box in sorted(rows, key=lambda row: -row[0])[:most]:

        def best(ignored: bool, box: Box = box) -> int | None:
            choice, most = None, least
            for number, (truth, difficult, crowd, ignore) in enumerate(truths):
                many = difficult or crowd  # take any number of boxes
                if ignore == ignored and (many or number not in taken) and overlap(box, truth, crowd) >= most:
                    choice, most = number, overlap(box, truth, crowd)
            return choice

        for ignored, verdict in ((False, True), (True, None)):
            truth = best(ignored)
            if truth is not None:
                taken.add(truth)
                verdicts.append((score, verdict))
                break
        else:
            verdicts.append((score, False if limits[0] <= area(box) <= limits[1] else None))
    return verdicts, sum(not ignore for *_, ignore in truths)


def slow(images: Images, kind: int, least: float, limits: tuple[float, float], most: int = MOST) -> list[float]:
    """Precision at each point of recall; -1 if there is nothing to find."""
    each = [matched(*image, kind, least, limits, most) for image in images]
    wanted = sum(count for _, count in each)
    if not wanted:
        return [-1.0] * len(POINTS)
    counted = [row for verdicts, _ in each for row in verdicts if row[1] is not None]
    curve, right = [], 0
    for number, (_, verdict) in enumerate(sorted(counted, key=lambda row: -row[0]), 1):
        right += verdict
        curve.append((right / wanted, right / number))
    return [max((precision for recall, precision in curve if recall >= point), default=0.0) for point in POINTS]


@pytest.mark.parametrize("seed", range(25))
def test_every_value_equals_the_definition(seed: int) -> None:
    images = random_images(seed)
    measured = coco_precision.measure(images, 3, MOST).precision
    for kind in range(3):
        for number, limits in enumerate(AREAS):
            for index, least in enumerate(OVERLAPS):
                wanted = slow(images, kind, least, limits)
                np.testing.assert_allclose(measured[index, :, kind, number], wanted, err_msg=f"{kind} {limits} {least}")


def test_only_the_best_boxes_of_an_image_count() -> None:
    images = [
        (frame([[0, 0, 20, 20]], [0]).labels, found(*([[50, 50, 90, 90], 0.9, 0],) * 3, ([0, 0, 20, 20], 0.1, 0)))
    ]
    values = [coco_precision.measure(images, 1, most).precision[0, 0, 0, 0] for most in (3, 4)]
    assert values == [0.0, pytest.approx(1 / 4)]
    assert [slow(images, 0, 0.5, AREAS[0], most)[0] for most in (3, 4)] == values


def test_what_does_not_belong_together_is_refused() -> None:
    labels, boxes = frame([A], [0]).labels, found((A, 0.9, 0), (B, 0.8, 0))
    for wrong in (
        (labels._replace(classes=np.zeros(2, np.int64)), boxes),
        (labels, Detections(boxes.boxes, boxes.scores[:1], boxes.classes)),
    ):
        with pytest.raises(ValueError, match="argument"):
            coco_precision.measure([wrong], 1, MOST)


A, B, INSIDE = [10.0, 10.0, 30.0, 30.0], [50.0, 50.0, 90.0, 90.0], [55.0, 55.0, 65.0, 65.0]


@pytest.mark.case(
    "coco-crowd-is-not-difficult",
    kind="metric",
    expected="a crowd excuses boxes inside it, a difficult object only boxes that are on it",
    source="cocodataset/cocoapi#444",
)
@pytest.mark.parametrize(
    ("marked", "boxes", "precision"),
    [
        ("difficult", [INSIDE, INSIDE, INSIDE], 1 / 4),
        ("crowd", [INSIDE, INSIDE, INSIDE], 1.0),
        ("difficult", [B, B], 1.0),
        ("crowd", [B, B], 1.0),
        ("difficult", [A, B], 0.5),  # A is another object, in another place
    ],
)
def test_a_difficult_object_excuses_boxes_on_it_and_a_crowd_those_in_it(
    marked: str, boxes: list[list[float]], precision: float, got: Callable[[str], None]
) -> None:
    """The easy object is found with the least score; what is wrong before it halves the precision, and so on."""
    truth = [200.0, 200.0, 220.0, 220.0]
    labels = frame([B, truth], [0, 0], **{marked: [True, False]}).labels
    images = [(labels, found(*((box, 0.9, 0) for box in boxes), (truth, 0.5, 0)))]
    measured = coco_precision.measure(images, 1, MOST).precision[0, :, 0, 0]
    np.testing.assert_allclose(measured, precision)
    got(f"{len(boxes)} boxes near what is {marked}: precision {measured[0]:.3f}")


def test_neither_a_difficult_object_nor_a_crowd_has_to_be_found() -> None:
    labels = frame([A, B, INSIDE], [0, 0, 0], [False, True, False], [False, False, True]).labels
    measured = coco_precision.measure([(labels, found((A, 0.9, 0)))], 1, MOST).precision[:, :, 0, 0]
    np.testing.assert_allclose(measured, 1.0)
    only = frame([B, INSIDE], [0, 0], [True, False], [False, True]).labels
    assert (coco_precision.measure([(only, found((A, 0.9, 0)))], 1, MOST).precision == -1).all()


def test_a_planted_error_shows() -> None:
    """The slow computation with crowd as difficult, or the reverse, gives other values somewhere."""

    def differs(change: Callable[[Labels], Labels]) -> bool:
        return any(
            coco_precision.measure(images, 3, MOST).precision[0, :, kind, 0].tolist()
            != pytest.approx(slow([(change(labels), boxes) for labels, boxes in images], kind, 0.5, AREAS[0]))
            for images in map(random_images, range(25))
            for kind in range(3)
        )

    assert not differs(lambda labels: labels)
    none = np.zeros_like
    assert differs(lambda labels: labels._replace(difficult=labels.difficult | labels.crowd, crowd=none(labels.crowd)))
    assert differs(lambda labels: labels._replace(crowd=labels.difficult | labels.crowd, difficult=none(labels.crowd)))
