"""Frames of an image, a video or a camera, and what was seen on one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.vision.boxes import Detections
from sterna.vision.ranking import Ranking


class Frame(NamedTuple):
    """An image of a source.

    image: RGB uint8 [H, W, 3]. number: from 0. seconds: since the source's first frame.
    """

    image: NDArray[np.uint8]
    number: int
    seconds: float


class Crossing(NamedTuple):
    """A track has crossed a line.

    way: to the "right" or "left" of somebody who walks from the line's first point to its second.
    """

    line: str
    track: int
    way: str


@dataclass(frozen=True)
class Seen:
    """What was seen on a frame.

    found: D boxes in pixels of the frame, best first. tracks: int64 [D], the number of the track of each box, from 1;
    0 for a box of no track. crossed: the lines that tracks have crossed since the frame before. inside: by the name of
    each zone, how many tracks are in it. unusual: by the number of a track what is unusual of its movement: "speed",
    "direction". ranked: the classes of the frame, where a classifier looks; there are no boxes then.
    """

    frame: Frame
    found: Detections
    tracks: NDArray[np.int64]
    crossed: tuple[Crossing, ...] = ()
    inside: Mapping[str, int] = field(default_factory=dict)
    unusual: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    ranked: Ranking | None = None

    @classmethod
    def alone(cls, frame: Frame, found: Detections | Ranking) -> Seen:
        """What was seen where nothing is followed."""
        if isinstance(found, Ranking):
            return cls(frame, Detections.none(), np.zeros(0, np.int64), ranked=found)
        return cls(frame, found, np.zeros(len(found), np.int64))
