"""What writes detections to a folder in one form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from PIL import Image

from sterna.vision.frames import Seen
from sterna.vision.sources import Source


class Named:
    """A source and the name of what is written about it, such as `0003_street`."""

    def __init__(self, source: Source, name: str) -> None:
        self.source, self.name = source, name

    def of_frame(self, number: int) -> str:
        """The name of what is written about one of its frames, from 0."""
        return f"{self.name}_{number:06}" if self.source.moving else self.name


class Form:
    """Writes what is seen to files of one form in a folder. Whatever happens, what it has written is ended by `close`.

    Every method raises SternaError for what cannot be written.
    """

    #: Whether it needs the frame with everything drawn on it.
    needs_drawing: ClassVar[bool] = False
    #: Whether it is about boxes alone, of which a classifier finds none.
    needs_boxes: ClassVar[bool] = False

    def __init__(self, folder: Path, classes: Sequence[str], sources: Sequence[Named]) -> None:
        self.folder, self.classes, self.sources = folder, classes, sources

    def files(self) -> list[str]:
        """The names of the files that it will write to the folder, but for those in folders of its own."""
        return []

    def folders(self) -> list[str]:
        """The folders in the folder that are its own."""
        return []

    def start(self) -> None:
        """Begin, once earlier results are gone."""

    def add(self, named: Named, seen: Seen, drawn: Image.Image | None) -> None:
        """Write what is seen on the next frame of a source."""

    def end(self) -> None:
        """The source of the last frames has no more."""

    def close(self) -> None:
        """No more follows."""
