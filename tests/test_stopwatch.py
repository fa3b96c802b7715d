"""Parts of a work count for themselves alone."""

from __future__ import annotations

import pytest

from sterna import stopwatch
from sterna.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(stopwatch, "perf_counter", lambda: now[0])
    return now


def test_a_part_within_another_is_not_counted_twice(clock: list[float]) -> None:
    times = Stopwatch()
    clock[0] += 50
    with times.part("device"):
        clock[0] += 1
        with times.part("resize"):
            clock[0] += 2
        clock[0] += 4
    clock[0] += 50
    with times.part("resize"):
        clock[0] += 8
    assert dict(times.seconds) == {"device": 5, "resize": 10}


def test_a_part_that_fails_is_ended(clock: list[float]) -> None:
    times = Stopwatch()
    with pytest.raises(ValueError), times.part("write"):
        clock[0] += 3
        raise ValueError
    clock[0] += 50
    with times.part("read"):
        clock[0] += 1
    assert dict(times.seconds) == {"write": 3, "read": 1}
