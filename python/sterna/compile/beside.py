"""The `beside` of steps: which STORE steps may still go on when a step begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sterna.compile.memory import Region
from sterna.spec.tape import MOST_BESIDE_STORES


@dataclass
class OpenStores:
    """What the STORE steps read that may still go on, in order: they end in the order of the tape."""

    _regions: list[Region] = field(default_factory=list)

    def add(self, region: Region) -> None:
        """A STORE of `region` begins."""
        self._regions.append(region)

    def beside(self, written: Collection[Region]) -> int:
        """How many may go on when a step begins that writes `written`: those after the last one that reads of it."""
        last = max((i for i, region in enumerate(self._regions) if any(map(region.overlaps, written))), default=-1)
        count = min(len(self._regions) - 1 - last, MOST_BESIDE_STORES)
        del self._regions[: len(self._regions) - count]
        return count
