"""How often the signals of each module change, as simulation counted it: docs/results/activity.json."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sterna.errors import SternaError
from sterna.estimate.band import Band
from sterna.spec.paths import ACTIVITY

_Count = Annotated[int, Field(ge=0)]
_Some = Annotated[int, Field(ge=1)]


class Row(BaseModel):
    """The instances of a module in a frame."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    #: The engine, and the network that it ran.
    config: str
    network: str
    #: Clock cycles of the frame.
    cycles: _Some
    module: str
    #: Bits of their signals, and how often those changed in all.
    bits: _Some
    toggles: _Count


class _File(BaseModel):
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Activity:
    """Toggles per bit and cycle, from the least to the most active of the frames that were simulated."""

    rows: tuple[Row, ...]

    def of(self, module: str) -> Band:
        """Those of `module`; those of all modules together if it was not simulated."""
        return self._band(row for row in self.rows if row.module == module) or self.everywhere

    @property
    def everywhere(self) -> Band:
        """Those of all modules together."""
        found = self._band(self.rows)
        assert found is not None
        return found

    @staticmethod
    def _band(rows: Iterable[Row]) -> Band | None:
        toggles: dict[tuple[str, str], int] = defaultdict(int)
        chances: dict[tuple[str, str], int] = defaultdict(int)
        for row in rows:
            toggles[row.config, row.network] += row.toggles
            chances[row.config, row.network] += row.bits * row.cycles
        rates = [toggles[frame] / chances[frame] for frame in toggles]
        return Band(min(rates), max(rates)) if rates else None


def load_activity(path: Path = ACTIVITY) -> Activity:
    """The activity in the file `path`. Raises SternaError if it cannot be read or is wrong."""
    try:
        return Activity(_File.model_validate_json(path.read_bytes()).rows)
    except (OSError, ValidationError) as error:
        fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise SternaError(
            f"cannot be read ({fault})", where=str(path), remedy="reinstall Sterna, or make results-activity"
        ) from None
