"""VOC's metrics against the text of the development kit, statement by statement."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sterna.train.data.frames import Labels
from sterna.train.report import voc_precision
from sterna.train.report.voc_precision import NOT_COUNTED, RIGHT, WRONG
from sterna.vision.boxes import Detections
from support.found import found, frame, random_images

Images = list[tuple[Labels, Detections]]


def voc_eval_det(images: Images, kind: int) -> tuple[list[float], list[float]]:
    """rec and prec of VOCevaldet.m, in its names; pixels counted from 1, the last one included."""
    gt = []
    npos = 0
    for labels, _ in images:
        clsinds = np.flatnonzero(labels.classes == kind)
        boxes = [[left + 1, top + 1, right, bottom] for left, top, right, bottom in labels.boxes[clsinds].tolist()]
        diff = labels.difficult[clsinds].tolist()
        gt.append({"BB": boxes, "diff": diff, "det": [False] * len(boxes)})
        npos += sum(not each for each in diff)
    ids, confidence, bbs = [], [], []
    for number, (_, detections) in enumerate(images):
        for box, score, each in zip(
            detections.boxes.tolist(), detections.scores.tolist(), detections.classes, strict=True
        ):
            if each == kind:
                ids.append(number)
                confidence.append(score)
                bbs.append([box[0] + 1, box[1] + 1, box[2], box[3]])
    si = sorted(range(len(ids)), key=lambda index: -confidence[index])  # stable, as MATLAB's sort is
    tp, fp = [0] * len(si), [0] * len(si)
    for d, index in enumerate(si):
        i, bb = ids[index], bbs[index]
        ovmax, jmax = -math.inf, -1
        for j, bbgt in enumerate(gt[i]["BB"]):
            bi = [max(bb[0], bbgt[0]), max(bb[1], bbgt[1]), min(bb[2], bbgt[2]), min(bb[3], bbgt[3])]
            iw = bi[2] - bi[0] + 1
            ih = bi[3] - bi[1] + 1
            if iw > 0 and ih > 0:
                ua = (
                    (bb[2] - bb[0] + 1) * (bb[3] - bb[1] + 1)
                    + (bbgt[2] - bbgt[0] + 1) * (bbgt[3] - bbgt[1] + 1)
                    - iw * ih
                )
                ov = iw * ih / ua
                if ov > ovmax:
                    ovmax, jmax = ov, j
        if ovmax >= 0.5:
            if not gt[i]["diff"][jmax]:
                if not gt[i]["det"][jmax]:
                    tp[d] = 1
                    gt[i]["det"][jmax] = True
                else:
                    fp[d] = 1
        else:
            fp[d] = 1
    fps, tps = np.cumsum(fp), np.cumsum(tp)
    rec = [each / npos if npos else math.nan for each in tps]
    prec = [right / (wrong + right) if wrong + right else math.nan for wrong, right in zip(fps, tps, strict=True)]
    return rec, prec


def matlab_max(values: list[float]) -> float:
    """MATLAB's max passes over NaN; 0 for nothing, as the kit has it."""
    return max((value for value in values if not math.isnan(value)), default=0.0)


def voc_2007(rec: list[float], prec: list[float]) -> float:
    ap = 0.0
    for step in range(11):
        t = step * 0.1
        p = matlab_max([each for recall, each in zip(rec, prec, strict=True) if recall >= t])
        ap += p / 11
    return ap


def voc_ap(rec: list[float], prec: list[float]) -> float:
    """VOCap.m."""
    mrec, mpre = [0.0, *rec, 1.0], [0.0, *prec, 0.0]
    for i in reversed(range(len(mpre) - 1)):
        mpre[i] = matlab_max([mpre[i], mpre[i + 1]])
    return sum((mrec[i] - mrec[i - 1]) * mpre[i] for i in range(1, len(mrec)) if mrec[i] != mrec[i - 1])


@pytest.mark.parametrize("seed", range(60))
def test_both_metrics_equal_the_kits(seed: int) -> None:
    images = random_images(seed, crowd=False)
    for kind in range(3):
        measured, (rec, prec) = voc_precision.measure(images, kind), voc_eval_det(images, kind)
        if measured is None:
            assert not any(((labels.classes == kind) & ~labels.difficult).any() for labels, _ in images)
            continue
        assert measured.voc07 == pytest.approx(voc_2007(rec, prec), abs=1e-12)
        assert measured.voc10 == pytest.approx(voc_ap(rec, prec), abs=1e-12)


def test_the_random_images_tell_every_rule_apart() -> None:
    """Each verdict occurs, duplicates too, and the two metrics differ: the comparison above is not of trivial cases."""
    verdicts: set[int] = set()
    apart = 0
    for seed in range(60):
        images = random_images(seed, crowd=False)
        for kind in range(3):
            for labels, detections in images:
                mine = detections.select(detections.classes == kind)
                verdicts |= set(voc_precision.judge(labels, mine, kind).tolist())
            measured = voc_precision.measure(images, kind)
            apart += measured is not None and abs(measured.voc07 - measured.voc10) > 1e-3
    assert verdicts == {RIGHT, WRONG, NOT_COUNTED} and apart > 50


EASY, HARD = [140.0, 140.0, 180.0, 180.0], [0.0, 0.0, 120.0, 120.0]


def judged(boxes: list[list[float]], scores: list[float] | None = None, **marks: list[bool]) -> list[int]:
    labels = frame([HARD, EASY], [0, 0], **marks).labels
    rows = [(box, score, 0) for box, score in zip(boxes, scores or [0.5] * len(boxes), strict=True)]
    return voc_precision.judge(labels, found(*rows), 0).tolist()


SMALL = [10.0, 10.0, 40.0, 40.0]
HALF = [0.0, 0.0, 60.0, 120.0]  # IoU 0.5 with HARD
LESS = [0.0, 0.0, 59.0, 120.0]


def test_a_difficult_object_excuses_any_number_of_boxes_from_an_iou_of_half() -> None:
    assert judged([HARD, HALF, HALF], difficult=[True, False]) == [NOT_COUNTED] * 3
    assert judged([SMALL, LESS], difficult=[True, False]) == [WRONG] * 2
    assert judged([HALF], difficult=[False, False]) == [RIGHT]


def test_the_better_of_two_boxes_on_an_object_is_right() -> None:
    assert judged([EASY, EASY, EASY], [0.5, 0.9, 0.9]) == [WRONG, RIGHT, WRONG]


def test_a_box_takes_the_object_of_greatest_overlap_even_if_it_is_taken() -> None:
    labels = frame([[0, 0, 20, 20], [0, 0, 20, 26]], [0, 0]).labels
    boxes = found(([0, 0, 20, 20], 0.9, 0), ([0, 0, 20, 21], 0.8, 0))  # the second would fit the other object as well
    assert voc_precision.judge(labels, boxes, 0).tolist() == [RIGHT, WRONG]


def test_half_of_a_box_in_a_crowd_excuses_it() -> None:
    crowd = [True, False]
    assert judged([SMALL, SMALL, HARD], crowd=crowd) == [NOT_COUNTED] * 3
    assert judged([[110, 0, 130, 20], [111, 0, 131, 20]], crowd=crowd) == [NOT_COUNTED, WRONG]
    assert judged([EASY], crowd=crowd) == [RIGHT]


def test_other_classes_neither_help_nor_excuse() -> None:
    labels = frame([EASY, HARD], [1, 1], [False, True]).labels
    assert voc_precision.judge(labels, found((EASY, 0.9, 0), (HARD, 0.8, 0)), 0).tolist() == [WRONG, WRONG]


def test_nothing_to_find_is_no_figure() -> None:
    labels = frame([EASY, HARD], [0, 0], [True, False], [False, True]).labels
    assert voc_precision.measure([(labels, found((EASY, 0.9, 0)))], 0) is None
    assert voc_precision.measure([(frame([EASY], [0]).labels, found())], 0) == (0.0, 0.0)


def test_the_points_of_2007_and_the_curve_of_2010() -> None:
    recall, precision = np.array([0.25, 0.25, 0.5]), np.array([1.0, 0.5, 0.6])
    assert voc_precision.at_points(recall, precision) == pytest.approx((3 * 1.0 + 3 * 0.6) / 11)
    assert voc_precision.under_curve(recall, precision) == pytest.approx(0.25 * 1.0 + 0.25 * 0.6)
