"""What is to be followed over the frames of a video."""

from __future__ import annotations

from dataclasses import dataclass, field

from sterna.vision.places import Places


@dataclass(frozen=True)
class Follow:
    """track: number the objects. places: count tracks there. unusual: report unusual movement."""

    track: bool = False
    places: Places = field(default_factory=Places)
    unusual: bool = False

    @property
    def tracks(self) -> bool:
        """Whether objects are numbered: counting and movement need it."""
        return self.track or self.unusual or bool(self.places.lines or self.places.zones)
