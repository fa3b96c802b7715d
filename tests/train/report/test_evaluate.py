from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from sterna.graph import reference
from sterna.train.data.frames import Frame
from sterna.train.model.form import Form
from sterna.train.report import coco_precision, evaluate, voc_precision
from sterna.train.report.coco_precision import RECALL
from sterna.vision.boxes import Detections
from sterna.vision.prepare import to_integers
from support.found import found, frame, random_images
from support.small_detector import ANCHORS as SMALL_ANCHORS
from support.small_detector import small_graph, small_network, small_scenes

CLASSES = ("cat", "dog")


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
    assert metrics(evaluate.precision(frames, [found((A, 0.9, 0))], CLASSES)) == pytest.approx([1.0] * 3)
    over = found((B, 0.95, 0), (A, 0.9, 0))
    assert metrics(evaluate.precision(frames, [over], CLASSES)) == pytest.approx([1.0] * 3)


@pytest.mark.case(
    "voc-difficult-in-map",
    kind="metric",
    expected="boxes inside a difficult object that are not on it are wrong: precision 1/4",
    source="cocodataset/cocoapi#466",
)
def test_small_boxes_inside_a_difficult_object_are_wrong(got: Callable[[str], None]) -> None:
    hard, easy = [0.0, 0.0, 120.0, 120.0], [140.0, 140.0, 180.0, 180.0]
    small = [[9.0, 9.0, 39.0, 39.0], [49.0, 49.0, 79.0, 79.0], [79.0, 19.0, 109.0, 49.0]]
    boxes = found(*((box, 0.9 - 0.1 * number, 0) for number, box in enumerate([*small, easy])))
    result = evaluate.precision([frame([hard, easy], [0, 0], [True, False], side=192)] * 4, [boxes] * 4, CLASSES)
    assert metrics(result) == pytest.approx([0.25] * 3)
    got(f"COCO mAP50 {result.map50:.3f}, VOC07 {result.voc07:.3f}, VOC10 {result.voc10:.3f}")


def metrics(result: evaluate.Precision) -> list[float]:
    return [result.map50, result.voc07, result.voc10]


def test_boxes_of_one_image_do_not_match_another() -> None:
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
    assert (result.map, *metrics(result), result.classes) == (0.0, 0.0, 0.0, 0.0, {})


def test_the_curve_steps_down_at_the_recall_of_each_false_box() -> None:
    frames = [frame([A, B], [0, 0])]
    curve = evaluate.precision(frames, [found((A, 0.9, 0), (SMALL, 0.8, 0), (B, 0.7, 0))], CLASSES).classes["cat"].curve
    np.testing.assert_allclose(curve.precision, np.where(RECALL <= 0.5, 1.0, 2 / 3))
    np.testing.assert_allclose(curve.score, np.where(RECALL <= 0.5, 0.9, 0.7))


def measured(seed: int) -> evaluate.Precision:
    tally = evaluate.Tally(("cat", "dog", "cow"))
    for labels, detections in random_images(seed):
        tally.add(Frame(np.zeros((160, 160, 3), np.uint8), *labels), detections)
    return tally.precision()


@pytest.mark.parametrize("seed", range(30))
def test_every_figure_is_made_of_what_coco_and_voc_measure(seed: int) -> None:
    result, images = measured(seed), random_images(seed)
    coco = coco_precision.measure(images, 3, 100)
    voc = {kind: voc_precision.measure(images, kind) for kind in range(3)}
    there = [kind for kind in range(3) if voc[kind] is not None]
    assert list(result.classes) == [("cat", "dog", "cow")[kind] for kind in there]
    for kind, each in zip(there, result.classes.values(), strict=True):
        values = coco.precision[:, :, kind, 0]
        assert (each.ap50, each.ap) == pytest.approx((values[0].mean(), values.mean()))
        assert (each.voc07, each.voc10) == voc[kind]
        assert each.curve.precision == tuple(values[0]) and each.curve.score == tuple(coco.score[0, :, kind, 0])
        assert (np.diff(each.curve.precision) <= 0).all() and (np.diff(each.curve.score) <= 0).all()
    for name, attribute in (("map50", "ap50"), ("map", "ap"), ("voc07", "voc07"), ("voc10", "voc10")):
        mean = np.mean([getattr(each, attribute) for each in result.classes.values()])
        assert getattr(result, name) == pytest.approx(mean)
    for area, name in enumerate(("small", "medium", "large"), 1):
        shown = [coco.precision[..., kind, area].mean() for kind in there if coco.precision[0, 0, kind, area] >= 0]
        assert getattr(result, name) == (pytest.approx(np.mean(shown)) if shown else None)


def test_each_image_needs_its_boxes() -> None:
    with pytest.raises(ValueError, match="zip"):
        evaluate.precision([frame([A], [0])] * 2, [found()], CLASSES)

    class Careless(evaluate.Evaluator):
        def find(self, frames: Sequence[Frame], threshold: float = 0.0) -> list[Detections]:
            return [found()] * (len(frames) - 1)

    with pytest.raises(ValueError, match="zip"):
        Careless(lambda images: images, ANCHORS, 1.0).measure(small_scenes(2))


def test_metrics_are_not_changed_once_they_are_made() -> None:
    result = measured(0)
    with pytest.raises(ValueError, match="frozen"):
        result.map50 = 1.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        evaluate.Precision.model_validate({**result.model_dump(), "map75": 0.5})


def test_precision_survives_json() -> None:
    result = measured(0)
    assert evaluate.Precision.model_validate_json(result.model_dump_json()) == result


def test_both_views_of_an_image_agree() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3)).astype(np.uint8)
    real, integers = evaluate.to_real(images), to_integers(images)
    assert integers.dtype == np.int8 and integers.shape == (2, 3, 4, 6)
    np.testing.assert_array_equal(real.numpy() * 128, integers)
    assert integers[1, 2, 3, 4] == int(images[1, 3, 4, 2]) - 128


ANCHORS = [[2.0, 2.0]]  # cells


def head_of(*rows: tuple[float, float, float, float], side: int = 8) -> np.ndarray:
    """A raw head of two classes and boxes of 2 x 2 cells: column, row, how far to the right in cells, score."""
    head = np.zeros((5 + 2, side, side), np.float32)
    head[4] = -50
    for column, row, right, score in rows:
        head[:, int(row), int(column)] = [-np.log(1 / right - 1), 0, 0, 0, -np.log(1 / score - 1), 50, 0]
    return head


def found_in(head: np.ndarray) -> list[float]:
    """Scores of what evaluation finds in `head`, on images of 80 x 80."""
    evaluator = evaluate.Evaluator(lambda images: np.stack([head] * len(images)), ANCHORS, 1.0)
    frames = [frame([], [], side=80)] * 2
    first, second = evaluator.find(frames)
    assert first.scores.tolist() == second.scores.tolist()
    return first.scores.tolist()


def test_evaluation_suppresses_above_the_overlap_that_its_method_names() -> None:
    # Two boxes of 2 x 2 cells, side by side by d cells: IoU (2 - d) / (2 + d), 0.45 at d = 0.759.
    more, less = [(2, 2, 0.5, 0.9), (3, 2, 0.24, 0.8)], [(2, 2, 0.5, 0.9), (3, 2, 0.28, 0.8)]
    assert found_in(head_of(*more)) == pytest.approx([0.9])  # d 0.74, IoU 0.4599
    assert found_in(head_of(*less)) == pytest.approx([0.9, 0.8])  # d 0.78, IoU 0.4388
    assert "non-maximum suppression above IoU 0.45 within a class" in evaluate.METHOD


def test_evaluation_takes_scores_from_the_threshold_that_its_method_names() -> None:
    assert found_in(head_of((1, 1, 0.5, 0.0101), (5, 5, 0.5, 0.0099))) == pytest.approx([0.0101])
    assert "a score of at least 0.01" in evaluate.METHOD


def test_evaluation_takes_as_many_boxes_as_its_method_names() -> None:
    places = [(column, row, 0.5, 0.5 + row / 100) for column in range(0, 32, 3) for row in range(0, 32, 3)]
    assert len(places) == 121
    kept = found_in(head_of(*places, side=32))
    assert len(kept) == 100 and min(kept) > 0.5  # 11 of a row; the worst went
    assert "at most 100 boxes per image" in evaluate.METHOD


def test_boxes_are_in_pixels_of_the_image() -> None:
    evaluator = evaluate.Evaluator(lambda images: head_of((2, 4, 0.5, 0.9))[None] / 0.25, ANCHORS, 0.25)
    tall = frame([], [])._replace(image=np.zeros((160, 80, 3), np.uint8))
    np.testing.assert_allclose(evaluator.find([tall])[0].boxes, [[15, 70, 35, 110]], rtol=1e-5)


def test_the_methods_name_all_that_the_metrics_depend_on() -> None:
    for method, parts in (
        (evaluate.METHOD, ("pycocotools 2.", "101 recall points", "difficult (by IoU)", "crowd (by intersection over")),
        (evaluate.VOC_METHOD, ("VOCevaldet.m", "IoU 0.5", "11 recall points", "greatest IoU is marked difficult")),
    ):
        for part in (*parts, evaluate.FOUND, "mean over classes"):
            assert part in method


def test_every_image_of_a_data_set_is_measured_once() -> None:
    """By a finder of all that is labelled in what it is shown."""
    data = small_scenes(9)  # more than one batch
    per_image = [len(data.labels(index).boxes) for index in range(9)]

    class Finder(evaluate.Evaluator):
        def find(self, frames: Sequence[Frame], threshold: float = 0.0) -> list[Detections]:
            return [
                found(*((box.tolist(), 0.9, int(kind)) for box, kind in zip(each.boxes, each.classes, strict=True)))
                for each in frames
            ]

    seen: list[tuple[int, int]] = []
    whole = Finder(lambda images: images, ANCHORS, 1.0).measure(data, 0, lambda *step: seen.append(step))
    assert metrics(whole) == pytest.approx([1.0] * 3) and sum(per_image) > 9
    assert seen == [(8, 9), (9, 9)]


def test_a_graph_is_measured_in_integers() -> None:
    """What is measured is the graph's head times its scale: a graph with another head gives other boxes."""
    data = small_scenes(2)
    graph = small_graph(small_network(data))
    evaluator = evaluate.of_graph(graph, data.classes)
    images = np.stack([data[index].image for index in range(2)])
    heads = evaluator.heads(images)
    assert heads.dtype == np.int8
    np.testing.assert_array_equal(heads, reference.execute(graph, to_integers(images))[graph.outputs[0].name])
    info = graph.info[graph.outputs[0].name]
    assert (evaluator.scale, evaluator.zero_point) == (info.scale, info.zero_point) == (info.scale, 0)
    assert [list(anchor) for anchor in evaluator.anchors] == SMALL_ANCHORS


def test_a_network_is_measured_in_the_form_that_it_has() -> None:
    data = small_scenes(2)
    network = small_network(data, Form.QUANTISED)
    images = np.stack([data[index].image for index in range(2)])
    network.train()
    heads = evaluate.of_network(network, SMALL_ANCHORS).heads(images)
    assert not network.training
    with torch.no_grad():
        np.testing.assert_array_equal(heads, network(evaluate.to_real(images)).numpy())
        network.form = Form.FLOAT
        assert np.abs(heads - network(evaluate.to_real(images)).numpy()).max() > 0
