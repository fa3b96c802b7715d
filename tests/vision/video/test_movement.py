"""Movement unlike that of others is reported, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sterna.vision.follow import Follow
from sterna.vision.video.follower import Follower
from sterna.vision.video.movement import DIRECTION, LEAST_OTHERS, SPEED
from support.moving import found, frame

HEIGHT, WIDTH, SIDE = 200, 400, 20


def street(
    last: Callable[[int], tuple[float, ...]], others: int = 14, jitter: float = 0.5
) -> tuple[Follower, set[str]]:
    """Cars that go right at about 80 pixels per second, one by one, then another object; what is unusual of it."""
    rng = np.random.default_rng(1)
    follower = Follower(Follow(unusual=True), HEIGHT, WIDTH)
    number = 0
    for _ in range(others):
        speed, y = 3.2 * rng.uniform(0.85, 1.15), rng.uniform(95, 105)
        for step in range(int(380 / speed)):
            x = 10 + speed * step + rng.normal(0, jitter)
            follower.see(frame(number, HEIGHT, WIDTH), found((x, y + rng.normal(0, jitter), SIDE)))
            number += 1
        for _ in range(40):
            follower.see(frame(number, HEIGHT, WIDTH), found())
            number += 1
    assert follower.summary()["unusual"] == [], "nothing is unusual among equals"
    for step in range(60):
        row = last(step)
        if not 0 < row[0] < WIDTH:
            break
        follower.see(frame(number, HEIGHT, WIDTH), found(row))
        number += 1
    return follower, {event["what"] for event in follower.summary()["unusual"]}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (lambda step: (10 + 3.3 * step, 100, SIDE), set()),
        (lambda step: (10 + 7 * step, 100, SIDE), {SPEED}),
        (lambda step: (100 + 0.2 * step, 100, SIDE), {SPEED}),
        (lambda step: (390 - 3.2 * step, 100, SIDE), {DIRECTION}),
        (lambda step: (390 - 7 * step, 100, SIDE), {SPEED, DIRECTION}),
        (lambda step: (10 + 3.3 * step, 100, SIDE, 0.9, 1), set()),
        (lambda step: (390 - 7 * step, 100, SIDE, 0.9, 1), set()),
        (lambda step: (10 + 6.6 * step, 100, 2 * SIDE), set()),
    ],
    ids=["as others", "fast", "slow", "against", "fast against", "other class", "fast, other class", "near and large"],
)
def test_what_is_unusual(last: Callable[[int], tuple[float, ...]], expected: set[str]) -> None:
    follower, kinds = street(last)
    assert kinds == expected
    for event in follower.summary()["unusual"]:
        assert event["track"] == 15 and event["from"] <= event["to"]


def test_nothing_is_unusual_before_enough_others_have_passed() -> None:
    assert street(lambda step: (390 - 7 * step, 100, SIDE), others=LEAST_OTHERS - 1)[1] == set()
    assert street(lambda step: (390 - 7 * step, 100, SIDE), others=LEAST_OTHERS)[1] == {SPEED, DIRECTION}


def test_what_happens_elsewhere_does_not_count() -> None:
    assert street(lambda step: (390 - 7 * step, 10, SIDE))[1] == set()


def test_a_moment_is_not_enough() -> None:
    """A leap, as of a box that is wrong for a few frames."""
    assert street(lambda step: (10 + 3.3 * step + 12 * (30 <= step < 33), 100, SIDE))[1] == set()


def test_each_frame_says_who_is_unusual_now() -> None:
    follower, _ = street(lambda step: (10 + 3.3 * step, 100, SIDE))
    follower.see(frame(9_000, HEIGHT, WIDTH), found())
    said = [follower.see(frame(10_000 + n, HEIGHT, WIDTH), found((390 - 7 * n, 100, SIDE))).unusual for n in range(40)]
    assert said[0] == {} and said[-1] == {16: (SPEED, DIRECTION)}
