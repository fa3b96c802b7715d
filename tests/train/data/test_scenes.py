from __future__ import annotations

import numpy as np
import pytest

from sterna.train.data.scenes import SceneSequence, SceneSet
from sterna.train.data.street import EASY, PERSON, VEHICLE, Conditions, draw_conditions


def test_scenes_are_the_same_for_the_same_seed_and_different_otherwise() -> None:
    first, again = (SceneSet(3, "train", 4, 96, 96)[2] for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.boxes, again.boxes)
    for other in (SceneSet(4, "train", 4, 96, 96), SceneSet(3, "test", 4, 96, 96)):
        assert not np.array_equal(first.image, other[2].image)
    assert not np.array_equal(first.image, SceneSet(3, "train", 4, 96, 96)[1].image)


@pytest.mark.parametrize(("height", "width"), [(160, 160), (96, 224)])
def test_scenes_hold_both_classes_and_boxes_inside_the_image(height: int, width: int) -> None:
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


def test_objects_keep_their_numbers_while_they_move() -> None:
    sequence = SceneSequence((0, 2, 5), 160, 160, conditions=Conditions(crowd=2))
    (now, before), (later, after) = sequence.followed(0), sequence.followed(3)
    np.testing.assert_array_equal(now.image, sequence.frame(0).image)
    assert len(set(before.tolist())) == len(before) == len(now.boxes)
    both = sorted({*before.tolist()} & {*after.tolist()})
    assert len(both) > 5
    for number in both:
        (first,), (second,) = np.nonzero(before == number), np.nonzero(after == number)
        assert now.classes[first] == later.classes[second]
        assert np.abs(now.boxes[first] - later.boxes[second]).max() < 20


def test_conditions_may_be_chosen() -> None:
    near, far = (SceneSequence((0, 2, 5), 160, 160, conditions=Conditions(zoom=zoom)).frame() for zoom in (1, 0.5))
    sides = [np.median(frame.boxes[:, 3] - frame.boxes[:, 1]) for frame in (near, far)]
    assert 0.3 < sides[1] / sides[0] < 0.7


def test_scenes_at_another_size_are_drawn_anew() -> None:
    large, other = SceneSet(0, "val", 3, 96, 96).resized(128, 160), SceneSet(0, "val", 3, 128, 160)
    np.testing.assert_array_equal(large[1].image, other[1].image)
    np.testing.assert_array_equal(large.labels(1).boxes, other[1].boxes)


def test_hard_scenes_are_others_and_the_same_again() -> None:
    easy, hard, again = (SceneSet(3, "train", 6, 96, 96, kind) for kind in (False, True, True))
    for index in range(6):
        np.testing.assert_array_equal(hard[index].image, again[index].image)
        np.testing.assert_array_equal(hard[index].boxes, again[index].boxes)
    assert any(not np.array_equal(easy[index].image, hard[index].image) for index in range(6))
    np.testing.assert_array_equal(hard.resized(64, 96)[2].image, SceneSet(3, "train", 6, 64, 96, True)[2].image)


def test_every_hard_condition_occurs_alone_and_with_others() -> None:
    drawn = [draw_conditions(np.random.default_rng(seed)) for seed in range(400)]
    there = np.array(
        [[c.night > 0, c.rain > 0, c.zoom < 1, c.crowd > 1, c.blur != EASY.blur] for c in drawn]
    )  # fmt: skip
    assert (there.mean(0) > 0.25).all() and (there.mean(0) < 0.75).all()
    assert ((there.sum(1) == 1) & there.T).any(1).all() and (there.sum(1) >= 3).any()


def test_hard_scenes_are_darker_more_crowded_and_smaller() -> None:
    count = 40
    sets = [SceneSet(5, "val", count, 96, 96, hard) for hard in (False, True)]
    easy, hard = ([scenes[index] for index in range(count)] for scenes in sets)
    darkest = [min(frame.image.mean() for frame in frames) for frames in (easy, hard)]
    objects = [sum(len(frame.boxes) for frame in frames) for frames in (easy, hard)]
    heights = [np.median(np.concatenate([f.boxes[:, 3] - f.boxes[:, 1] for f in frames])) for frames in (easy, hard)]
    assert darkest[1] < 0.8 * darkest[0] and objects[1] > 1.3 * objects[0] and heights[1] < 0.9 * heights[0]
