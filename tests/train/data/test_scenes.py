from __future__ import annotations

import numpy as np
import pytest

from sterna.train.data.scenes import SceneSequence, SceneSet
from sterna.train.data.street import PERSON, VEHICLE


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


def test_scenes_at_another_size_are_drawn_anew() -> None:
    large, other = SceneSet(0, "val", 3, 96, 96).resized(128, 160), SceneSet(0, "val", 3, 128, 160)
    np.testing.assert_array_equal(large[1].image, other[1].image)
    np.testing.assert_array_equal(large.labels(1).boxes, other[1].boxes)
