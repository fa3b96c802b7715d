from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sterna.train.data.frames import Frame
from sterna.train.optim import loss

ANCHORS = np.array([[1.0, 2.0], [4.0, 2.0]])
STRIDE = 16
CLASSES = 3
FIELDS = 5 + CLASSES


def frame(
    boxes: list[list[float]],
    classes: list[int],
    difficult: list[bool] | None = None,
    crowd: list[bool] | None = None,
) -> Frame:
    none = [False] * len(classes)
    return Frame(
        np.zeros((64, 96, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
        np.array(difficult or none, bool),
        np.array(crowd or none, bool),
    )


def evaluate(head: torch.Tensor, frames: list[Frame]) -> loss.Losses:
    return loss.losses(head, loss.targets(frames, ANCHORS, STRIDE), torch.tensor(ANCHORS, dtype=torch.float32))


def perfect_head(x: float, y: float, w: float, h: float, kind: int) -> torch.Tensor:
    """A head that says exactly one box, centre and size in cells, with the wide anchor."""
    head = torch.zeros(1, len(ANCHORS) * FIELDS, 4, 6)
    view = head.view(1, len(ANCHORS), FIELDS, 4, 6)
    view[:, :, 4] = -30
    cell = view[0, 1, :, int(y), int(x)]
    cell[0], cell[1] = math.log((x % 1) / (1 - x % 1)), math.log((y % 1) / (1 - y % 1))
    cell[2], cell[3] = math.log(w / ANCHORS[1, 0]), math.log(h / ANCHORS[1, 1])
    cell[4] = 30
    cell[5 + kind] = 30
    return head


def test_targets_name_cell_and_anchor() -> None:
    wanted = loss.targets([frame([[16, 8, 80, 40]], [2]), frame([], [])], ANCHORS, STRIDE)
    np.testing.assert_array_equal(wanted.index[:, 0], [0, 1, 1, 3])  # centre (3, 1.5) cells, 4 x 2 cells
    np.testing.assert_allclose(wanted.offset[0], [0.0, 0.5])
    np.testing.assert_allclose(wanted.log_size[0], [0.0, 0.0], atol=1e-6)
    assert wanted.classes.tolist() == [2]


def test_a_perfect_head_has_no_loss_and_a_wrong_one_has() -> None:
    truth = [frame([[22, 6, 86, 38]], [1])]  # centre (3.375, 1.375) cells
    right = evaluate(perfect_head(3.375, 1.375, 4, 2, 1), truth)
    assert right.total.item() == pytest.approx(0, abs=1e-3)
    assert evaluate(perfect_head(3.375, 1.375, 4, 2, 0), truth).classes.item() > 10
    assert evaluate(perfect_head(3.375, 1.375, 6, 2, 1), truth).box.item() > 0.1
    assert evaluate(perfect_head(3.75, 1.375, 4, 2, 1), truth).box.item() > 0.1
    assert evaluate(perfect_head(1.375, 1.375, 4, 2, 1), truth).objectness.item() > 10


def test_boxes_that_overlap_a_truth_are_not_pushed_to_background() -> None:
    head = perfect_head(3.375, 1.375, 4, 2, 1)
    neighbour = head.view(1, 2, FIELDS, 4, 6)[0, 1, :, 1, 2]
    neighbour[:] = 0
    neighbour[0], neighbour[4] = 30, 5  # in the cell to the left, reaching over: nearly the same box, sure of itself
    truth = [frame([[22, 6, 86, 38]], [1])]
    assert evaluate(head, truth).objectness.item() == pytest.approx(0, abs=1e-3)
    neighbour[0] = -30
    assert evaluate(head, truth).objectness.item() > 1


@pytest.mark.parametrize("marks", [{"difficult": [True]}, {"crowd": [True]}], ids=["difficult", "crowd"])
def test_marked_boxes_are_neither_wanted_nor_background(marks: dict[str, list[bool]]) -> None:
    truth = [frame([[22, 6, 86, 38]], [1], **marks)]
    assert loss.targets(truth, ANCHORS, STRIDE).index.shape == (4, 0)
    assert evaluate(perfect_head(3.375, 1.375, 4, 2, 0), truth).total.item() == pytest.approx(0, abs=1e-3)


def test_a_box_thinner_than_two_pixels_is_not_wanted() -> None:
    wanted = loss.targets([frame([[10, 10, 11.9, 40], [20, 10, 22, 40]], [1, 2])], ANCHORS, STRIDE)
    assert wanted.classes.tolist() == [2]


def test_an_image_without_boxes_trains() -> None:
    head = torch.zeros(2, len(ANCHORS) * FIELDS, 4, 6, requires_grad=True)
    total = evaluate(head, [frame([], []), frame([], [])]).total
    total.backward()
    assert torch.isfinite(total) and head.grad is not None and torch.isfinite(head.grad).all()


def test_gradient_equals_the_finite_difference() -> None:
    torch.manual_seed(3)
    head = torch.randn(2, len(ANCHORS) * FIELDS, 4, 6, dtype=torch.float64, requires_grad=True)
    truth = [frame([[22, 6, 86, 38], [1, 1, 12, 30]], [1, 0]), frame([[40, 10, 60, 60]], [2])]
    wanted = loss.targets(truth, ANCHORS, STRIDE)
    anchors = torch.tensor(ANCHORS)

    def without_overlap_target(x: torch.Tensor) -> torch.Tensor:
        parts = loss.losses(x, wanted, anchors)
        return parts.box + parts.classes

    assert torch.autograd.gradcheck(without_overlap_target, head)
    parts = loss.losses(head, wanted, anchors)
    parts.objectness.backward()
    gradient = head.grad.view(2, 2, FIELDS, 4, 6)
    others = [field for field in range(FIELDS) if field != 4]
    assert (gradient[:, :, others] == 0).all()  # the overlap is a target, not a way to lower the loss
    assert gradient[:, :, 4].abs().max() > 0


def test_descent_on_one_image_finds_its_boxes() -> None:
    from sterna.vision import boxes

    torch.manual_seed(0)
    truth = [frame([[22, 6, 86, 38], [1, 20, 16, 60]], [1, 2])]
    head = torch.zeros(1, len(ANCHORS) * FIELDS, 4, 6, requires_grad=True)
    optimizer = torch.optim.Adam([head], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        evaluate(head, truth).total.backward()
        optimizer.step()
    found = boxes.detect(head.detach().numpy()[0], ANCHORS.tolist(), threshold=0.5, overlap=0.45, limit=100)
    found = found.in_pixels(64, 96)
    assert sorted(found.classes.tolist()) == [1, 2]
    best = boxes.iou(truth[0].boxes, found.boxes).max(1)
    assert (best > 0.9).all()
