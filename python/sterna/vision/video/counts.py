"""Counts tracks that cross lines or stay in zones."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import supervision
from numpy.typing import NDArray

from sterna.vision.frames import Crossing
from sterna.vision.places import Place, Places

_CENTRE = (supervision.Position.CENTER,)
RIGHT, LEFT = "right", "left"


class Counts:
    """The lines and zones of a video of `height` x `width`. The middle of a box counts."""

    def __init__(self, places: Places, height: int, width: int) -> None:
        self._lines = {place.name: _line(place, height, width) for place in places.lines}
        self._zones = {place.name: _zone(place, height, width) for place in places.zones}
        self._crossed: dict[str, Counter[str]] = {place.name: Counter() for place in places.lines}
        self._been: dict[str, set[int]] = {place.name: set() for place in places.zones}
        self._most: Counter[str] = Counter()

    def crossed(self, boxes: NDArray[np.floating], tracks: NDArray[np.int64]) -> tuple[Crossing, ...]:
        """The crossings of the lines since the frame before.

        boxes [T, 4] in pixels, tracks [T]: where each track that still lives was seen last. A track that is missing
        would be forgotten, and its crossing with it.
        """
        given = _detections(boxes, tracks)
        crossings = []
        for name, line in self._lines.items():
            # What supervision calls in is to the left.
            for way, which in zip((LEFT, RIGHT), line.trigger(given), strict=True):
                crossings += [Crossing(name, int(track), way) for track in tracks[which]]
                self._crossed[name][way] += int(which.sum())
        return tuple(crossings)

    def inside(self, boxes: NDArray[np.floating], tracks: NDArray[np.int64]) -> dict[str, int]:
        """How many tracks are in each zone. boxes [T, 4], tracks [T]: of this frame."""
        given = _detections(boxes, tracks)
        found = {}
        for name, zone in self._zones.items():
            within = tracks[zone.trigger(given)].tolist() if len(tracks) else []
            self._been[name].update(within)
            self._most[name] = max(self._most[name], len(within))
            found[name] = len(within)
        return found

    def summary(self) -> dict[str, Any]:
        """Crossings of each line either way; of each zone how many tracks were there in all, and at most at once."""
        lines = {name: {way: found[way] for way in (RIGHT, LEFT)} for name, found in self._crossed.items()}
        zones = {name: {"tracks": len(been), "most": self._most[name]} for name, been in self._been.items()}
        return ({"lines": lines} if lines else {}) | ({"zones": zones} if zones else {})


def _line(place: Place, height: int, width: int) -> supervision.LineZone:
    start, end = (supervision.Point(float(x), float(y)) for x, y in place.on(height, width))
    return supervision.LineZone(start, end, triggering_anchors=_CENTRE)


def _zone(place: Place, height: int, width: int) -> supervision.PolygonZone:
    corners = place.on(height, width).round().astype(np.int64)
    return supervision.PolygonZone(corners, triggering_anchors=_CENTRE)


def _detections(boxes: NDArray[np.floating], tracks: NDArray[np.int64]) -> supervision.Detections:
    return supervision.Detections(xyxy=boxes.astype(np.float64).reshape(-1, 4), tracker_id=tracks)
