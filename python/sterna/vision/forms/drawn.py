"""Detections drawn on images and videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from typing_extensions import override

from sterna.extras import VIDEO, needed_for
from sterna.vision import drawing
from sterna.vision.forms.form import Form, Named
from sterna.vision.frames import Seen
from sterna.vision.sources import Source


class Drawn(Form):
    """Images as PNG, videos as MP4, with what was seen drawn on them."""

    needs_drawing = True

    def __init__(self, folder: Path, classes: Sequence[str], sources: Sequence[Named]) -> None:
        super().__init__(folder, classes, sources)
        if moving := [each.source.origin for each in sources if each.source.moving]:
            with needed_for(f"{moving[0]}: writing a video", VIDEO):
                from sterna.vision.video.writer import VideoWriter
            self._make = VideoWriter
            self._video: VideoWriter | None = None

    @override
    def files(self) -> list[str]:
        return [drawn_name(each) for each in self.sources]

    @override
    def add(self, named: Named, seen: Seen, drawn: Image.Image | None) -> None:
        assert drawn is not None
        path = self.folder / drawn_name(named)
        if not named.source.moving:
            drawing.save(drawn, path)
            return
        if self._video is None:
            self._video = self._make(path, named.source.rate or Source.USUAL_RATE)
        self._video.add(np.asarray(drawn), seen.frame.seconds)

    @override
    def end(self) -> None:
        if video := getattr(self, "_video", None):
            self._video = None
            video.close()

    @override
    def close(self) -> None:
        self.end()


class Frames(Form):
    """Each frame of a video as PNG in the video's folder, with what was seen drawn on it."""

    needs_drawing = True

    @override
    def folders(self) -> list[str]:
        return [each.name for each in self.sources if each.source.moving]

    @override
    def add(self, named: Named, seen: Seen, drawn: Image.Image | None) -> None:
        assert drawn is not None
        if named.source.moving:
            drawing.save(drawn, self.folder / named.name / f"{named.of_frame(seen.frame.number)}.png")


def drawn_name(named: Named) -> str:
    """The name of the image or video that `Drawn` writes."""
    return named.name + (".mp4" if named.source.moving else ".png")
