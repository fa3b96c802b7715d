"""What was seen on a frame drawn on it: boxes, tracks and their paths, lines and zones with their counts."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sterna.vision import drawing
from sterna.vision.frames import Seen
from sterna.vision.places import Place, Places

#: Seconds of a path that are shown.
_PATH = 1.5
_COLOUR = (255, 255, 255)


class Overlay:
    """Draws the frames of one source after another."""

    def __init__(self, classes: Sequence[str], places: Places) -> None:
        self._classes, self._places = classes, places
        self._paths: dict[int, deque[tuple[float, float, float]]] = defaultdict(deque)
        self._crossed: Counter[tuple[str, str]] = Counter()

    def draw(self, seen: Seen) -> Image.Image:
        """The frame with everything on it; a small one is enlarged, as `drawing.boxes` does."""
        image = seen.frame.image
        if seen.ranked is not None:
            return drawing.ranking(image, seen.ranked, self._classes)
        height, width, _ = image.shape
        factor = drawing.enlargement(height, width)
        self._go_on(seen)
        canvas = drawing.boxes(image, seen.found, self._classes, labels=self._labels(seen))
        draw = ImageDraw.Draw(canvas)
        for track, kind in zip(seen.tracks.tolist(), seen.found.classes.tolist(), strict=True):
            if len(points := [(x * factor, y * factor) for _, x, y in self._paths.get(track, ())]) > 1:
                draw.line(points, fill=drawing.colour(kind), width=drawing.stroke(canvas))
        for zone in self._places.zones:
            points = _points(zone, height, width, factor)
            draw.line([*points, points[0]], fill=_COLOUR, width=drawing.stroke(canvas))
            drawing.label(canvas, points[0], f"{zone.name} {seen.inside.get(zone.name, 0)}", _COLOUR)
        for line in self._places.lines:
            points = _points(line, height, width, factor)
            draw.line(points, fill=_COLOUR, width=drawing.stroke(canvas))
            counts = " ".join(f"{way} {self._crossed[line.name, way]}" for way in ("right", "left"))
            drawing.label(canvas, points[0], f"{line.name} {counts}", _COLOUR)
        return canvas

    def _go_on(self, seen: Seen) -> None:
        """Take in where tracks are and what they crossed."""
        for crossing in seen.crossed:
            self._crossed[crossing.line, crossing.way] += 1
        now = seen.frame.seconds
        for track, box in zip(seen.tracks.tolist(), seen.found.boxes.astype(float), strict=True):
            if track:
                self._paths[track].append((now, *((box[:2] + box[2:]) / 2).tolist()))
        for path in self._paths.values():
            while path and now - path[0][0] > _PATH:
                path.popleft()
        self._paths = defaultdict(deque, {track: path for track, path in self._paths.items() if path})

    def _labels(self, seen: Seen) -> list[str]:
        """For each box its class, and its track with what is unusual of it or, without one, its score."""
        labels = []
        for kind, score, track in zip(seen.found.classes, seen.found.scores, seen.tracks.tolist(), strict=True):
            said = [f"unusual {what}" for what in seen.unusual.get(track, ())]
            labels.append(" ".join([self._classes[kind], *([str(track), *said] if track else [f"{score:.0%}"])]))
        return labels


def _points(place: Place, height: int, width: int, factor: int) -> list[tuple[float, float]]:
    points: NDArray[np.float64] = place.on(height, width) * factor
    return [(float(x), float(y)) for x, y in points]
