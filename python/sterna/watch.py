"""Images, videos and cameras through a detector, one stream of frames, and what is followed over them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sterna.extras import VIDEO, needed_for
from sterna.stopwatch import Stopwatch
from sterna.vision.boxes import Detections
from sterna.vision.follow import Follow
from sterna.vision.frames import Frame, Seen
from sterna.vision.ranking import Ranking
from sterna.vision.sources import Source

if TYPE_CHECKING:
    from sterna.vision.video.follower import Follower


class Finder(Protocol):
    """What finds objects or classes: a `Detector` or a `Classifier`."""

    times: Stopwatch

    def stream(self, images: Iterable[NDArray[np.uint8]]) -> Generator[Detections | Ranking]:
        """The objects in each of `images`, or its classes."""


class Watch:
    """What a detector sees in sources, one after another; iterating gives the number of the source and what was seen.

    follow: what is followed over the frames of a source that moves. most: frames per source that are read at most.
    Iterating raises SternaError for what cannot be read.
    """

    def __init__(
        self,
        finder: Finder,
        sources: Sequence[Source],
        follow: Follow,
        most: int | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._finder, self._sources, self._follow, self._most, self._say = finder, sources, follow, most, say
        self._followers: dict[int, Follower] = {}
        if follow.tracks:
            with needed_for("following objects", VIDEO):
                from sterna.vision.video.follower import Follower
            self._make = Follower

    def __iter__(self) -> Iterator[tuple[int, Seen]]:
        taken: deque[tuple[int, Frame]] = deque()
        with closing(self._finder.stream(self._images(taken))) as stream:
            for found in stream:
                number, frame = taken.popleft()
                yield number, self._seen(number, frame, found)

    def summary(self, number: int) -> dict[str, Any]:
        """What was counted in source `number` until now; nothing if nothing was followed there."""
        return self._followers[number].summary() if number in self._followers else {}

    def _images(self, taken: deque[tuple[int, Frame]]) -> Iterator[NDArray[np.uint8]]:
        """The images of all frames; `taken` gets those whose results are due."""
        for number, source in enumerate(self._sources):
            frames = islice(source.frames(self._say), self._most)
            while True:
                with self._finder.times.part("read"):
                    frame = next(frames, None)
                if frame is None:
                    break
                taken.append((number, frame))
                yield frame.image

    def _seen(self, number: int, frame: Frame, found: Detections | Ranking) -> Seen:
        if isinstance(found, Ranking) or not self._follow.tracks or not self._sources[number].moving:
            return Seen.alone(frame, found)
        with self._finder.times.part("follow"):
            if number not in self._followers:
                height, width, _ = frame.image.shape
                self._followers[number] = self._make(self._follow, height, width)
            return self._followers[number].see(frame, found)
