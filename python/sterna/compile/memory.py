"""Where maps lie in the feature memory (docs/engine.md, "Feature memory")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.spec.config import WORD_CHANNELS, EngineConfig


@dataclass(frozen=True)
class Region:
    """Consecutive feature memory words."""

    base: int
    words: int


@dataclass(frozen=True)
class Map:
    """A map in feature memory.

    Channel c lies in byte `byte[c]` of the words from `plane[c]` on, one word a tile. `regions` are the memory
    behind it: one for a computed map, several for a concat.
    """

    height: int
    width: int
    tiles_h: int
    tiles_w: int
    plane: NDArray[np.int64]
    byte: NDArray[np.int64]
    regions: tuple[Region, ...]

    @property
    def tiles(self) -> int:
        """Words from one channel word to the next."""
        return self.tiles_h * self.tiles_w

    @property
    def words(self) -> int:
        """Feature memory words behind the map."""
        return sum(region.words for region in self.regions)

    def stored_channels(self) -> list[list[int]]:
        """[word, byte] of each channel, counting channel words through the regions one after the other."""
        starts = np.array([region.base for region in self.regions])
        before = np.cumsum([0, *(region.words for region in self.regions[:-1])])
        home = [int(np.flatnonzero(starts <= p)[np.argmax(starts[starts <= p])]) for p in self.plane]
        words = (before[home] + self.plane - starts[home]) // self.tiles
        return [[int(word), int(byte)] for word, byte in zip(words, self.byte, strict=True)]


def tile_counts(config: EngineConfig, height: int, width: int) -> tuple[int, int]:
    """Tiles that cover a map, downwards and across."""
    return -(-height // config.tile_h), -(-width // config.tile_w)


def place_map(
    config: EngineConfig, height: int, width: int, word: NDArray[np.int64], byte: NDArray[np.int64], region: Region
) -> Map:
    """A map of one region whose channel c is byte `byte[c]` of channel word `word[c]`."""
    tiles_h, tiles_w = tile_counts(config, height, width)
    return Map(height, width, tiles_h, tiles_w, region.base + word * (tiles_h * tiles_w), byte, (region,))


def plain_map(config: EngineConfig, height: int, width: int, channels: int, region: Region) -> Map:
    """A map whose channels lie in order."""
    index = np.arange(channels)
    return place_map(config, height, width, index // WORD_CHANNELS, index % WORD_CHANNELS, region)


def join_maps(maps: list[Map]) -> Map:
    """The concatenation of maps of one size; nothing moves."""
    regions = tuple(dict.fromkeys(region for part in maps for region in part.regions))
    first = maps[0]
    return Map(
        first.height,
        first.width,
        first.tiles_h,
        first.tiles_w,
        np.concatenate([part.plane for part in maps]),
        np.concatenate([part.byte for part in maps]),
        regions,
    )


class Allocator:
    """First-fit allocation of feature memory words."""

    def __init__(self, words: int) -> None:
        self._words = words
        self._used: list[Region] = []

    @property
    def in_use(self) -> int:
        """Words in use."""
        return sum(region.words for region in self._used)

    def take(self, words: int, layer: str) -> Region:
        """Reserve `words` for `layer`; SternaError says how many are missing if they do not fit."""
        base = 0
        for index, region in enumerate([*self._used, Region(self._words, 0)]):
            if region.base - base >= words:
                taken = Region(base, words)
                self._used.insert(index, taken)
                return taken
            base = region.base + region.words
        raise SternaError(
            f"does not fit the feature memory beside the maps that are still needed ({self.in_use} words)",
            where=f"layer {layer}",
            attribute="words",
            value=words,
            allowed=f"{self._words} words in all (fm_words)",
            remedy=f"use a smaller image or a config with fm_words >= {self.in_use + words}",
        )

    def give_back(self, region: Region) -> None:
        """Free a region."""
        self._used.remove(region)
