"""Lines and zones count each track once each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sterna.vision.boxes import Detections
from sterna.vision.follow import Follow
from sterna.vision.frames import Crossing, Seen
from sterna.vision.places import Places
from sterna.vision.video.follower import Follower
from support.moving import found, frame

#: A line across the middle of frames of 200 x 400, from the top down, and a zone around their right half.
LINE, ZONE = "gate=0.5,0,0.5,1", "yard=200,0,400,0,400,200,200,200"


def followed(
    *frames: Detections, lines: tuple[str, ...] = (LINE,), zones: tuple[str, ...] = ()
) -> tuple[list[Seen], dict[str, Any]]:
    follower = Follower(Follow(places=Places.parse(lines, zones)), 200, 400)
    seen = [follower.see(frame(number), each) for number, each in enumerate(frames)]
    return seen, follower.summary()


def going(start: float, end: float, count: int = 30) -> list[Detections]:
    return [found((x, 100, 30)) for x in np.linspace(start, end, count)]


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [(140, 260, {"right": 0, "left": 1}), (260, 140, {"right": 1, "left": 0}), (100, 190, {"right": 0, "left": 0})],
)
def test_ways_are_those_of_somebody_who_walks_along_the_line(start: float, end: float, counts: dict[str, int]) -> None:
    """Downwards: who walks so has the right of the image to the left."""
    seen, summary = followed(*going(start, end))
    assert summary == {"tracks": 1, "lines": {"gate": counts}}
    crossings = [crossing for each in seen for crossing in each.crossed]
    assert crossings == [Crossing("gate", 1, way) for way, count in counts.items() for _ in range(count)]


def test_who_comes_back_is_counted_both_ways() -> None:
    _, summary = followed(*going(140, 260), *going(256, 140))
    assert summary["lines"]["gate"] == {"right": 1, "left": 1}


def test_who_is_not_seen_at_the_line_is_counted_afterwards() -> None:
    frames = going(140, 260, 40)
    frames[15:25] = [found()] * 10
    _, summary = followed(*frames)
    assert summary == {"tracks": 1, "lines": {"gate": {"right": 0, "left": 1}}}


def test_beyond_the_ends_of_a_line_nobody_crosses_it() -> None:
    _, summary = followed(*going(140, 260), lines=("short=0.5,0,0.5,0.25",))
    assert summary["lines"]["short"] == {"right": 0, "left": 0}


def test_zones_count_who_is_there_now_and_has_been() -> None:
    frames = [found((100 + 5 * n, 50, 20), (390 - 5 * n, 150, 20), (40, 180, 20)) for n in range(40)]
    seen, summary = followed(*frames, lines=(), zones=(ZONE, "nobody=0,0,20,0,20,20"))
    assert summary == {"tracks": 3, "zones": {"yard": {"tracks": 2, "most": 2}, "nobody": {"tracks": 0, "most": 0}}}
    assert [seen[n].inside["yard"] for n in (0, 1, 25, 39)] == [0, 1, 2, 1]
    assert all(each.inside["nobody"] == 0 for each in seen)


def test_a_frame_without_objects_is_no_end() -> None:
    seen, summary = followed(found(), *going(140, 260), found(), found(), zones=(ZONE,))
    assert summary["lines"]["gate"]["left"] == 1 and seen[-1].inside == {"yard": 0}
    assert followed(found(), found())[1] == {"tracks": 0, "lines": {"gate": {"right": 0, "left": 0}}}
