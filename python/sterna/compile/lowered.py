"""A graph lowered for a config: its operations, and the sizes of its maps in tiles and feature memory words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from sterna.compile.lower import PHASES, InnerMap, Operation, Program, lower
from sterna.compile.memory import split_counts, tile_counts
from sterna.graph import Graph
from sterna.package.plan import Part
from sterna.spec.config import WORD_CHANNELS, EngineConfig


@dataclass(frozen=True)
class Lowered:
    """What compiler and builder both start from."""

    graph: Graph
    config: EngineConfig
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "program", lower(self.graph))

    def size(self, name: str) -> tuple[int, int]:
        """Height and width of a map."""
        info = self._inner.get(name) or self.graph.info[name]
        return info.height, info.width

    @cached_property
    def _inner(self) -> dict[str, InnerMap]:
        return self.program.inner

    def counts(self, name: str) -> tuple[int, int]:
        """Tiles of a map, downwards and across."""
        counts = split_counts if name in self.program.split else tile_counts
        return counts(self.config, *self.size(name))

    def map_rows(self, name: str) -> int:
        """Rows of tiles of a map, or of each phase of one that is split by phase."""
        return self.counts(name)[0] // (len(PHASES) if name in self.program.split else 1)

    def computed_sources(self, operation: Operation) -> list[str]:
        """The computed maps (or the image) that an operation reads, each once."""
        found = [name for source in operation.sources for name in self.program.sources(source)]
        return list(dict.fromkeys(found))

    def tiles(self, operation: Operation) -> int:
        """Tiles of the operation's map."""
        return math.prod(self.counts(operation.output))

    @property
    def image_words(self) -> int:
        """Feature memory words of the image."""
        return -(-self.graph.input.channels // WORD_CHANNELS) * math.prod(self.counts(self.graph.input.name))

    def made_by(self, operation: Operation, parts: tuple[Part, ...]) -> dict[str, int]:
        """Feature memory words that `parts` of the operation write, by the name of each map that it makes."""
        words = sum(part.words for part in parts) * self.tiles(operation)
        sizes = (words * len(PHASES), words)[-len(operation.outputs) :]
        return dict(zip(operation.outputs, sizes, strict=True))
