"""Follows the objects of one video."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.vision.boxes import Detections
from sterna.vision.follow import Follow
from sterna.vision.frames import Frame, Seen
from sterna.vision.video.counts import Counts
from sterna.vision.video.movement import Movement
from sterna.vision.video.tracks import LIFE, Tracks


class Follower:
    """Sees the frames of a video of one size one after another."""

    def __init__(self, follow: Follow, height: int, width: int) -> None:
        self._tracks = Tracks()
        self._counts = Counts(follow.places, height, width)
        self._movement = Movement(height, width) if follow.unusual else None
        #: By track: when and where it was seen last.
        self._last: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._unusual: dict[tuple[int, str], dict[str, Any]] = {}

    def see(self, frame: Frame, found: Detections) -> Seen:
        """What is seen on the next frame, on which the boxes `found` are."""
        tracks = self._tracks.follow(found, frame.seconds)
        own = tracks > 0
        boxes = found.boxes[own]
        self._last |= {int(track): (frame.seconds, box) for track, box in zip(tracks[own], boxes, strict=True)}
        self._last = {track: last for track, last in self._last.items() if frame.seconds - last[0] <= LIFE}
        living = np.array(list(self._last), np.int64)
        crossed = self._counts.crossed(np.array([box for _, box in self._last.values()]), living)
        inside = self._counts.inside(boxes, tracks[own])
        unusual: dict[int, tuple[str, ...]] = {}
        if self._movement:
            unusual = self._movement.unusual(tracks[own], found.classes[own], boxes, frame.seconds)
            self._note(unusual, frame)
        return Seen(frame, found, tracks, crossed, inside, unusual)

    def summary(self) -> dict[str, Any]:
        """How many tracks there were, what was counted, and what was unusual from when to when."""
        events = {"unusual": list(self._unusual.values())} if self._movement else {}
        return {"tracks": len(self._tracks), **self._counts.summary(), **events}

    def _note(self, unusual: dict[int, tuple[str, ...]], frame: Frame) -> None:
        for track, kinds in unusual.items():
            for kind in kinds:
                event = {"track": track, "what": kind, "from": round(frame.seconds, 3)}
                self._unusual.setdefault((track, kind), event)["to"] = round(frame.seconds, 3)
