"""Objects keep their numbers while they move, vanish for a while, and pass others."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.vision.video.tracks import Tracks
from support.moving import found


def test_two_objects_that_pass_each_other_keep_their_numbers() -> None:
    tracks = Tracks()
    for number in range(40):
        numbers = tracks.follow(found((20 + 6 * number, 50, 30), (260 - 6 * number, 75, 30)), number / 25)
        assert numbers.tolist() == ([1, 2] if number else [0, 0]), "a number comes with the second frame"
    assert len(tracks) == 2


def test_numbers_go_with_boxes_whatever_their_order() -> None:
    tracks = Tracks()
    tracks.follow(found((50, 50, 20), (150, 50, 20)), 0)
    assert tracks.follow(found((50, 50, 20), (150, 50, 20)), 0.04).tolist() == [1, 2]
    assert tracks.follow(found((150, 50, 20), (50, 50, 20)), 0.08).tolist() == [2, 1]


def test_an_object_is_found_again_after_a_while_and_then_no_more() -> None:
    tracks = Tracks()
    for number in range(3):
        tracks.follow(found((50, 50, 20)), number / 25)
    assert tracks.follow(found(), 0.12).tolist() == []
    assert tracks.follow(found((52, 50, 20)), 0.5).tolist() == [1]
    for seconds in (0.6, 1.0, 1.5, 2.0):
        tracks.follow(found(), seconds)
    assert tracks.follow(found((52, 50, 20)), 2.1).tolist() == [0]


def test_a_poor_box_goes_on_with_a_track_and_begins_none() -> None:
    tracks = Tracks()
    for number in range(10):
        score = 0.9 if number < 3 else 0.35
        numbers = tracks.follow(found((50 + number, 50, 20, score), (150, 50, 20, 0.35)), number / 25)
    assert numbers.tolist() == [1, 0]


def test_classes_are_apart() -> None:
    tracks = Tracks()
    for number in range(4):
        numbers = tracks.follow(found((50, 50, 20, 0.9, 0), (52, 50, 20, 0.9, 1)), number / 25)
    assert sorted(numbers.tolist()) == [1, 2]
    assert tracks.follow(found((52, 50, 20, 0.9, 1)), 0.2)[0] == numbers[1]


@pytest.mark.parametrize("speed", [2, 8, 15])
def test_small_fast_objects_keep_their_numbers(speed: int) -> None:
    """Up to half of their size per frame; the times of the frames vary."""
    rng, tracks, seconds = np.random.default_rng(1), Tracks(), 0.0
    for _ in range(60):
        seconds += float(rng.uniform(0.02, 0.06))
        way = speed * 25 * seconds
        numbers = tracks.follow(found((100 + way, 50, 30), (900, 150 + way, 30)), seconds)
    assert numbers.tolist() == [1, 2] and len(tracks) == 2
