"""Unusual movement: tracks that are much faster or slower than others of their class there, or go against them.

The camera is taken to stand still. A track's velocity is measured over a second, in lengths of the object (the root of
its box's area) per second, so that near and far objects compare. It is compared with those of the other tracks of the
class that have passed the same neighbourhood, a cell of a grid on the image and the cells around it:

- speed: its modified z-score, the distance from their median in robust standard deviations (1.4826 times the median
  absolute deviation), exceeds 3.5. Source: Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993).
- direction: it turns by more than 90 degrees from their mean direction, where they agree: where the mean resultant
  length of their directions is at least 0.7. Source: Mardia and Jupp, "Directional Statistics" (2000).

Nothing is unusual before enough others have passed, nor unless it lasts.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Cells of the grid along each axis.
CELLS = 8
#: Seconds over which a velocity is measured, the least that will do, and those for which something unusual must last.
WINDOW, LEAST_WINDOW, LASTING = 1.0, 0.5, 0.5
#: Other tracks that must have passed, and the latest of them that are remembered of a cell.
LEAST_OTHERS, MOST_OTHERS = 8, 200
Z_SCORE = 3.5
#: The standard deviation of a normal distribution per median absolute deviation.
_DEVIATION = 1.4826
#: Least standard deviation, as a share of the median speed and in lengths per second: others may all be equally fast.
_LEAST_SHARE, _LEAST_DEVIATION = 0.1, 0.1
#: Slower objects, in lengths per second, have no direction.
_STANDING = 0.25
#: Cosine of the angle, and mean resultant length.
_OPPOSITE, _AGREEING = 0.0, 0.7

SPEED, DIRECTION = "speed", "direction"


class _Place(NamedTuple):
    """A cell of the grid, for one class."""

    kind: int
    row: int
    column: int

    def around(self) -> Iterator[_Place]:
        for row in range(self.row - 1, self.row + 2):
            for column in range(self.column - 1, self.column + 2):
                yield _Place(self.kind, row, column)


class Movement:
    """Remembers the velocities of the tracks of one video of `height` x `width`."""

    def __init__(self, height: int, width: int) -> None:
        self._size = np.array([width, height], float)
        self._paths: dict[int, deque[tuple[float, NDArray[np.float64], float]]] = defaultdict(deque)
        #: By cell, the mean velocity there of each track and of how many values it is.
        self._passed: dict[_Place, OrderedDict[int, tuple[NDArray[np.float64], int]]] = defaultdict(OrderedDict)
        self._since: dict[tuple[int, str], float] = {}

    def unusual(
        self, tracks: NDArray[np.int64], classes: NDArray[np.int64], boxes: NDArray[np.floating], seconds: float
    ) -> dict[int, tuple[str, ...]]:
        """By the number of a track what is unusual of it at `seconds`: SPEED, DIRECTION.

        tracks, classes [T], boxes [T, 4] in pixels: of this frame.
        """
        self._forget(seconds)
        found = {}
        for track, kind, box in zip(tracks.tolist(), classes.tolist(), boxes.astype(float), strict=True):
            velocity = self._velocity(track, box, seconds)
            if velocity is None:
                continue
            place = self._place(kind, box)
            lasting = self._lasting(track, _unusual(velocity, self._others(track, place)), seconds)
            self._remember(track, place, velocity)
            if lasting:
                found[track] = lasting
        return found

    def _forget(self, seconds: float) -> None:
        """The paths of tracks that have gone."""
        gone = [track for track, path in self._paths.items() if seconds - path[-1][0] > WINDOW]
        for track in gone:
            del self._paths[track]
            for kind in _RULES:
                self._since.pop((track, kind), None)

    def _velocity(self, track: int, box: NDArray[np.float64], seconds: float) -> NDArray[np.float64] | None:
        """In lengths of the object per second, x and y; None if it has not been seen for long enough."""
        path = self._paths[track]
        path.append((seconds, (box[:2] + box[2:]) / 2, float(np.sqrt((box[2:] - box[:2]).prod()))))
        while path[-1][0] - path[0][0] > WINDOW:
            path.popleft()
        (begin, first, _), (end, last, _) = path[0], path[-1]
        length = np.mean([size for _, _, size in path])
        if end - begin < LEAST_WINDOW or not length:
            return None
        return (last - first) / (end - begin) / length

    def _place(self, kind: int, box: NDArray[np.float64]) -> _Place:
        column, row = ((box[:2] + box[2:]) / 2 / self._size * CELLS).clip(0, CELLS - 1).astype(int).tolist()
        return _Place(kind, row, column)

    def _others(self, track: int, place: _Place) -> NDArray[np.float64]:
        """The mean velocities [T, 2] of the other tracks that have passed the neighbourhood."""
        passed: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
        for cell in place.around():
            for other, (velocity, _) in self._passed.get(cell, {}).items():
                if other != track:
                    passed[other].append(velocity)
        return np.array([np.mean(velocities, axis=0) for velocities in passed.values()]).reshape(-1, 2)

    def _remember(self, track: int, place: _Place, velocity: NDArray[np.float64]) -> None:
        passed = self._passed[place]
        mean, count = passed.get(track, (np.zeros(2), 0))
        passed[track] = (mean + (velocity - mean) / (count + 1), count + 1)
        if len(passed) > MOST_OTHERS:
            passed.popitem(last=False)

    def _lasting(self, track: int, kinds: set[str], seconds: float) -> tuple[str, ...]:
        """Those of `kinds` that have lasted."""
        for kind in _RULES:
            if kind in kinds:
                self._since.setdefault((track, kind), seconds)
            else:
                self._since.pop((track, kind), None)
        return tuple(kind for kind in _RULES if kind in kinds and seconds - self._since[track, kind] >= LASTING)


def _unusual(velocity: NDArray[np.float64], others: NDArray[np.float64]) -> set[str]:
    """What is unusual of `velocity` [2] beside `others` [T, 2]."""
    if len(others) < LEAST_OTHERS:
        return set()
    return {kind for kind, rule in _RULES.items() if rule(velocity, others)}


def _speed(velocity: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    speeds = np.hypot(others[:, 0], others[:, 1])
    median = float(np.median(speeds))
    deviation = _DEVIATION * float(np.median(np.abs(speeds - median)))
    deviation = max(deviation, _LEAST_SHARE * median, _LEAST_DEVIATION)
    return abs(float(np.hypot(*velocity)) - median) > Z_SCORE * deviation


def _direction(velocity: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    speeds = np.hypot(others[:, 0], others[:, 1])
    moving = speeds > _STANDING
    if moving.sum() < LEAST_OTHERS or np.hypot(*velocity) <= _STANDING:
        return False
    mean = (others[moving] / speeds[moving, None]).mean(0)
    return bool(np.hypot(*mean) >= _AGREEING and velocity @ mean < _OPPOSITE)


_RULES: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], bool]] = {SPEED: _speed, DIRECTION: _direction}
