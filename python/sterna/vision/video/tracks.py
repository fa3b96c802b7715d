"""Which boxes of successive frames are one object: tracks.

Source: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box" (2022): boxes of good score
are joined to tracks first, then those of poor score to the tracks that are left, so that an object is not lost while it
is hard to see. The package `edgefirst-tracker` does this by the time of each frame, so the rate of frames may vary.
"""

from __future__ import annotations

import numpy as np
from edgefirst.tracker import ByteTrack
from numpy.typing import NDArray

from sterna.vision.boxes import Detections

#: Score from which a box may begin a track.
FIRM = 0.5
#: Least intersection over union of a box and the place at which a track is expected. Small objects move far for their
#: size, so it is small.
_OVERLAP = 0.1
#: How far a track goes to its new box, 0..1. All the way, or its speed lags that of fast small objects.
_UPDATE = 1.0
#: Seconds for which an object may be out of sight.
LIFE = 1.0


class Tracks:
    """Numbers the objects of a video, each class for itself."""

    def __init__(self) -> None:
        self._trackers: dict[int, ByteTrack] = {}
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """How many tracks there have been."""
        return len(self._numbers)

    def follow(self, found: Detections, seconds: float) -> NDArray[np.int64]:
        """The number of the track, from 1, of each of the boxes `found` at `seconds`, later than the last; else 0."""
        for kind in set(found.classes.tolist()) - self._trackers.keys():
            self._trackers[kind] = ByteTrack(
                high_conf=FIRM, iou=_OVERLAP, update=_UPDATE, lifespan_ns=_nanoseconds(LIFE)
            )
        numbers = np.zeros(len(found), np.int64)
        for kind, tracker in self._trackers.items():
            (own,) = np.nonzero(found.classes == kind)
            boxes, scores = found.boxes[own].astype(np.float32), found.scores[own].astype(np.float32)
            tracks = tracker.update(boxes, scores, np.zeros(len(own), np.uintp), _nanoseconds(seconds))
            for index, track in zip(own, tracks, strict=True):
                # With its second box: a single one is often an error.
                if track is not None and track.last_updated > track.created:
                    numbers[index] = self._numbers.setdefault(track.uuid, len(self._numbers) + 1)
        return numbers


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
