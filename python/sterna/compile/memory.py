"""The places of maps in the feature memory (docs/explanation/engine/memory.md)."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import NamedTuple

from sterna.compile.lower import PHASES
from sterna.errors import SternaError
from sterna.spec.config import MOST_FM_WORDS, EngineConfig

UNLIMITED = sys.maxsize


@dataclass(frozen=True)
class Region:
    """Consecutive feature memory words."""

    base: int
    words: int

    @property
    def end(self) -> int:
        """The word after the last."""
        return self.base + self.words


def tile_counts(config: EngineConfig, height: int, width: int) -> tuple[int, int]:
    """Tiles that cover a map, downwards and across."""
    return -(-height // config.tile_h), -(-width // config.tile_w)


def split_counts(config: EngineConfig, height: int, width: int) -> tuple[int, int]:
    """Tiles, downwards and across, of a map of height x width (even) that is split by phase."""
    tiles_h, tiles_w = tile_counts(config, height // 2, width // 2)
    return len(PHASES) * tiles_h, tiles_w


class Allocator:
    """Allocation of feature memory words: the first place that fits, from the low or from the high end."""

    def __init__(self, words: int) -> None:
        self._words = words
        self._used: list[Region] = []

    @property
    def in_use(self) -> int:
        """Words in use."""
        return sum(region.words for region in self._used)

    def take(self, words: int, layer: str, avoid: Region | None = None, *, high: bool = False) -> Region:
        """Reserve `words` for `layer`, outside `avoid`. Raises SternaError if they do not fit."""
        fitting = [gap for gap in self.gaps(avoid) if gap.words >= words]
        if not fitting:
            raise SternaError(
                f"does not fit the feature memory besides the maps that are still needed ({self.in_use} words)",
                where=f"layer {layer}",
                attribute="words",
                value=words,
                allowed=f"{self._words} words in total (fm_words)",
            )
        found = Region(fitting[-1].end - words if high else fitting[0].base, words)
        self._used.append(found)
        return found

    def gaps(self, avoid: Region | None) -> list[Region]:
        """The free words outside `avoid`, low ones first."""
        gaps, free = [], 0
        for region in sorted([*self._used, *([avoid] if avoid else [])], key=lambda region: region.base):
            gaps.append(Region(free, region.base - free))
            free = max(free, region.end)
        return [*gaps, Region(free, self._words - free)]

    def give_back(self, region: Region) -> None:
        """Free a region."""
        self._used.remove(region)


@dataclass(frozen=True)
class Demand:
    """What the feature memory must hold: the image and the maps that each operation makes, each a name and words,
    and the last operation that needs each map; one that nothing needs has none."""

    image: tuple[str, int]
    made: list[list[tuple[str, int]]]
    last_use: dict[str, int]


class Placement(NamedTuple):
    """Where everything lies, and the operation after which the next image may be loaded (None: after none)."""

    regions: dict[str, Region]
    load_after: int | None


def place(words: int, demand: Demand) -> Placement:
    """Regions for all that `demand` names, in `words` words of memory.

    The image's place is kept free from as early on as possible, so that the next image can be loaded while the rest of
    the frame runs. Raises SternaError naming the layer that does not fit and the least memory in which all do.
    """
    try:
        return _place(words, demand)
    except SternaError as refusal:
        least = least_words(demand)
        if least <= words:
            # Plans are not monotone: there may be one in less memory and none in more.
            return _place(least, demand)
        larger = f" or a config with fm_words >= {least}" if least <= MOST_FM_WORDS else ""
        raise SternaError(
            refusal.what,
            where=refusal.where,
            attribute=refusal.attribute,
            value=refusal.value,
            allowed=refusal.allowed,
            remedy=f"use a smaller image{larger}",
        ) from refusal


def least_words(demand: Demand) -> int:
    """The fewest words of memory for which there is a plan."""
    ways = _reservations(demand)
    # From the low end alone a plan does not depend on the memory's size.
    most = min(_top(plan(UNLIMITED, demand, reserved, alternate=False)) for reserved in ways)
    for words in range(_most_in_use(demand), most):
        for reserved in ways:
            with contextlib.suppress(SternaError):
                plan(words, demand, reserved, alternate=True)
                return words
    return most


def _reservations(demand: Demand) -> range:
    """Operations from which on the image's place may be kept free; the last means never."""
    return range(min(demand.last_use.get(demand.image[0], 0) + 1, len(demand.made)), len(demand.made) + 1)


def _place(words: int, demand: Demand) -> Placement:
    refusal = None
    for reserved in _reservations(demand):
        for alternate in (False, True):
            try:
                regions = plan(words, demand, reserved, alternate=alternate)
            except SternaError as error:
                refusal = error
            else:
                return Placement(regions, reserved - 1 if reserved < len(demand.made) else None)
    assert refusal is not None
    raise refusal


def plan(words: int, demand: Demand, reserved: int, *, alternate: bool) -> dict[str, Region]:
    """The regions. Outside the image's lie maps that are needed in operation `reserved` or later, and those that
    nothing needs, as nothing waits until they are written. With `alternate` each operation starts from the other end
    than the one before, so that an input and an output leave one gap and not two. Raises SternaError naming the layer
    that does not fit.
    """
    memory = Allocator(words)
    image, last_use = demand.image, demand.last_use
    regions = {image[0]: memory.take(image[1], image[0])}
    live = set(regions)
    for index, maps in enumerate([[], *demand.made], start=-1):
        for name, size in maps:
            needed_late = last_use.get(name, reserved) >= reserved
            avoid = regions[image[0]] if needed_late else None
            regions[name] = memory.take(size, name, avoid, high=alternate and index % 2 == 0)
            live.add(name)
        for name in [name for name in live if last_use.get(name, index) <= index]:
            live.remove(name)
            memory.give_back(regions[name])
    return regions


def _top(regions: dict[str, Region]) -> int:
    return max(region.end for region in regions.values())


def _most_in_use(demand: Demand) -> int:
    """Words of all maps that are needed at one time: no plan takes fewer."""
    sizes = dict([demand.image, *(made for maps in demand.made for made in maps)])
    most, live = sizes[demand.image[0]], {demand.image[0]}
    for index, maps in enumerate([[], *demand.made], start=-1):
        live |= {name for name, _ in maps}
        most = max(most, sum(sizes[name] for name in live))
        live = {name for name in live if demand.last_use.get(name, index) > index}
    return most
